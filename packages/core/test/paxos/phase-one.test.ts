/** What a candidate learns before it proposes. "Paxos Made Simple" §3; the safety rules 2 and 3. */
import type { Vote } from '../../src/paxos/message.ts';
import { pagesOf, PhaseOne } from '../../src/paxos/phase-one.ts';
import { ballotOf, Desk, emptyPromise, proposer } from './desk.ts';

const ballot = ballotOf('a', 9);

function phaseOf(votes: Readonly<Record<string, readonly Vote<string>[]>>, chosenIndex = 0): PhaseOne<string> {
  const phase = new PhaseOne<string>(ballot, Object.keys(votes).length);
  for (const [node, of] of Object.entries(votes)) {
    phase.onPromise(proposer(node), { type: 'promise', ballot, chosenIndex, floor: 0, part: 0, parts: 1, votes: of });
  }
  return phase;
}

describe('phase 1', () => {
  it('adopts, slot by slot, the vote of the highest ballot, and fills what nobody voted in with a no-op (5 voters)', () => {
    const phase = phaseOf({
      a: [{ slot: 1, ballot: ballotOf('b', 1), value: 'one of b' }],
      b: [
        { slot: 1, ballot: ballotOf('c', 2), value: 'one of c' },
        { slot: 4, ballot: ballotOf('c', 2), value: 'four' },
      ],
      c: [
        { slot: 1, ballot: ballotOf('a', 2), value: 'one of a' },
        { slot: 2, ballot: ballotOf('b', 1), value: 'two' },
      ],
    });
    expect(phase.adopted(0).map(({ value }) => value)).toEqual(['one of c', 'two', null, 'four']);
    expect(phase.adopted(2).map(({ slot }) => slot)).toEqual([3, 4]);
  });

  it('counts a voter once, and no promise of another ballot', () => {
    const phase = new PhaseOne<string>(ballot, 2);
    for (const promised of [ballot, ballot, ballotOf('a', 8)]) {
      phase.onPromise(proposer('b'), { type: 'promise', ballot: promised, chosenIndex: 0, floor: 0, part: 0, parts: 1, votes: [] });
    }
    phase.onPromise(proposer('c'), {
      type: 'promise',
      ballot: ballotOf('a', 8),
      chosenIndex: 0,
      floor: 0,
      part: 0,
      parts: 1,
      votes: [],
    });
    expect(phase.isComplete).toBe(false);
  });

  it('cuts a promise into pages that fit, and counts it when all have come, in any order', () => {
    const votes = ['aaaa', 'bbbb', 'cccc'].map((value, index) => ({ slot: index + 1, ballot: ballotOf('b', 1), value }));
    const pages = pagesOf(votes, { messageBytesMax: 8, sizeOf: (value) => value.length });
    expect(pages.map((page) => page.length)).toEqual([2, 1]);
    const phase = new PhaseOne<string>(ballot, 1);
    [...pages.entries()].reverse().forEach(([part, page], index) => {
      expect(phase.isComplete).toBe(false);
      expect(index).toBeLessThan(2);
      phase.onPromise(proposer('b'), { type: 'promise', ballot, chosenIndex: 0, floor: 0, part, parts: 2, votes: page });
    });
    expect(phase.adopted(0).map(({ value }) => value)).toEqual(['aaaa', 'bbbb', 'cccc']);
    expect(pagesOf([], { messageBytesMax: 8, sizeOf: () => 1 })).toEqual([[]]);
  });

  it('lets a candidate behind a promiser fetch first, and propose nothing at or under what that one knows (3 voters, safety 2)', () => {
    const desk = new Desk();
    const mine = desk.prepare('b');
    const [fetch] = desk.hear('b', emptyPromise(mine, 2));
    expect(fetch).toEqual({ type: 'fetch', from: 1, to: 2 });
    expect(desk.replica.leading).toBeNull();
    const sent = desk.hear('b', { type: 'chosen', from: 1, values: ['one', 'two'], chosenIndex: 2, floor: 0 });
    expect(desk.replica.leading?.firstSlot).toBe(3);
    expect(sent.filter(({ type }) => type === 'accept')).toMatchObject([{ slot: 3, value: 'begin' }]);
    expect(desk.applied.map(({ value }) => value)).toEqual(['one', 'two']);
  });

  it('proposes what it adopted before its own begin, in this ballot (3 voters)', () => {
    const desk = new Desk();
    const mine = desk.prepare('b');
    const votes = [{ slot: 2, ballot: ballotOf('c', 0), value: 'two' }];
    const sent = desk.hear('b', { type: 'promise', ballot: mine, chosenIndex: 0, floor: 0, part: 0, parts: 1, votes });
    const accepts = sent.filter(({ type }) => type === 'accept');
    expect(accepts).toMatchObject([
      { slot: 1, value: null, ballot: mine },
      { slot: 2, value: 'two', ballot: mine },
      { slot: 3, value: 'begin', ballot: mine },
    ]);
    expect(desk.last.events.find(({ type }) => type === 'leading')).toMatchObject({ beginSlot: 3, adopted: 2, filled: 1 });
  });

  it('reports a slot that was learned behind a gap, under the ballot of the candidate (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('a', { type: 'chosen', from: 3, values: ['three'], chosenIndex: 3, floor: 0 });
    const [promise] = desk.hear('c', { type: 'prepare', ballot: ballotOf('c', 7), chosenIndex: 0 });
    expect(promise).toMatchObject({ type: 'promise', chosenIndex: 0, votes: [{ slot: 3, ballot: ballotOf('c', 7), value: 'three' }] });
  });

  it('pages its promise where the votes are too many for one frame (3 voters)', () => {
    const desk = new Desk({ node: 'b', voters: ['a', 'b', 'c', 'd', 'e'], messageBytesMax: 10 });
    for (const slot of [1, 2, 3]) {
      const accept = { type: 'accept', ballot: ballotOf('a', 1), slot, value: 'sixsix', firstSlot: 1, chosenIndex: 0 } as const;
      desk.hear('a', accept);
    }
    const promises = desk.hear('c', { type: 'prepare', ballot: ballotOf('c', 7), chosenIndex: 0 });
    expect(promises).toMatchObject([0, 1, 2].map((part) => ({ type: 'promise', part, parts: 3, votes: [{ slot: part + 1 }] })));
  });
});
