/** A group's state as data: taken, carried, restored and compared. `docs/protocol.md`, "Snapshots". */
import { checkGroupState } from '../../src/group/group-invariants.ts';
import type { GroupSnapshot } from '../../src/group/group-snapshot.ts';
import { GroupState } from '../../src/group/group-state.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { entryKind } from '../../src/session/command.ts';
import { acquire, cancel, GroupDesk, tokenBase } from './group-desk.ts';

const { granted } = resultCode;
const { begin, expire } = entryKind;

/** Node `a` holds `l/x` with a note and `e/y`; `b` waits for both, the floor past the first. */
function busyDesk(): GroupDesk {
  const busy = new GroupDesk();
  const a = busy.open('a');
  const b = busy.open('b');
  busy.use(a, 0, acquire(1), acquire(2, 'e/y'), [lockOp.note, 3, 'l/x', tokenBase + 1, 'noted'], cancel(5, 4));
  busy.use(b, 0, acquire(1), acquire(3, 'e/y'));
  busy.use(b, 1);
  return busy;
}

let desk: GroupDesk;
beforeEach(() => {
  desk = busyDesk();
});

test('a restored state has the same hash and answers alike', () => {
  const twin = new GroupDesk({}, false);
  twin.state.restore(desk.state.snapshot());
  expect(twin.state.hash()).toBe(desk.state.hash());
  expect(twin.state.lockState('l/none')).toEqual(desk.state.lockState('l/none'));
  expect(checkGroupState(twin.state)).toEqual([]);
  const b = desk.state.sessionOfNode('b') ?? 0;
  for (const one of [desk, twin]) {
    expect(one.slot([expire, one.state.sessionOfNode('a') ?? 0, 'b1']).replies).toEqual([
      {
        session: b,
        node: 'b',
        results: [
          [1, granted, tokenBase + 3, 'noted'],
          [3, granted, tokenBase + 4, null],
        ],
      },
    ]);
    expect(one.state.lookup(b, 1)).toEqual([1, granted, tokenBase + 3, 'noted']);
    expect(one.state.lockState('l/none').version).toBe(one.state.appliedIndex);
  }
  expect(twin.state.hash()).toBe(desk.state.hash());
});

test('a snapshot is plain data that survives JSON, and does not change with the state', () => {
  const snapshot = desk.state.snapshot();
  const text = JSON.stringify(snapshot);
  desk.slot([expire, desk.state.sessionOfNode('a') ?? 0, 'b1']);
  expect(JSON.stringify(snapshot)).toBe(text);
  const twin = new GroupState({ maxSessionTtlMs: 30_000 });
  twin.restore(JSON.parse(text) as GroupSnapshot);
  expect(JSON.stringify(twin.snapshot())).toBe(text);
});

test('a restore leaves nothing of the state before it', () => {
  const empty = new GroupDesk().state.snapshot();
  desk.state.restore(empty);
  expect(desk.state.snapshot()).toEqual(empty);
  expect(desk.state.sessionOfNode('a')).toBeUndefined();
  expect(desk.state.counts).toEqual({ sessions: 0, locks: 0, waiting: 0, notes: 0, partitionSets: 0 });
});

test('a snapshot of an unknown format is refused and changes nothing', () => {
  const before = desk.state.hash();
  const later: unknown = { ...desk.state.snapshot(), format: 4, token: 0 };
  expect(() => desk.state.restore(later as GroupSnapshot)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  expect(desk.state.hash()).toBe(before);
});

test.each<[string, (desk: GroupDesk) => void]>([
  ['a begun term', (one) => one.slot([begin, 'b2'])],
  ['a floor', (one) => one.use(one.state.sessionOfNode('b') ?? 0, 2)],
  ['a remembered answer', (one) => one.use(one.state.sessionOfNode('b') ?? 0, 0, cancel(9, 8))],
  ['a note', (one) => one.use(one.state.sessionOfNode('a') ?? 0, 0, [lockOp.note, 9, 'l/x', tokenBase + 1, 'other'])],
  ['a slot', (one) => void [one.slot(), one.slot()]],
])('states that differ by %s differ by their hash', (_what, change) => {
  const twin = busyDesk();
  expect(twin.state.hash()).toBe(desk.state.hash());
  desk.slot();
  change(twin);
  expect(twin.state.hash()).not.toBe(desk.state.hash());
});

test('states that differ in their locks alone differ by their hash', () => {
  const snapshot = desk.state.snapshot();
  const twin = new GroupDesk();
  twin.state.restore({
    ...snapshot,
    locks: snapshot.locks.map(([resource, version, , ...claims]) => [resource, version, 'other', ...claims]),
  });
  expect(twin.state.hash()).not.toBe(desk.state.hash());
});
