/** The assignment of partitions against every assignment there is, in small, and against arithmetic, in large. */
import fc from 'fast-check';
import { isQuorateError } from '../../src/errors.ts';
import { assign, planOf } from '../../src/ring/assignment.ts';
import type { AssignmentInput, AssignmentMember } from '../../src/ring/assignment.ts';

const names = ['a', 'b', 'c', 'd'] as const;

function membersOf(weights: readonly number[]): AssignmentMember[] {
  return weights.map((weight, i) => ({ name: `node-${i}`, weight }));
}

function loadsOf(owners: readonly (string | undefined)[]): Map<string, number> {
  const loads = new Map<string, number>();
  for (const owner of owners) if (owner !== undefined) loads.set(owner, (loads.get(owner) ?? 0) + 1);
  return loads;
}

function shareOf(count: number, members: readonly AssignmentMember[], member: AssignmentMember): number {
  return (count * member.weight) / members.reduce((sum, { weight }) => sum + weight, 0);
}

/** The fewest moves by which the loads can become shares rounded down or up: whoever has more than that gives the rest away. */
function fewestMoves(input: AssignmentInput): number {
  const before = loadsOf(input.current.slice(0, input.count));
  const shares = input.members.map((member) => ({ has: before.get(member.name) ?? 0, share: shareOf(input.count, input.members, member) }));
  const floors = shares.map(({ share }) => Math.floor(share + 1e-9));
  const leftOver = input.count - floors.reduce((sum, floor) => sum + floor, 0);
  const keptBelow = shares.reduce((sum, { has }, i) => sum + Math.min(has, floors[i] ?? 0), 0);
  const couldKeepOneMore = shares.filter(({ has, share }, i) => has > (floors[i] ?? 0) && share - (floors[i] ?? 0) > 1e-9).length;
  return input.count - keptBelow - Math.min(leftOver, couldKeepOneMore);
}

const anyWeight = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(0.1, 0.2, 0.3, 0.5, 1.5));
const anyMembers = fc
  .array(fc.record({ weight: anyWeight, drained: fc.boolean() }), { minLength: 1, maxLength: 3 })
  .map((made) => made.map(({ weight, drained }, i): AssignmentMember => ({ name: names[i] ?? '', weight, drained: drained && i > 0 })));
const anyInput = fc.record({
  count: fc.integer({ min: 0, max: 6 }),
  members: anyMembers,
  current: fc.array(fc.constantFrom<string | undefined>(undefined, ...names), { maxLength: 8 }),
});
const anyConstrainedInput: fc.Arbitrary<AssignmentInput> = fc.record({
  count: fc.integer({ min: 0, max: 6 }),
  members: anyMembers,
  current: fc.array(fc.constantFrom<string | undefined>(undefined, ...names), { maxLength: 8 }),
  pins: fc.dictionary(fc.constantFrom('0', '1', '2', '3', '4'), fc.constantFrom(...names)).map(byPartition),
  refused: fc
    .dictionary(
      fc.constantFrom('0', '1', '2', '3', '4', '5'),
      fc.subarray([...names]).map((some) => new Set<string>(some)),
    )
    .map(byPartition),
});

function byPartition<T>(record: Readonly<Record<string, T>>): ReadonlyMap<number, T> {
  return new Map(Object.entries(record).map(([partition, value]) => [Number(partition), value]));
}

/** Unevenness, then moves, then the largest load over its share, of the best of all assignments that the rules allow. */
function bestOfAll(input: AssignmentInput): Cost {
  const takers = input.members.filter(({ drained }) => drained !== true);
  const choices = Array.from({ length: input.count }, (_, partition) => choicesOf(input, takers, partition));
  let best: Cost = [Infinity, Infinity, Infinity];
  const owners: (string | undefined)[] = [];
  const visit = (): void => {
    if (owners.length === input.count) {
      const cost = costOf(input, owners);
      const first = cost.findIndex((one, i) => Math.abs(one - (best[i] ?? 0)) > tolerance);
      if (first >= 0 && (cost[first] ?? 0) < (best[first] ?? 0)) best = cost;
      return;
    }
    for (const owner of choices[owners.length] ?? []) {
      owners.push(owner);
      visit();
      owners.pop();
    }
  };
  visit();
  return best;
}

type Cost = readonly [unevenness: number, moves: number, overload: number];

const tolerance = 1e-3;

function choicesOf(input: AssignmentInput, takers: readonly AssignmentMember[], partition: number): readonly (string | undefined)[] {
  const allowed = takers.map(({ name }) => name).filter((name) => input.refused?.get(partition)?.has(name) !== true);
  const pinned = input.pins?.get(partition);
  if (pinned !== undefined && allowed.includes(pinned)) return [pinned];
  return allowed.length > 0 ? allowed : [undefined];
}

/** Unevenness counts each partition above the rounded share, and each missing below it, by its distance in parts of the share. */
function costOf(input: AssignmentInput, owners: readonly (string | undefined)[]): Cost {
  const takers = input.members.filter(({ drained }) => drained !== true);
  const loads = loadsOf(owners);
  const placed = owners.filter((owner) => owner !== undefined).length;
  let unevenness = 0;
  let overload = 0;
  for (const member of takers) {
    const exact = shareOf(placed, takers, member);
    const share = Math.abs(exact - Math.round(exact)) < 1e-9 ? Math.round(exact) : exact;
    const load = loads.get(member.name) ?? 0;
    if (share > 0) overload = Math.max(overload, load / share);
    for (let more = 1; more <= load - Math.ceil(share); more++) unevenness += more / share;
    for (let less = 1; less <= Math.floor(share) - load; less++) unevenness += less / share;
  }
  const moves = owners.filter((owner, partition) => owner !== undefined && owner !== input.current[partition]).length;
  return [unevenness, moves, overload];
}

describe('assignment', () => {
  it('moves as little as an even split needs, of all assignments there are (up to 3 members, 6 partitions)', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const owners = assign(input);
        const [unevenness, moves, overload] = costOf(input, owners);
        const [leastUnevenness, fewestMoved, leastOverload] = bestOfAll(input);
        expect([unevenness, leastUnevenness]).toEqual([0, 0]);
        expect(moves).toBe(fewestMoved);
        expect(overload).toBeCloseTo(leastOverload, 6);
      }),
      { numRuns: 300 },
    );
  });

  it('respects pins and refusals, and strays from the even split no further than they demand (up to 3 members, 6 partitions)', () => {
    fc.assert(
      fc.property(anyConstrainedInput, (input) => {
        const owners = assign(input);
        const takers = input.members.filter(({ drained }) => drained !== true);
        for (const [partition, owner] of owners.entries()) expect(choicesOf(input, takers, partition)).toContain(owner);
        const [unevenness, moves] = costOf(input, owners);
        const [leastUnevenness, fewestMoved] = bestOfAll(input);
        expect(unevenness).toBeCloseTo(leastUnevenness, 2);
        expect(moves).toBe(fewestMoved);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives one result whatever the order of the members', () => {
    const shuffled = anyConstrainedInput.chain((input) =>
      fc.record({ input: fc.constant(input), members: fc.shuffledSubarray([...input.members], { minLength: input.members.length }) }),
    );
    fc.assert(fc.property(shuffled, ({ input, members }) => expect(assign({ ...input, members })).toEqual(assign(input))));
  });

  it('keeps every member at its weighted share, rounded down or up, and moves the fewest (up to 50 members, 1,024 partitions)', () => {
    const large = fc.record({
      count: fc.integer({ min: 1, max: 1_024 }),
      before: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 50 }),
      after: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(large, ({ count, before, after }) => {
        const current = assign({ count, members: membersOf(before), current: [] });
        const members = membersOf(after);
        const owners = assign({ count, members, current });
        const loads = loadsOf(owners);
        for (const member of members) {
          const share = shareOf(count, members, member);
          expect(loads.get(member.name) ?? 0).toBeGreaterThanOrEqual(Math.floor(share + 1e-9));
          expect(loads.get(member.name) ?? 0).toBeLessThanOrEqual(Math.ceil(share - 1e-9));
        }
        expect(planOf(current, owners)).toHaveLength(fewestMoves({ count, members, current }));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [12, 10, 11, 1],
    [100, 10, 11, 9],
    [1_024, 10, 11, 93],
    [12, 11, 10, 1],
    [100, 11, 10, 9],
    [1_024, 11, 10, 93],
    [12, 3, 4, 3],
    [100, 3, 4, 25],
    [1_024, 3, 4, 256],
  ])('moves of %i partitions, when %i members become %i, at most %i', (count, from, to, atMost) => {
    const current = assign({ count, members: membersOf(new Array<number>(from).fill(1)), current: [] });
    const owners = assign({ count, members: membersOf(new Array<number>(to).fill(1)), current });
    expect(planOf(current, owners).length).toBeLessThanOrEqual(atMost);
    expect(Math.max(...loadsOf(owners).values())).toBe(Math.ceil(count / to));
  });

  it('moves no more than twice what a member has, when each of 10 is restarted in turn (100 partitions)', () => {
    const members = membersOf(new Array<number>(10).fill(1));
    let current = assign({ count: 100, members, current: [] });
    for (const restarted of members) {
      const without = assign({ count: 100, members: members.filter((member) => member !== restarted), current });
      const again = assign({ count: 100, members, current: without });
      expect([planOf(current, without).length, planOf(without, again).length]).toEqual([10, 10]);
      current = again;
    }
  });

  it('leaves an assignment alone that is even already', () => {
    const members = membersOf([1, 2, 3, 4]);
    const current = assign({ count: 100, members, current: [] });
    expect(planOf(current, assign({ count: 100, members, current }))).toEqual([]);
  });

  it('takes weights that are not exact in binary for what they mean (all tenths up to 0.9 of 3 members)', () => {
    const tenths = Array.from({ length: 9 }, (_, i) => i + 1);
    for (const [a, b, c] of tenths.flatMap((one) => tenths.flatMap((two) => tenths.map((three) => [one, two, three] as const)))) {
      const members = [a, b, c].map((weight, i): AssignmentMember => ({ name: names[i] ?? '', weight: weight / 10 }));
      const current = ['a', 'b', 'c'].flatMap((name, i) => new Array<string>([a + 1, b - 1, c][i] ?? 0).fill(name));
      const loads = loadsOf(assign({ count: a + b + c, members, current }));
      expect([loads.get('a'), loads.get('b'), loads.get('c')]).toEqual([a, b, c]);
    }
  });

  it('splits what pins leave over among the others by their weights', () => {
    const pins = new Map(Array.from({ length: 70 }, (_, partition) => [partition, 'a']));
    const members = [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 2 },
      { name: 'c', weight: 1 },
    ];
    expect(loadsOf(assign({ count: 100, members, current: [], pins }))).toEqual(
      new Map([
        ['a', 70],
        ['b', 20],
        ['c', 10],
      ]),
    );
  });

  it('shares out evenly what one member refuses, and gives it others instead', () => {
    const members = ['a', 'b', 'c', 'd'].map((name) => ({ name, weight: 1 }));
    const current = assign({ count: 64, members, current: [] });
    const refused = new Map(current.flatMap((owner, partition) => (owner === 'a' ? [[partition, new Set(['a'])] as const] : [])));
    const owners = assign({ count: 64, members, current, refused });
    for (const partition of refused.keys()) expect(owners[partition]).not.toBe('a');
    expect([...loadsOf(owners).values()]).toEqual([16, 16, 16, 16]);
    expect(planOf(current, owners)).toHaveLength(32);
  });

  it('gives nothing to who refuses it, and stays near the even split, where very many partitions are refused (200 members, 4,096 partitions)', () => {
    const members = Array.from({ length: 200 }, (_, index) => ({ name: `n${index}`, weight: 1 }));
    const current = assign({ count: 4_096, members, current: [] });
    const refused = new Map(current.map((owner, partition) => [partition, new Set([owner ?? ''])] as const));
    const owners = assign({ count: 4_096, members, current, refused });
    const loads = members.map(({ name }) => owners.filter((owner) => owner === name).length);
    expect(owners.every((owner, partition) => owner !== undefined && refused.get(partition)?.has(owner) === false)).toBe(true);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(2);
  });

  it('leaves a partition without owner that all refuse, and all of them where nobody takes part', () => {
    const members = [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 1 },
    ];
    const refused = new Map([[1, new Set(['a', 'b'])]]);
    const owners = assign({ count: 3, members, current: ['a', 'a', 'b'], refused });
    expect(owners).toEqual(['a', undefined, 'b']);
    expect(assign({ count: 2, members: [], current: ['a', 'a'] })).toEqual([undefined, undefined]);
    expect(assign({ count: 2, members: [{ name: 'a', weight: 1, drained: true }], current: ['a', 'a'] })).toEqual([undefined, undefined]);
  });

  it('leaves the odd partitions of different sets with different members', () => {
    const members = membersOf([1, 1, 1, 1, 1]);
    const favoured = new Set(Array.from({ length: 20 }, (_, i) => assign({ count: 1, members, current: [], set: `set-${i}` })[0]));
    expect(favoured.size).toBeGreaterThan(2);
  });

  it('says in a plan what changes hands, lost and new partitions included', () => {
    expect(planOf(['a', 'b', 'c'], ['a', 'c', undefined, 'b'])).toEqual([
      { partition: 1, from: 'b', to: 'c' },
      { partition: 2, from: 'c', to: undefined },
      { partition: 3, from: undefined, to: 'b' },
    ]);
  });

  it.each([0, -1, NaN, Infinity])('refuses a weight of %d', (weight) => {
    expect(codeOf(() => assign({ count: 1, members: [{ name: 'a', weight }], current: [] }))).toBe('INVALID_OPTIONS');
  });

  it('refuses a name that is empty or given twice, and a count that is none', () => {
    const member = { name: 'a', weight: 1 };
    expect(codeOf(() => assign({ count: 1, members: [{ name: '', weight: 1 }], current: [] }))).toBe('INVALID_NAME');
    expect(codeOf(() => assign({ count: 1, members: [member, member], current: [] }))).toBe('INVALID_NAME');
    expect(codeOf(() => assign({ count: 1.5, members: [member], current: [] }))).toBe('INVALID_OPTIONS');
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
