/** Promises and votes. "Paxos Made Simple" §2.2. */
import { Acceptor } from '../../src/paxos/acceptor.ts';
import type { ReplicaRecord } from '../../src/paxos/acceptor.ts';
import { Log } from '../../src/paxos/log.ts';
import { ballotOf } from './desk.ts';

describe('an acceptor', () => {
  it('raises its promise at a prepare and at an accept, durably each time (P1a)', () => {
    const acceptor = new Acceptor<string>(new Log());
    const persist: ReplicaRecord<string>[] = [];
    expect(acceptor.promise(ballotOf('a', 1), persist)).toBe(true);
    expect(acceptor.accept(ballotOf('b', 2), 1, 'v', persist)).toBe(true);
    expect(acceptor.promised).toEqual(ballotOf('b', 2));
    expect(acceptor.promise(ballotOf('a', 1), persist)).toBe(false);
    expect(persist.map(({ type }) => type)).toEqual(['promised', 'promised', 'voted']);
  });

  it('accepts nothing under a ballot below its promise', () => {
    const acceptor = new Acceptor<string>(new Log());
    const persist: ReplicaRecord<string>[] = [];
    acceptor.promise(ballotOf('b', 2), persist);
    expect(acceptor.accept(ballotOf('a', 1), 1, 'old', persist)).toBe(false);
    expect(acceptor.log.vote(1)).toBeUndefined();
  });

  it('keeps one vote for a slot, the one of the highest ballot', () => {
    const acceptor = new Acceptor<string>(new Log());
    acceptor.accept(ballotOf('a', 1), 1, 'old', []);
    acceptor.accept(ballotOf('b', 2), 1, 'new', []);
    expect(acceptor.log.vote(1)).toEqual({ ballot: ballotOf('b', 2), value: 'new' });
  });

  it('orders ballots by round, then node, then incarnation, then run', () => {
    const acceptor = new Acceptor<string>(new Log());
    expect(acceptor.promise(ballotOf('b', 1), [])).toBe(true);
    expect(acceptor.promise(ballotOf('a', 1), [])).toBe(false);
    expect(acceptor.promise(ballotOf('b', 1, 2), [])).toBe(true);
    expect(acceptor.promise(ballotOf('b', 1, 1), [])).toBe(false);
    expect(acceptor.promise({ ...ballotOf('b', 1, 9), incarnation: 'b#0' }, [])).toBe(false);
    expect(acceptor.promise({ ...ballotOf('b', 1), incarnation: 'b#2' }, [])).toBe(true);
    expect(acceptor.promise(ballotOf('a', 2), [])).toBe(true);
  });

  it('acknowledges up to the first slot that it neither voted for nor knows to be chosen', () => {
    const acceptor = new Acceptor<string>(new Log());
    const ballot = ballotOf('a', 1);
    for (const slot of [1, 2, 4, 6]) acceptor.accept(ballot, slot, 'v', []);
    expect(acceptor.acceptedUpTo(ballot, 1, 0)).toBe(2);
    for (const slot of [1, 2, 3]) acceptor.log.learn(slot, 'v');
    expect(acceptor.acceptedUpTo(ballot, 1, 0)).toBe(4);
  });
});
