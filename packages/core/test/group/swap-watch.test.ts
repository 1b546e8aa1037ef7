/** Which seat a leader may give away, and to whom. The safety rules 14 and 16. */
import { SwapWatch } from '../../src/group/swap-watch.ts';
import type { Circumspection } from '../../src/group/swap-watch.ts';
import type { GroupBatch } from '../../src/group/member-message.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import { ballotOf, configurationOf } from '../paxos/desk.ts';

const configuration = configurationOf('a', 'b', 'c');
const silenceMs = 500;

/** `a` leads since 0, beats at 1,000, and the others named have answered. */
function leaderOf(...answering: readonly string[]): { watch: SwapWatch; present: Circumspection; id: number } {
  const ballot = ballotOf('a', 1);
  const term = new LeaderTerm<GroupBatch>(ballot, 1, 0, configuration, silenceMs);
  const id = term.lease.heartbeatSent(1_000, 'a');
  for (const node of answering) term.lease.heartbeatSeen(id, node);
  const watch = new SwapWatch();
  const present = { configuration, term, chosenIndex: 10_000, isReplaced: () => false, silenceMs, nowMs: 1_100 };
  watch.onStandbySeen({ node: 'c', incarnation: 'c#2', run: 1 }, { type: 'standbySeen', ballot, id, appliedIndex: 9_990 });
  return { watch, present, id };
}

it('gives the seat of a silent incarnation to the one after it, and keeps the names (3 voters)', () => {
  const { watch, present } = leaderOf('b');
  const change = watch.due(present);
  expect(change?.voters.map(({ incarnation }) => incarnation)).toEqual(['a#1', 'b#1', 'c#2']);
  expect(change?.gone).toEqual([{ node: 'c', incarnation: 'c#1' }]);
});

it.each<[string, Partial<Circumspection>]>([
  ['in a term younger than the silence', { nowMs: 400 }],
  ['to an incarnation that was replaced', { isReplaced: () => true }],
  ['to one that lacks many slots', { chosenIndex: 100_000 }],
])('gives no seat %s (3 voters)', (_why, changed) => {
  const { watch, present } = leaderOf('b');
  expect(watch.due({ ...present, ...changed })).toBeNull();
});

it('gives no seat of one that answers, nor without a majority of the present voters (3 voters)', () => {
  const living = leaderOf('b', 'c');
  expect(living.watch.due(living.present)).toBeNull();
  const alone = leaderOf();
  expect(alone.watch.due(alone.present)).toBeNull();
});

it('gives no seat to one whose last echo is of an old heartbeat (3 voters)', () => {
  const { watch, present } = leaderOf('b');
  for (let beat = 0; beat < 4; beat += 1) present.term.lease.heartbeatSent(1_000, 'a');
  expect(watch.due(present)).toBeNull();
});
