/** A plan beside what the table then does, for sets and changes of every kind. */
import fc from 'fast-check';
import type { Ownership, PartitionsChange } from '../../src/api/partitions-contract.ts';
import { planOf } from '../../src/api/partition-plan.ts';
import { memberOf, ownerOf } from '../../src/api/partition-watch.ts';
import { stepsOf } from '../../src/api/planned-change.ts';
import { partitionOp, placing } from '../../src/partition/command.ts';
import { wholeState } from '../../src/partition/partition-state.ts';
import { PartitionDesk, set } from '../partition/desk.ts';

const nodes = ['a', 'b', 'c', 'd', 'e', 'f'];
const count = 12;

/** What operators and owners did before the plan, each to a node and a partition. */
type Event = readonly [
  what: 'pin' | 'exclude' | 'drain' | 'include' | 'refuse' | 'absent' | 'leave' | 'return' | 'settle',
  node: string,
  partition: number,
];

const node = fc.constantFrom(...nodes);
const partition = fc.nat({ max: count - 1 });
const weight = fc.constantFrom(0.5, 1, 2, 3);
const kinds = ['pin', 'exclude', 'drain', 'include', 'refuse', 'absent', 'leave', 'return', 'settle'] as const;
const history: fc.Arbitrary<readonly Event[]> = fc.array(fc.tuple(fc.constantFrom(...kinds), node, partition), { maxLength: 10 });
const members = fc.uniqueArray(fc.record({ node, weight }), { minLength: 1, selector: (one) => one.node });
const change = fc.record({
  part: fc.uniqueArray(fc.record({ node, weight }), { maxLength: 3, selector: (one) => one.node }),
  stays: fc.boolean(),
  places: fc.uniqueArray(fc.record({ node, how: fc.constantFrom('drain' as const, 'exclude' as const, 'include' as const) }), {
    maxLength: 3,
    selector: (one) => one.node,
  }),
  pin: fc.uniqueArray(fc.record({ partition: fc.nat({ max: 5 }), node }), { maxLength: 2, selector: (one) => one.partition }),
  unpin: fc.uniqueArray(fc.integer({ min: 6, max: count - 1 }), { maxLength: 2 }),
  count: fc.option(fc.integer({ min: 6, max: 16 }), { nil: undefined }),
});

type Wanted = typeof change extends fc.Arbitrary<infer T> ? T : never;

function deskOf(those: readonly { readonly node: string; readonly weight: number }[], events: readonly Event[]): PartitionDesk {
  const desk = new PartitionDesk();
  for (const one of those) desk.join(one.node, { weight: one.weight, count });
  desk.rebalance();
  for (const event of events) if (isKept(desk)) happen(desk, event);
  return desk;
}

/** A set is forgotten once all have left it: nobody can plan for it then. */
function isKept(desk: PartitionDesk): boolean {
  return desk.table.set(set) !== undefined;
}

function happen(desk: PartitionDesk, [what, node, index]: Event): void {
  const place = (how: number) => desk.do('', (seq) => [partitionOp.place, seq, set, node, how]);
  switch (what) {
    case 'pin':
      return void desk.do('', (seq) => [partitionOp.pin, seq, set, index, node]);
    case 'exclude':
      return void place(placing.excluded);
    case 'drain':
      return void place(placing.drained);
    case 'include':
      return void place(placing.usual);
    case 'refuse': {
      const { node: owner, token } = desk.at(index);
      return void desk.do(owner, (seq) => [partitionOp.refuse, seq, set, index, token]);
    }
    case 'absent':
      return desk.sessions.has(node) ? desk.end(node) : undefined;
    case 'leave':
      return desk.sessions.has(node) ? void desk.do(node, (seq) => [partitionOp.leave, seq, set]) : undefined;
    case 'return':
      return desk.set.members.has(node) ? void desk.join(node, { count }) : undefined;
    case 'settle':
      desk.rebalance();
      return isKept(desk) ? desk.drainAll() : undefined;
  }
}

function ownershipOf(desk: PartitionDesk): Ownership {
  const { count, members, rows } = wholeState(desk.set, { resource: `p/${set}`, session: 0, slot: 1 });
  return {
    count,
    partitions: rows.slice(0, count).map(ownerOf),
    members: (members?.rows ?? []).map(memberOf),
    pins: new Map(members?.pins),
  };
}

/** Only what the set could be asked: who takes part can leave or change its weight, and others can join. */
function askable(desk: PartitionDesk, { part, stays, places, pin, unpin, count }: Wanted): PartitionsChange {
  const member = (one: string) => desk.set.members.get(one);
  const taking = part.filter((one) => member(one.node) !== undefined);
  const placed = (how: string) => places.filter((one) => one.how === how).map((one) => one.node);
  return {
    join: part.filter((one) => member(one.node) === undefined),
    ...(stays ? { weigh: taking } : { leave: taking.map((one) => one.node) }),
    drain: placed('drain').filter((one) => (member(one)?.session ?? 0) !== 0 && (stays || taking.every(({ node }) => node !== one))),
    exclude: placed('exclude'),
    include: placed('include'),
    pin,
    unpin: unpin.filter((one) => one < (count ?? desk.set.count)),
    ...(count === undefined ? {} : { count }),
  };
}

function make(
  desk: PartitionDesk,
  { join = [], leave = [], weigh = [], drain = [], exclude = [], include = [], pin = [], unpin = [], count }: PartitionsChange,
): void {
  const place = (one: string, how: number) => desk.do('', (seq) => [partitionOp.place, seq, set, one, how]);
  const gone = leave.filter((one) => desk.set.members.get(one)?.session === 0);
  if (count !== undefined) desk.do('', (seq) => [partitionOp.resize, seq, set, count]);
  for (const one of leave) if (!gone.includes(one)) desk.do(one, (seq) => [partitionOp.leave, seq, set]);
  for (const one of weigh) if (desk.sessions.has(one.node)) desk.end(one.node);
  for (const one of [...join, ...weigh]) if (typeof one !== 'string') desk.join(one.node, { weight: one.weight ?? 1 });
  for (const one of include) place(one, placing.usual);
  for (const one of exclude) place(one, placing.excluded);
  for (const one of drain) place(one, placing.drained);
  for (const one of unpin) desk.do('', (seq) => [partitionOp.pin, seq, set, one, '']);
  for (const one of pin) desk.do('', (seq) => [partitionOp.pin, seq, set, one.partition, one.node]);
  desk.rebalance(...gone);
}

function planned(desk: PartitionDesk, asked: PartitionsChange): string[] {
  return planOf(set, ownershipOf(desk), stepsOf(set, asked)).map(({ partition, from, to }) => `${partition} ${from} ${to}`);
}

/** What the change moves, from who is to have each partition, or has it still, to who is to have it then. */
function outcome(desk: PartitionDesk, asked: PartitionsChange): string[] {
  const before = ownershipOf(desk).partitions.map(({ home, node }) => home ?? node);
  // It may be forgotten with the change.
  const changed = desk.set;
  make(desk, asked);
  const after = changed.partitions.slice(0, changed.count).map(({ home }) => (home === '' ? undefined : home));
  const all = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
  return all.filter((index) => before[index] !== after[index]).map((index) => `${index} ${before[index]} ${after[index]}`);
}

it('says what the table then does, whatever was pinned, placed and refused before (up to 6 members)', () => {
  fc.assert(
    fc.property(members, history, change, (those, events, wanted) => {
      const desk = deskOf(those, events);
      fc.pre(isKept(desk));
      const asked = askable(desk, wanted);
      const moves = planned(desk, asked);
      expect(moves).toEqual(outcome(desk, asked));
    }),
    { numRuns: 300 },
  );
});

it('gives nothing back to whoever leaves and still drains, included or not (a and b own 2 each)', () => {
  const desk = deskOf(
    ['a', 'b'].map((node) => ({ node, weight: 1 })),
    [['leave', 'b', 0]],
  );
  desk.rebalance();
  expect(ownershipOf(desk).members).toContainEqual({ node: 'b', weight: 0, state: 'leaving' });
  for (const asked of [{ include: ['b'] }, { exclude: ['b'] }, { drain: ['b'] }]) expect(planned(desk, asked)).toEqual([]);
  happen(desk, ['exclude', 'b', 0]);
  expect(planned(desk, { include: ['b'] })).toEqual([]);
  happen(desk, ['settle', '', 0]);
  expect(planned(desk, { join: ['b'] })).toEqual([]);
});

it('gives nothing to whoever was excluded before it came', () => {
  const desk = deskOf([{ node: 'a', weight: 1 }], [['exclude', 'f', 0]]);
  expect(planned(desk, { join: ['f'] })).toEqual([]);
  expect(planned(desk, { join: ['f'], include: ['f'] })).toHaveLength(count / 2);
});

it('gives a partition back to no member that gave it up', () => {
  const desk = deskOf([{ node: 'a', weight: 1 }], [['refuse', '', 4]]);
  expect(planned(desk, {})).toEqual([]);
  expect(planned(desk, { join: ['b'] })).toContain('4 undefined b');
});
