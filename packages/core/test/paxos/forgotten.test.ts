/** What a replica does without the slots that it never had, or has no longer. "Paxos Made Simple" §3; the safety rule 2. */
import { acceptOf, ballotOf, Desk, emptyPromise, heartbeatOf } from './desk.ts';

describe('a replica that took up a snapshot', () => {
  it('begins above it, and answers what lies under it with where it begins (3 voters, safety 2)', () => {
    const desk = new Desk({ node: 'b' });
    desk.install(50);
    expect(desk.replica.log).toMatchObject({ floor: 50, chosenIndex: 50 });
    expect(desk.hear('a', acceptOf(ballotOf('a', 1), 30, 'other'))).toMatchObject([
      { type: 'chosen', values: [], chosenIndex: 50, floor: 50 },
    ]);
    expect(desk.last.persist).toEqual([]);
    expect(desk.hear('a', { type: 'prepare', ballot: ballotOf('a', 2), chosenIndex: 0 })).toMatchObject([
      { type: 'promise', chosenIndex: 50, floor: 50, votes: [] },
    ]);
    expect(desk.hear('a', { type: 'fetch', from: 1, to: 50 })).toMatchObject([{ type: 'chosen', values: [], floor: 50 }]);
  });

  it('keeps its votes above it, and applies what it knew to be chosen there (3 voters, safety 2)', () => {
    const desk = new Desk({ node: 'b' });
    for (const slot of [2, 3, 5]) desk.hear('a', acceptOf(ballotOf('a', 1), slot, `v${slot}`));
    expect(desk.applied).toEqual([]);
    desk.install(2);
    expect(desk.applied).toEqual([{ slot: 3, value: 'v3' }]);
    expect(desk.replica.log.vote(2)).toBeUndefined();
    expect(desk.replica.log.vote(5)).toMatchObject({ value: 'v5' });
    desk.hear('a', acceptOf(ballotOf('a', 1), 4, 'v4'));
    expect(desk.applied.map(({ slot }) => slot)).toEqual([3, 4, 5]);
  });

  it('is not taken back by one that is older than what it knows (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('a', acceptOf(ballotOf('a', 1), 1, 'one'));
    desk.hear('a', acceptOf(ballotOf('a', 1), 2, 'two'));
    desk.install(1);
    expect(desk.replica.log).toMatchObject({ floor: 0, chosenIndex: 2 });
    expect(desk.applied.map(({ slot }) => slot)).toEqual([1, 2]);
  });

  it('as a candidate leads only once it has one, and proposes nothing at or under it (3 voters, safety 2)', () => {
    const desk = new Desk();
    const ballot = desk.prepare('b');
    const said = desk.hear('b', { ...emptyPromise(ballot, 50), floor: 50 } as Parameters<Desk['hear']>[1]);
    expect(said).toMatchObject([{ type: 'fetch', from: 1, to: 50 }]);
    expect(desk.hear('b', { type: 'chosen', from: 1, values: [], chosenIndex: 50, floor: 50 }).map(({ type }) => type)).not.toContain(
      'accept',
    );
    expect(desk.replica.leading).toBeNull();
    const proposed = desk.install(50).filter(({ type }) => type === 'accept');
    expect(proposed).toMatchObject([{ slot: 51, value: 'begin', firstSlot: 51, chosenIndex: 50 }]);
  });
});

describe('a leader with a voter that is gone', () => {
  const full = (desk: Desk, upTo: number): void => {
    for (let slot = desk.replica.log.chosenIndex + 1; slot <= upTo; slot += 1) {
      const [accept] = desk.propose('four');
      if (accept?.type === 'accept') desk.hear('b', { type: 'accepted', ballot: accept.ballot, upTo: accept.slot, beyond: [] });
    }
    desk.tick(desk.nowMs + 100);
  };

  it('keeps no more slots than it may (3 voters)', () => {
    const desk = new Desk({ slotsMax: 10 });
    const ballot = desk.lead('b');
    desk.hear('b', { type: 'accepted', ballot, upTo: 1, beyond: [] });
    full(desk, 9);
    expect(desk.replica.log.floor).toBe(0);
    full(desk, 30);
    expect(desk.replica.log.floor).toBe(20);
    expect(desk.last.send.map(({ message }) => message)).toMatchObject([{ type: 'heartbeat', compactTo: 20 }]);
  });

  it('keeps no more bytes than it may, whatever was forgotten before (3 voters)', () => {
    const desk = new Desk({ bytesMax: 42 });
    const ballot = desk.lead('b');
    desk.hear('b', { type: 'accepted', ballot, upTo: 1, beyond: [] });
    for (const upTo of [5, 12, 40, 41]) {
      full(desk, upTo);
      // Four bytes each, and five for the begin.
      expect(desk.replica.log.floor).toBe(Math.max(0, upTo - 10));
    }
  });

  it('forgets nothing above a snapshot that somebody is fetching (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    const ballot = ballotOf('a', 1);
    for (let slot = 1; slot <= 20; slot += 1) desk.hear('a', acceptOf(ballot, slot, 'v'));
    desk.replica.log.keepAbove = 7;
    desk.hear('a', heartbeatOf(ballot, 1, 20, 15));
    expect(desk.replica.log.floor).toBe(7);
    desk.replica.log.keepAbove = Infinity;
    desk.hear('a', heartbeatOf(ballot, 2, 20, 15));
    expect(desk.replica.log.floor).toBe(15);
  });
});
