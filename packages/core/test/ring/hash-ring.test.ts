/** The ring against a plain one that looks at every point, with good hashes and bad ones. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { isQuorateError } from '../../src/errors.ts';
import { hashRing } from '../../src/machines.ts';
import { HashRing } from '../../src/ring/hash-ring.ts';
import type { RingChange } from '../../src/ring/hash-ring.ts';
import { murmur3, positionsEnd } from '../../src/ring/murmur3.ts';
import type { KeyHash } from '../../src/ring/murmur3.ts';
import { ReferenceRing } from './reference-ring.ts';

/** As few places as there are nodes: most points coincide with others, of their own node and of another. */
const spread = murmur3();
const crowded: KeyHash = (key) => (spread(key) % 5) * 2 ** 50;
const hashes = { murmur3: spread, crowded, constant: (() => 7) satisfies KeyHash };

const anyNodes = fc.uniqueArray(
  fc.record({ node: fc.string({ minLength: 1, maxLength: 12 }), weight: fc.constantFrom(0.001, 0.5, 1, 2.5) }),
  {
    minLength: 1,
    maxLength: 8,
    selector: ({ node }) => node,
  },
);
const virtualNodes = 8;

describe.each(Object.entries(hashes))('HashRing with the hash "%s"', (_, hash) => {
  it('finds the owners that a plain ring finds', () => {
    fc.assert(
      fc.property(anyNodes, fc.array(fc.string(), { minLength: 1 }), (nodes, keys) => {
        const ring = HashRing.of(nodes, { virtualNodes, hash });
        const plain = new ReferenceRing(nodes, virtualNodes, (key) => BigInt(hash(key)));
        for (const key of keys) {
          const owners = plain.ownersAt(BigInt(hash(key)));
          expect(ring.lookup(key)).toBe(owners[0]);
          expect(ring.owners(key, 3)).toEqual(owners.slice(0, 3));
        }
      }),
    );
  });

  it('is one ring whatever the order of the nodes, and whatever came and went in between', () => {
    const shuffled = anyNodes.chain((nodes) =>
      fc.tuple(fc.constant(nodes), fc.shuffledSubarray(nodes, { minLength: nodes.length }), fc.nat()),
    );
    fc.assert(
      fc.property(shuffled, ([nodes, others, place]) => {
        const made = HashRing.of(nodes, { virtualNodes, hash });
        let grown = HashRing.empty({ virtualNodes, hash });
        for (const [i, { node, weight }] of others.entries()) {
          if (i === place % others.length) grown = grown.add('a guest of more than twelve letters', { weight: 3 });
          grown = grown.add(node, { weight });
        }
        grown = grown.remove('a guest of more than twelve letters');
        expect(grown.nodes).toEqual(made.nodes);
        expect(grown.shares()).toEqual(made.shares());
        expect(made.diff(grown)).toEqual({ share: 0, transfers: [], ranges: [] });
      }),
    );
  });

  it('says in a plan exactly which positions change hands', () => {
    const anyChange: fc.Arbitrary<readonly RingChange[]> = anyNodes.map((nodes) =>
      nodes.map(({ node, weight }) => ({ type: 'add', node, weight })),
    );
    fc.assert(
      fc.property(anyChange, fc.nat(), fc.array(fc.integer({ min: 0, max: positionsEnd - 1 })), (adds, chosen, positions) => {
        const placed = HashRing.of([], { virtualNodes, hash: (key) => (typeof key === 'string' ? Number(key) : hash(key)) });
        const full = adds.reduce((ring, change) => ring.apply(change), placed);
        const node = full.nodes[chosen % full.nodes.length]?.node ?? '';
        const left = full.remove(node);
        const plan = full.plan({ type: 'remove', node });
        expect(plan).toEqual(full.diff(left));
        const edges = plan.ranges
          .flatMap(({ first, last }) => [first - 1, first, last, last + 1])
          .filter((at) => at >= 0 && at < positionsEnd);
        for (const position of [...positions, ...edges]) {
          const range = plan.ranges.find(({ first, last }) => first <= position && position <= last);
          const [from, to] = [full.lookup(String(position)), left.lookup(String(position))];
          expect(range === undefined ? from === to : range.from === from && range.to === to).toBe(true);
        }
        expect(plan.share).toBeCloseTo(full.shares().get(node) ?? 0, 12);
        expect(plan.transfers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(plan.share, 12);
      }),
    );
  });
});

describe('HashRing', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => `node-${i}`);
  const keys = Array.from({ length: 20_000 }, (_, i) => `key-${i}`);

  it('gives every node, however light, a point of its own', () => {
    const anyLight = fc.record({ node: fc.uuid(), weight: fc.double({ min: 0, minExcluded: true, max: 1e-3, noNaN: true }) });
    fc.assert(
      fc.property(anyLight, (light) => {
        const shares = HashRing.of(['heavy', light]).shares();
        expect(shares.get(light.node)).toBeGreaterThan(0);
        expect((shares.get('heavy') ?? 0) + (shares.get(light.node) ?? 0)).toBe(1);
      }),
    );
  });

  it('gives each of 100 nodes a share within a third of the mean, and a node of weight 3 about three', () => {
    for (const share of HashRing.of(hundred).shares().values()) expect(Math.abs(share * 100 - 1)).toBeLessThan(1 / 3);
    const shares = HashRing.of([...hundred, { node: 'large', weight: 3 }]).shares();
    expect((shares.get('large') ?? 0) * 103).toBeGreaterThan(2.5);
    expect((shares.get('large') ?? 0) * 103).toBeLessThan(3.5);
  });

  it('moves keys only to the node that came, and only from the node that left', () => {
    const ring = HashRing.of(hundred);
    const more = ring.add('another');
    for (const key of keys) if (ring.lookup(key) !== more.lookup(key)) expect(more.lookup(key)).toBe('another');
    expect(more.diff(ring.add('another')).share).toBe(0);
    expect(ring.plan({ type: 'add', node: 'another' }).transfers.every(({ to }) => to === 'another')).toBe(true);
  });

  it('does not confuse name and number of virtual nodes', () => {
    const places = new Map<string, string>();
    const hash: KeyHash = (key) => {
      const text = Buffer.from(key).toString('hex');
      places.set(text, text);
      return murmur3()(key);
    };
    HashRing.of(['n1', 'n11', 'n111', 'n', '\u0001', '1', '11'], { virtualNodes: 200, hash });
    expect(places.size).toBe(7 * 200);
  });

  it('takes a string and its bytes for one key', () => {
    const ring = HashRing.of(hundred);
    for (const key of ['', 'plain', 'größer', '鍵', '🔑']) expect(ring.lookup(Buffer.from(key, 'utf8'))).toBe(ring.lookup(key));
  });

  it('leaves the ring before a change as it was', () => {
    const ring = HashRing.of(['a', 'b']);
    const before = ring.shares();
    ring.add('c');
    ring.remove('a');
    expect(ring.shares()).toEqual(before);
    expect(ring.nodes).toEqual([
      { node: 'a', weight: 1 },
      { node: 'b', weight: 1 },
    ]);
  });

  it('answers undefined on an empty ring, and all nodes to whoever wants more', () => {
    const empty = HashRing.empty();
    expect(empty.lookup('key')).toBeUndefined();
    expect(empty.owners('key', 2)).toEqual([]);
    expect(empty.shares()).toEqual(new Map());
    expect(empty.place(['key'])).toEqual([undefined]);
    expect(empty.remove('nobody')).toBe(empty);
    expect(empty.plan({ type: 'add', node: 'a' })).toEqual({
      share: 1,
      transfers: [{ from: undefined, to: 'a', share: 1 }],
      ranges: [{ first: 0, last: positionsEnd - 1, from: undefined, to: 'a' }],
    });
    expect([...HashRing.of(['a', 'b', 'c']).owners('key', 10)].sort()).toEqual(['a', 'b', 'c']);
    expect(HashRing.of(['a']).owners('key', 0)).toEqual([]);
  });

  it('keeps every node within its bounded load, in whatever order the keys come', () => {
    const ring = HashRing.of([...hundred.slice(0, 9), { node: 'large', weight: 3 }]);
    const some = keys.slice(0, 1_200);
    // Above 1.1 × 100 stands, as a double, 110.00000000000001.
    for (const [capacity, most] of [
      [1, 100],
      [1.1, 110],
      [1.25, 125],
      [2, 200],
    ] as const) {
      const owners = ring.place(some, { capacity });
      const loads = new Map<string | undefined, number>();
      for (const owner of owners) loads.set(owner, (loads.get(owner) ?? 0) + 1);
      for (const { node, weight } of ring.nodes) expect(loads.get(node) ?? 0).toBeLessThanOrEqual(most * weight);
      expect([...ring.place([...some].reverse(), { capacity })].reverse()).toEqual(owners);
    }
    expect(ring.place(some, { capacity: 1_000 })).toEqual(some.map((key) => ring.lookup(key)));
  });

  it('refuses what cannot be on a ring', () => {
    const ring = HashRing.of(['a']);
    for (const name of ['', 'a', 'x'.repeat(257), '\ud800']) expect(codeOf(() => ring.add(name))).toBe('INVALID_NAME');
    expect(codeOf(() => HashRing.of(['b', 'b']))).toBe('INVALID_NAME');
    for (const weight of [0, -1, NaN, Infinity, 1e6]) expect(codeOf(() => ring.add('b', { weight }))).toBe('INVALID_OPTIONS');
    for (const count of [0, -1, 1.5, NaN, 1e6]) expect(codeOf(() => HashRing.empty({ virtualNodes: count }))).toBe('INVALID_OPTIONS');
    expect(codeOf(() => HashRing.of(hundred, { virtualNodes: 20_000 }))).toBe('INVALID_OPTIONS');
    for (const n of [-1, 0.5, NaN]) expect(codeOf(() => ring.owners('key', n))).toBe('INVALID_OPTIONS');
    for (const place of [NaN, -1, 0.5, positionsEnd])
      expect(codeOf(() => HashRing.of(['a'], { hash: () => place }))).toBe('INVALID_OPTIONS');
    for (const capacity of [0.9, NaN, Infinity]) expect(codeOf(() => ring.place(['key'], { capacity }))).toBe('INVALID_OPTIONS');
    expect(codeOf(() => ring.diff(HashRing.of(['a'], { hash: () => 7 })))).toBe('INVALID_OPTIONS');
  });
});

describe('hashRing', () => {
  it('gives a snapshot per change, and goes on after one that the ring refuses', () => {
    const changes$ = new Subject<RingChange>();
    const faults: unknown[] = [];
    const seen: string[][] = [];
    changes$
      .pipe(hashRing({ virtualNodes: 4 }, { onFault: (error) => faults.push(error) }))
      .subscribe((ring) => seen.push(ring.nodes.map(({ node }) => node)));
    changes$.next({ type: 'add', node: 'b' });
    changes$.next({ type: 'add', node: 'a', weight: 2 });
    changes$.next({ type: 'add', node: 'a' });
    changes$.next({ type: 'remove', node: 'b' });
    expect(seen).toEqual([['b'], ['a', 'b'], ['a']]);
    expect(faults.map((error) => isQuorateError(error, 'INVALID_NAME'))).toEqual([true]);
  });
});

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return isQuorateError(error) ? error.code : undefined;
  }
  return undefined;
}
