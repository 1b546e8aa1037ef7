/** When a stop-sign takes effect on the state of a group, and when it changes nothing. The safety rules 1, 5 and 16. */
import { GroupState } from '../../src/group/group-state.ts';
import type { GroupEntry } from '../../src/group/member-message.ts';
import { entryKind } from '../../src/session/command.ts';
import type { SeatTuple } from '../../src/session/command.ts';

const { begin, stopSign } = entryKind;
const seats = (...incarnations: readonly string[]): SeatTuple[] => incarnations.map((incarnation) => [incarnation.charAt(0), incarnation]);

function stateAfter(...batches: readonly (readonly GroupEntry[])[]): GroupState {
  const state = new GroupState({ maxSessionTtlMs: 1_000 });
  for (const entries of batches) state.apply(state.appliedIndex + 1, [0, entries]);
  return state;
}

const first: GroupEntry = [stopSign, 'b1', 2, seats('a1', 'b1', 'c2'), seats('c1'), []];

test('takes effect under the stamp of the last begin, and nothing of that leader does any more', () => {
  const state = stateAfter([[begin, 'b1']], [first]);
  expect(state.configuration).toMatchObject({ id: 2, sealedAt: 2 });
  expect(state.configuration.voters.map(({ incarnation }) => incarnation)).toEqual(['a1', 'b1', 'c2']);
  expect([state.membership.isReplaced('c1'), state.membership.isReplaced('c2'), state.stamp]).toEqual([true, false, '']);
});

test.each<[string, readonly (readonly GroupEntry[])[]]>([
  ['under another stamp', [[[begin, 'b1']], [[begin, 'b2']], [first]]],
  ['with another number than the next', [[[begin, 'b1']], [[stopSign, 'b1', 3, seats('a1', 'b1', 'c2'), seats('c1'), []]]]],
  ['beside other entries', [[[begin, 'b1']], [first, [begin, 'b2']]]],
  ['with voters out of order', [[[begin, 'b1']], [[stopSign, 'b1', 2, seats('b1', 'a1'), [], []]]]],
  ['without voters', [[[begin, 'b1']], [[stopSign, 'b1', 2, [], [], []]]]],
])('is void %s', (_why, batches) => {
  expect(stateAfter(...batches).configuration).toMatchObject({ id: 1, sealedAt: 0 });
});

test('never gives a seat to an incarnation that lost one', () => {
  const back: GroupEntry = [stopSign, 'b2', 3, seats('a1', 'b1', 'c1'), seats('c2'), []];
  const state = stateAfter([[begin, 'b1']], [first], [[begin, 'b2']], [back]);
  expect(state.configuration.id).toBe(2);
});

test('gives no majority to names that the group was not founded with, whatever later leaders say (safety 14)', () => {
  const one: GroupEntry = [stopSign, 'b1', 2, seats('a1', 'b1', 'd1'), seats('c1'), ['a', 'b', 'c']];
  const two = (named: readonly string[]): GroupEntry => [stopSign, 'b2', 3, seats('b1', 'd1', 'e1'), seats('a1'), named];
  for (const named of [['a', 'b', 'c'], ['b', 'd', 'e'], []]) {
    const state = stateAfter([[begin, 'b1']], [one], [[begin, 'b2']], [two(named)]);
    expect([state.configuration.id, state.membership.named]).toEqual([2, ['a', 'b', 'c']]);
  }
  expect(stateAfter([[begin, 'b2']], [[stopSign, 'b2', 2, seats('b1', 'd1', 'e1'), seats('a1'), ['a', 'b', 'c']]]).configuration.id).toBe(
    1,
  );
});

test('is remembered in a snapshot', () => {
  const state = stateAfter([[begin, 'b1']], [first]);
  const other = new GroupState({ maxSessionTtlMs: 1_000 });
  other.restore(state.snapshot());
  expect(other.hash()).toBe(state.hash());
  expect([other.configuration, other.membership.isReplaced('c1')]).toEqual([state.configuration, true]);
});
