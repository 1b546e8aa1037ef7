/** What a ring makes of what it cannot use, and of whoever would change it from outside. */
import { placeWithin } from '../../src/ring/bounded-loads.ts';
import { HashRing } from '../../src/ring/hash-ring.ts';
import { PointIndex } from '../../src/ring/points.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const ring = HashRing.of(['a', 'b', 'c']);

it.each<[string, () => unknown, string]>([
  ['nodes that are no list', () => HashRing.of('abc' as never), 'INVALID_OPTIONS'],
  ['a node that is null', () => HashRing.of([null as never]), 'INVALID_NAME'],
  ['a node that is a number', () => HashRing.of([7 as never]), 'INVALID_NAME'],
  ['a node without a name', () => HashRing.of([{} as never]), 'INVALID_NAME'],
  ['options that are null', () => HashRing.of(['a'], null as never), 'INVALID_OPTIONS'],
  ['a hash that is no function', () => HashRing.of(['a'], { hash: 5 as never }), 'INVALID_OPTIONS'],
  ['options of a node that are null', () => ring.add('d', null as never), 'INVALID_OPTIONS'],
  ['a comparison with what is no ring', () => ring.diff({} as never), 'INVALID_OPTIONS'],
  ['a comparison with nothing', () => ring.diff(undefined as never), 'INVALID_OPTIONS'],
  ['a change of no known type', () => ring.apply({ type: 'x' } as never), 'INVALID_OPTIONS'],
  ['a change that is null', () => ring.plan(null as never), 'INVALID_OPTIONS'],
  ['keys that are no list', () => ring.place(null as never), 'INVALID_OPTIONS'],
  ['a capacity in no options', () => ring.place(['k'], null as never), 'INVALID_OPTIONS'],
])('refuses %s', (_, act, expected) => {
  expect(act).toThrow(code(expected));
});

describe.each([Number.NaN, -1, 0.5, 2 ** 53, Infinity, undefined])('a hash of the caller that places a key at %s', (place) => {
  // Points are placed by bytes, and these keys are texts.
  const broken = HashRing.of(['a', 'b'], {
    hash: (key) => (typeof key === 'string' ? (place as number) : key.length * 1_000 + (key.at(-4) ?? 0)),
  });

  it.each<[string, () => unknown]>([
    ['a look-up', () => broken.lookup('k')],
    ['a preference list', () => broken.owners('k', 1)],
    ['a placing within bounds', () => broken.place(['k'])],
  ])('ends %s', (_, act) => {
    expect(act).toThrow(code('INVALID_OPTIONS'));
  });
});

it('takes rings of one hash function of the caller for comparable', () => {
  const hash = (key: string | Uint8Array): number => (typeof key === 'string' ? key.length : (key.at(-4) ?? 0) * 1_000 + (key[4] ?? 0));
  const one = HashRing.of(['a'], { hash });
  expect(one.diff(HashRing.of(['b'], { hash })).share).toBe(1);
});

it('shows its nodes and lets nobody change them', () => {
  const nodes = ring.add('d').remove('d').nodes as { node: string; weight: number }[];
  expect(() => nodes.push({ node: 'x', weight: 1 })).toThrow(TypeError);
  expect(() => {
    for (const one of nodes) one.weight = 9;
  }).toThrow(TypeError);
  expect(nodes).toEqual(['a', 'b', 'c'].map((node) => ({ node, weight: 1 })));
});

it('ends with a broken invariant, rather than never, where no node has room', () => {
  const index = new PointIndex({ positions: Float64Array.of(5), owners: Uint32Array.of(0) });
  const act = () => placeWithin({ weights: [1e-9, 1e9], index, positions: Float64Array.of(1, 2, 3) }, { capacity: 1 });
  expect(act).toThrow(code('INVARIANT'));
});
