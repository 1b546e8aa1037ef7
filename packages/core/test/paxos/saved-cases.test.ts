/** Traces that once broke a promise of the log core, kept one by one. */
import { PhaseOne } from '../../src/paxos/phase-one.ts';
import type { PromiseMade } from '../../src/paxos/message.ts';
import { acceptOf, ballotOf, Desk, emptyPromise, heartbeatOf, proposer } from './desk.ts';

describe('a saved case', () => {
  it('a delayed abdication of an earlier ballot does not free the lease granted to a later one of the same leader (3 voters, safety 7)', () => {
    const desk = new Desk({ node: 'b' });
    const [earlier, later] = [ballotOf('a', 1), ballotOf('a', 2)];
    desk.hear('a', heartbeatOf(earlier));
    desk.hear('a', heartbeatOf(later));
    desk.hear('a', { type: 'abdicate', ballot: earlier, successor: '' });
    const [answer] = desk.hear('c', { type: 'canvass', ballot: ballotOf('c', 3) });
    expect(answer?.type).toBe('reject');
  });

  it('pages of two answers to one prepare are not put together (3 voters, "Paxos Made Simple" §3)', () => {
    const ballot = ballotOf('a', 5);
    const old = ballotOf('b', 1);
    const votes = (from: number, to: number): PromiseMade<string>['votes'] =>
      Array.from({ length: to - from + 1 }, (_, index) => ({ slot: from + index, ballot: old, value: `v${from + index}` }));
    const page = (part: number, chosenIndex: number, from: number, to: number): PromiseMade<string> => {
      return { type: 'promise', ballot, chosenIndex, floor: 0, part, parts: 2, votes: votes(from, to) };
    };
    const phase = new PhaseOne<string>(ballot, 1);
    // The first answer: slots 1–5 and 6–8. Then the voter learned slots 1 and 2, and answered the repeated prepare with 3–7 and 8.
    phase.onPromise(proposer('b'), page(0, 0, 1, 5));
    phase.onPromise(proposer('b'), page(1, 2, 8, 8));
    expect(phase.isComplete).toBe(false);
    phase.onPromise(proposer('b'), page(0, 2, 3, 7));
    expect(phase.isComplete).toBe(true);
    expect(phase.adopted(2).map(({ value }) => value)).toEqual(['v3', 'v4', 'v5', 'v6', 'v7', 'v8']);
  });

  it('a follower that learned one slot without voting goes on acknowledging cumulatively (5 voters)', () => {
    const desk = new Desk({ node: 'b', voters: ['a', 'b', 'c', 'd', 'e'] });
    const ballot = ballotOf('a', 1);
    desk.hear('a', { type: 'chosen', from: 1, values: ['one'], chosenIndex: 1, floor: 0 });
    for (let slot = 2; slot <= 20; slot += 1) desk.hear('a', acceptOf(ballot, slot, `v${slot}`, 1, slot - 1));
    expect(desk.flush()).toEqual([{ type: 'accepted', ballot, upTo: 20, beyond: [] }]);
  });

  it('a candidate that is behind asks again for what it lacks once a heartbeat, not at every answer that brings nothing (3 voters)', () => {
    const desk = new Desk();
    const ballot = desk.prepare('b');
    const isFetch = ({ type }: { readonly type: string }): boolean => type === 'fetch';
    const nothing = { type: 'chosen', from: 1, values: [], chosenIndex: 3, floor: 3 } as const;
    expect(desk.hear('b', emptyPromise(ballot, 3)).filter(isFetch)).toHaveLength(1);
    for (let copy = 0; copy < 5; copy += 1) expect(desk.hear('b', nothing)).toEqual([]);
    expect(desk.tick(desk.nowMs + 100).filter(isFetch)).toHaveLength(1);
    // What brings something is followed by the next page at once, its copies by nothing.
    const page = { type: 'chosen', from: 1, values: ['one'], chosenIndex: 3, floor: 0 } as const;
    expect([1, 2, 3].map(() => desk.hear('b', page).filter(isFetch).length)).toEqual([1, 0, 0]);
  });
});
