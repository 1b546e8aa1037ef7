/** The log core at a desk: voting, learning, leading. "Paxos Made Simple" §3; the safety rules 2 to 8. */
import { acceptOf, ballotOf, Desk, deskTiming, heartbeatOf, proposer } from './desk.ts';
import type { PaxosMessage } from '../../src/paxos/message.ts';

const five = ['a', 'b', 'c', 'd', 'e'];
const types = (messages: readonly PaxosMessage<string>[]): string[] => messages.map(({ type }) => type);

describe('a heartbeat that asks for a longer lease than is granted', () => {
  it('is not answered, and its sender named once with both timings (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    const asking = (node: string, round: number, leaseMs: number): PaxosMessage<string>[] => {
      return desk.hear(node, { ...heartbeatOf(ballotOf(node, round)), leaseMs } as PaxosMessage<string>);
    };
    const told = (): unknown[] => desk.last.events.filter(({ type }) => type === 'timingDiffers');
    expect(types(asking('a', 1, deskTiming.leaseMaxMs))).toEqual(['heartbeatSeen']);
    expect(told()).toEqual([]);
    expect(asking('a', 1, 5_000)).toEqual([]);
    expect(told()).toEqual([{ type: 'timingDiffers', node: 'a', theirsMs: 5_000, oursMs: deskTiming.electionTimeoutMs }]);
    asking('a', 1, 6_000);
    expect(told()).toEqual([]);
  });
});

describe('votes', () => {
  it('are acknowledged cumulatively, with those beyond a gap named (5 voters)', () => {
    const desk = new Desk({ node: 'b', voters: five });
    const ballot = ballotOf('a', 1);
    for (const slot of [1, 2, 4, 6, 4]) desk.hear('a', acceptOf(ballot, slot, `v${slot}`));
    expect(desk.flush()).toEqual([{ type: 'accepted', ballot, upTo: 2, beyond: [4, 6] }]);
    expect(desk.flush()).toEqual([]);
    desk.hear('a', acceptOf(ballot, 3, 'v3'));
    expect(desk.flush()).toEqual([{ type: 'accepted', ballot, upTo: 4, beyond: [6] }]);
  });

  it('count only for exactly their ballot, slot, voter and incarnation (5 voters, safety 3)', () => {
    const desk = new Desk({ voters: five });
    const ballot = desk.lead('b', 'c');
    const accepted = (of: typeof ballot, upTo: number, beyond: readonly number[] = []): PaxosMessage<string> => {
      return { type: 'accepted', ballot: of, upTo, beyond };
    };
    desk.hear('b', accepted(ballot, 1));
    desk.hear('b', accepted(ballot, 1));
    desk.hear('c', accepted(ballotOf('a', ballot.round - 1), 1));
    desk.hear('c', accepted(ballot, 0, [2]));
    desk.hear({ node: 'd', incarnation: 'd#2', run: 1 }, accepted(ballot, 1));
    desk.hear('x', accepted(ballot, 1));
    expect(desk.replica.log.chosenIndex).toBe(0);
    desk.hear('c', accepted(ballot, 1));
    expect(desk.replica.log.chosenIndex).toBe(1);
  });

  it('for what was never proposed are no votes for what will be (3 voters)', () => {
    const desk = new Desk();
    const ballot = desk.lead('b');
    desk.hear('b', { type: 'accepted', ballot, upTo: 100, beyond: [50] });
    expect(desk.replica.log.chosenIndex).toBe(1);
    desk.propose('later');
    expect(desk.replica.log.chosenIndex).toBe(1);
  });

  it('of a replica itself do not count twice, should a transport bring its frames back (3 voters, safety 4)', () => {
    const desk = new Desk();
    desk.lead('b');
    for (const { message } of [...desk.last.send]) desk.hear('a', message);
    desk.propose('mine').forEach((message) => desk.hear('a', message));
    desk.flush().forEach((message) => desk.hear('a', message));
    expect(desk.applied).toEqual([]);
  });

  it('are durable before the accept that rests on them leaves (3 voters, safety 4)', () => {
    const desk = new Desk();
    desk.lead('b');
    desk.propose('mine');
    expect(desk.last.persist).toMatchObject([{ type: 'voted', slot: 2, value: 'mine' }]);
    expect(desk.last.send).toMatchObject([{ to: { type: 'voters' }, message: { type: 'accept', slot: 2 } }]);
  });
});

describe('the short path', () => {
  it('lets a follower apply at the accept of exactly three voters', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('a', acceptOf(ballotOf('a', 1), 1, 'one'));
    expect(desk.applied).toEqual([{ slot: 1, value: 'one' }]);
    expect(desk.last.persist.map(({ type }) => type)).toEqual(['promised', 'voted']);
  });

  it.each([[['a', 'b']], [five]])('is not taken with voters %j', (voters) => {
    const desk = new Desk({ node: 'b', voters });
    desk.hear('a', acceptOf(ballotOf('a', 1), 1, 'one'));
    expect(desk.applied).toEqual([]);
  });

  it('is not taken for an accept that another than its proposer brings, which is nobody’s vote (3 voters, safety 4)', () => {
    const desk = new Desk({ node: 'b' });
    for (const from of [proposer('c'), proposer('a', 2), { node: 'a', incarnation: 'a#2', run: 1 }]) {
      desk.hear(from, acceptOf(ballotOf('a', 1), 1, 'one'));
      expect(types(desk.flush())).toEqual([]);
    }
    expect(desk.applied).toEqual([]);
    expect(desk.replica.log.vote(1)).toBeUndefined();
  });

  it('is not taken under a ballot below the promise; the proposer is told the one to beat (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('c', { type: 'prepare', ballot: ballotOf('c', 5), chosenIndex: 0 });
    const answer = desk.hear('a', acceptOf(ballotOf('a', 1), 1, 'one'));
    expect(answer).toEqual([{ type: 'reject', ballot: ballotOf('a', 1), promised: ballotOf('c', 5), leaseRemainingMs: 0 }]);
    expect(desk.applied).toEqual([]);
  });
});

describe('learning', () => {
  it('takes the leader’s chosen index for its own votes of that ballot only, and fetches the rest (5 voters)', () => {
    const desk = new Desk({ node: 'b', voters: five });
    desk.hear('a', acceptOf(ballotOf('a', 1), 1, 'one'));
    desk.hear('a', acceptOf(ballotOf('a', 1), 2, 'perhaps not two'));
    desk.hear('c', acceptOf(ballotOf('c', 2), 1, 'one', 1));
    const sent = desk.hear('c', heartbeatOf(ballotOf('c', 2), 1, 2));
    expect(desk.applied).toEqual([{ slot: 1, value: 'one' }]);
    expect(sent).toContainEqual({ type: 'fetch', from: 2, to: 2 });
    desk.hear('c', { type: 'chosen', from: 2, values: ['two'], chosenIndex: 2, floor: 0 });
    expect(desk.applied[1]).toEqual({ slot: 2, value: 'two' });
    expect(desk.last.persist).toEqual([{ type: 'learned', slot: 2, value: 'two' }]);
  });

  it('is not a vote: a fetched slot is not taken as accepted in a later promise’s ballot (3 voters, safety 4)', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('c', { type: 'chosen', from: 1, values: ['one'], chosenIndex: 1, floor: 0 });
    expect(types(desk.flush())).toEqual([]);
    expect(desk.replica.log.vote(1)).toBeUndefined();
    expect(desk.last.persist).toEqual([]);
  });

  it('answers an accept in a forgotten slot with what is chosen (3 voters, safety 2)', () => {
    const desk = new Desk({ node: 'b' });
    const ballot = ballotOf('a', 1);
    desk.hear('a', acceptOf(ballot, 1, 'one'));
    desk.hear('a', heartbeatOf(ballot, 1, 1, 1));
    expect(desk.replica.log.floor).toBe(1);
    expect(desk.hear('c', acceptOf(ballotOf('c', 9), 1, 'other'))).toMatchObject([{ type: 'chosen', floor: 1, chosenIndex: 1 }]);
    expect(desk.replica.promised).toEqual(ballot);
  });

  it('sends as much as a frame holds and goes on from there (3 voters)', () => {
    const desk = new Desk({ node: 'b', messageBytesMax: 10 });
    for (const slot of [1, 2, 3]) desk.hear('a', acceptOf(ballotOf('a', 1), slot, 'sixsix'));
    expect(desk.hear('c', { type: 'fetch', from: 1, to: 3 })).toMatchObject([{ from: 1, values: ['sixsix'], chosenIndex: 3 }]);
    expect(desk.hear('c', { type: 'fetch', from: 3, to: 9 })).toMatchObject([{ from: 3, values: ['sixsix'], chosenIndex: 3 }]);
  });

  it('hands out every slot once and in order, over gaps (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    for (const slot of [3, 1, 3, 2, 1]) desk.hear('a', acceptOf(ballotOf('a', 1), slot, `v${slot}`));
    expect(desk.applied.map(({ value }) => value)).toEqual(['v1', 'v2', 'v3']);
  });
});

describe('the leader lease', () => {
  it('binds its granter against everyone else, for its stated length, from the hearing of the heartbeat (3 voters, safety 7)', () => {
    const desk = new Desk({ node: 'b' });
    desk.nowMs = 1_000;
    const [seen] = desk.hear('a', heartbeatOf(ballotOf('a', 1), 7));
    expect(seen).toEqual({ type: 'heartbeatSeen', ballot: ballotOf('a', 1), id: 7, appliedIndex: 0 });
    const canvass = { type: 'canvass', ballot: ballotOf('c', 2) } as const;
    const prepare = { type: 'prepare', ballot: ballotOf('c', 2), chosenIndex: 0 } as const;
    desk.nowMs = 1_499;
    expect(types([...desk.hear('c', canvass), ...desk.hear('c', prepare)])).toEqual(['reject', 'reject']);
    desk.nowMs = 1_500;
    expect(types([...desk.hear('c', canvass), ...desk.hear('c', prepare)])).toEqual(['support', 'promise']);
  });

  it('is granted only to the ballot that was promised (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    desk.hear('c', { type: 'prepare', ballot: ballotOf('c', 5), chosenIndex: 0 });
    expect(types(desk.hear('a', heartbeatOf(ballotOf('a', 1))))).toEqual(['reject']);
  });

  it('counts for its holder from the sending of a heartbeat that a majority answered, less the drift (5 voters)', () => {
    const desk = new Desk({ voters: five });
    const ballot = desk.lead('b', 'c');
    const sentAtMs = desk.nowMs;
    const term = desk.replica.leading;
    desk.nowMs += 50;
    desk.hear('b', { type: 'heartbeatSeen', ballot, id: 1, appliedIndex: 0 });
    desk.hear('b', { type: 'heartbeatSeen', ballot, id: 1, appliedIndex: 0 });
    desk.hear('c', { type: 'heartbeatSeen', ballot: ballotOf('a', 99), id: 1, appliedIndex: 0 });
    desk.hear('c', { type: 'heartbeatSeen', ballot, id: 2, appliedIndex: 0 });
    expect(term?.lease.heldUntilMs()).toBe(-Infinity);
    desk.hear('c', { type: 'heartbeatSeen', ballot, id: 1, appliedIndex: 0 });
    expect(term?.lease.heldUntilMs()).toBe(sentAtMs + deskTiming.electionTimeoutMs * 0.98);
    // With all others, none of the votes that make the majority is the leader’s own, which it needs no answer for.
    for (const node of ['d', 'e']) desk.hear(node, { type: 'heartbeatSeen', ballot, id: 1, appliedIndex: 0 });
    expect(term?.lease.heldUntilMs()).toBe(sentAtMs + deskTiming.electionTimeoutMs * 0.98);
  });

  it('that a run taken over may still grant is waited out as well (3 voters, safety 19)', () => {
    const memory = { floor: 0, promised: ballotOf('a', 1), chosenIndex: 0, votes: [], learned: [] };
    const desk = new Desk({ node: 'b', memory, zombieMs: 700 });
    const prepare = { type: 'prepare', ballot: ballotOf('c', 9), chosenIndex: 0 } as const;
    desk.nowMs = deskTiming.leaseMaxMs + 699;
    expect(desk.hear('c', prepare)).toMatchObject([{ type: 'reject', leaseRemainingMs: 1 }]);
    desk.nowMs += 1;
    expect(desk.hear('c', prepare)).toMatchObject([{ type: 'promise' }]);
  });

  it('that may have been granted before a restart with memory is waited out, by a candidate as well (3 voters, safety 7)', () => {
    const memory = { floor: 0, promised: ballotOf('a', 1), chosenIndex: 0, votes: [], learned: [] };
    const desk = new Desk({ node: 'b', memory });
    const canvass = { type: 'canvass', ballot: ballotOf('c', 2) } as const;
    for (const nowMs of [0, 1_000, 1_999]) {
      expect(types(desk.tick(nowMs))).not.toContain('canvass');
      expect(desk.hear('c', canvass)).toMatchObject([{ type: 'reject', leaseRemainingMs: 2_000 - nowMs }]);
    }
    desk.nowMs = 2_000;
    expect(types(desk.hear('c', canvass))).toEqual(['support']);
    expect(desk.hear('c', { type: 'canvass', ballot: ballotOf('c', 0) })).toMatchObject([{ type: 'reject', promised: ballotOf('a', 1) }]);
  });

  it('is freed by the abdication of exactly its ballot, and its successor canvasses at once (3 voters)', () => {
    const desk = new Desk({ node: 'b' });
    const ballot = ballotOf('a', 1);
    desk.nowMs = 100;
    desk.hear('a', heartbeatOf(ballot));
    desk.hear('c', { type: 'abdicate', ballot, successor: 'b' });
    expect(types(desk.tick(101))).not.toContain('canvass');
    desk.hear('a', { type: 'abdicate', ballot, successor: 'b' });
    expect(types(desk.tick(102))).toContain('canvass');
  });
});

describe('a leader', () => {
  it('steps down when the majority was silent for an election timeout, and beats no more (3 voters, safety 8)', () => {
    const desk = new Desk();
    const ballot = desk.lead('b');
    const ledAtMs = desk.nowMs;
    for (let nowMs = ledAtMs + 100; nowMs < ledAtMs + 500; nowMs += 100) expect(types(desk.tick(nowMs))).toContain('heartbeat');
    expect(types(desk.tick(ledAtMs + 500))).not.toContain('heartbeat');
    expect(desk.last.events).toEqual([{ type: 'steppedDown', ballot, reason: 'majority silent' }]);
    expect(desk.replica.leading).toBeNull();
  });

  it('stops at once when its own acceptor promises higher (3 voters, safety 3)', () => {
    const desk = new Desk();
    desk.lead('b');
    desk.hear('c', acceptOf(ballotOf('c', 50), 1, 'other'));
    expect(desk.events()).toContain('steppedDown');
    expect(types(desk.propose('late'))).toEqual([]);
    expect(desk.replica.promised).toEqual(ballotOf('c', 50));
  });

  it('stops when a voter tells it of a higher promise, and not for the refusal of another ballot (3 voters)', () => {
    const desk = new Desk();
    const ballot = desk.lead('b');
    desk.hear('c', { type: 'reject', ballot: ballotOf('a', 0), promised: ballotOf('c', 50), leaseRemainingMs: 0 });
    expect(desk.replica.leading).not.toBeNull();
    desk.hear('c', { type: 'reject', ballot, promised: ballotOf('c', 50), leaseRemainingMs: 0 });
    expect(desk.replica.leading).toBeNull();
  });

  it('hands over to the connected voter that applied most, and never leads in that ballot again (5 voters)', () => {
    const desk = new Desk({ voters: five });
    const ballot = desk.lead('b', 'c');
    for (const [node, appliedIndex] of [
      ['b', 0],
      ['c', 1],
    ] as const)
      desk.hear(node, { type: 'heartbeatSeen', ballot, id: 1, appliedIndex });
    desk.tick(desk.nowMs + 100);
    expect(desk.resign()).toEqual([{ type: 'abdicate', ballot, successor: 'c' }]);
    expect(desk.replica.leading).toBeNull();
    desk.hear('b', { type: 'accepted', ballot, upTo: 1, beyond: [] });
    desk.hear('b', { type: 'heartbeatSeen', ballot, id: 2, appliedIndex: 0 });
    expect(types(desk.propose('late'))).toEqual([]);
  });

  it('sends again what nobody acknowledged within a heartbeat (3 voters)', () => {
    const desk = new Desk();
    desk.lead('b');
    expect(desk.tick(desk.nowMs + 100).filter(({ type }) => type === 'accept')).toMatchObject([{ slot: 1, value: 'begin' }]);
  });

  it('is elected by canvass and phase 1 among others, and alone at once (1 voter)', () => {
    const desk = new Desk({ voters: ['a'] });
    desk.tick(0);
    expect(desk.events()).toEqual(['canvassing', 'leading']);
    expect(desk.applied).toEqual([{ slot: 1, value: 'begin' }]);
  });
});

describe('a candidate', () => {
  it('raises nothing by canvassing: neither its own promise nor another’s (3 voters)', () => {
    const desk = new Desk();
    desk.tick(desk.replica.nextDeadlineMs);
    expect(desk.last.persist).toEqual([]);
    const other = new Desk({ node: 'b' });
    other.hear('a', { type: 'canvass', ballot: ballotOf('a', 40) });
    expect(other.last.persist).toEqual([]);
    expect(other.replica.promised.round).toBe(0);
  });

  it('has its own promise durable before its prepare leaves (3 voters, safety 3)', () => {
    const desk = new Desk();
    const ballot = desk.prepare('b');
    expect(desk.last.persist).toEqual([{ type: 'promised', ballot }]);
    expect(types(desk.last.send.map(({ message }) => message))).toContain('prepare');
  });

  it('uses no ballot of an earlier run (3 voters, safety 3)', () => {
    const desk = new Desk({ memory: { floor: 0, promised: ballotOf('a', 3), chosenIndex: 0, votes: [], learned: [] } });
    desk.nowMs = 5_000;
    expect(desk.prepare('b').round).toBe(4);
  });

  it('finds its votes, what it learned and how far it is chosen after a restart with memory (5 voters)', () => {
    const old = ballotOf('b', 1);
    const desk = new Desk({
      voters: five,
      memory: {
        floor: 0,
        promised: old,
        chosenIndex: 2,
        votes: [
          { slot: 1, ballot: old, value: 'one' },
          { slot: 3, ballot: old, value: 'three' },
        ],
        learned: [{ slot: 2, value: 'two' }],
      },
    });
    desk.tick(1);
    expect(desk.applied.map(({ value }) => value)).toEqual(['one', 'two']);
    desk.nowMs = 5_000;
    const [promise] = desk.hear('c', { type: 'prepare', ballot: ballotOf('c', 9), chosenIndex: 0 });
    expect(promise).toMatchObject({ chosenIndex: 2, votes: [{ slot: 3, ballot: old, value: 'three' }] });
  });
});
