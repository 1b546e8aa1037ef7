/** A replica and its log where one configuration ends and the next begins. The safety rules 1, 3 and 5; `docs/protocol.md`, "Configurations". */
import { zeroBallot } from '../../src/paxos/ballot.ts';
import { Log } from '../../src/paxos/log.ts';
import { Replica } from '../../src/paxos/replica.ts';
import { foldRecords } from '../../src/storage/begin-run.ts';
import { seededRandom } from '../../src/time/random.ts';
import { ballotOf, configurationOf, deskTiming, emptyPromise, proposer } from './desk.ts';
import type { PaxosMessage } from '../../src/paxos/message.ts';

const next = { ...configurationOf('a', 'b', 'c'), id: 2 };

function replicaOf(): Replica<string> {
  return new Replica<string>({
    self: proposer('a'),
    configuration: configurationOf('a', 'b', 'c'),
    timing: deskTiming,
    random: seededRandom(1),
    limits: { messageBytesMax: 1_000, sizeOf: (value) => value.length },
    begin: () => 'begin',
    isStopSign: (value) => value === 'stop',
    nowMs: 0,
  });
}

/** Leads by the promise of `b`, which reports these votes. */
function led(replica: Replica<string>, votes: readonly (readonly [slot: number, value: string])[] = []): PaxosMessage<string>[] {
  const canvass = replica.step({ type: 'tick', nowMs: Math.max(0, replica.nextDeadlineMs) }).send[0]?.message;
  if (canvass?.type !== 'canvass') throw new Error('it does not canvass');
  const { ballot } = canvass;
  const hear = (message: PaxosMessage<string>) => replica.step({ type: 'message', from: proposer('b'), message, nowMs: 0 });
  hear({ type: 'support', ballot });
  const promise = emptyPromise(ballot);
  if (promise.type !== 'promise') throw new Error('that is no promise');
  const reported = votes.map(([slot, value]) => ({ slot, value, ballot: ballotOf('c', 0) }));
  return hear({ ...promise, votes: reported }).send.map(({ message }) => message);
}

function proposedIn(messages: readonly PaxosMessage<string>[]): string[] {
  return messages.flatMap((message) => (message.type === 'accept' ? [`${message.slot} ${message.value}`] : []));
}

describe('a leader that adopts a stop-sign', () => {
  it('proposes all that it adopted, and begins only when that proved void (3 voters, safety 1)', () => {
    const replica = replicaOf();
    expect(
      proposedIn(
        led(replica, [
          [1, 'stop'],
          [2, 'y'],
        ]),
      ),
    ).toEqual(['1 stop', '2 y']);
    expect(replica.step({ type: 'propose', value: 'x', nowMs: 0 }).send).toEqual([]);
    expect(replica.step({ type: 'applied', upTo: 1, nowMs: 0 }).send).toEqual([]);
    const sent = replica.step({ type: 'applied', upTo: 2, nowMs: 0 }).send.map(({ message }) => message);
    expect(proposedIn(sent)).toEqual(['3 begin']);
  });
});

describe('a leader that proposes a stop-sign', () => {
  it('proposes nothing above it (3 voters, safety 1)', () => {
    const replica = replicaOf();
    led(replica);
    const sent = ['x', 'stop', 'y'].flatMap((value) => replica.step({ type: 'propose', value, nowMs: 0 }).send);
    expect(proposedIn(sent.map(({ message }) => message))).toEqual(['2 x', '3 stop']);
  });

  it('gives way where that proves void, for it serves no more in this ballot (3 voters, safety 6)', () => {
    const replica = replicaOf();
    led(replica);
    replica.step({ type: 'propose', value: 'stop', nowMs: 0 });
    expect(replica.step({ type: 'applied', upTo: 1, nowMs: 0 }).events).toEqual([]);
    const { events, send } = replica.step({ type: 'applied', upTo: 2, nowMs: 0 });
    expect(events).toMatchObject([{ type: 'steppedDown', reason: 'handed over' }]);
    expect(send.map(({ message }) => message.type)).toEqual(['abdicate']);
  });
});

describe('the replica of the next configuration', () => {
  it('has the log up to the stop-sign, no vote, no promise and no lease, and higher rounds (3 voters, safety 1 and 3)', () => {
    const replica = replicaOf();
    led(replica, [[1, 'stop']]);
    const ballot = replica.leading?.ballot ?? zeroBallot;
    replica.step({ type: 'message', from: proposer('b'), message: { type: 'accepted', ballot, upTo: 1, beyond: [] }, nowMs: 0 });
    const successor = replica.succeededBy(next, 1, 100);
    expect(successor.promised).toEqual(zeroBallot);
    expect([successor.log.chosenIndex, successor.log.lastSlot, successor.log.valueAt(1)]).toEqual([1, 1, 'stop']);
    expect(successor.log.vote(1)).toBeUndefined();
    const canvass = successor.step({ type: 'tick', nowMs: 100 }).send[0]?.message;
    expect(canvass).toMatchObject({ type: 'canvass', ballot: { round: ballot.round + 1 } });
  });
});

describe('a log that is sealed', () => {
  it('forgets what lies above, chosen or not, and hands out what takes its place (safety 1)', () => {
    const log = new Log<string>();
    log.learn(1, 'x');
    log.learn(2, 'stop');
    log.learn(3, 'void');
    log.keepVote(5, ballotOf('b', 1), 'void');
    log.takeChosen();
    log.sealAt(2);
    expect([log.chosenIndex, log.lastSlot, log.valueAt(3)]).toEqual([2, 2, undefined]);
    log.learn(3, 'new');
    expect(log.takeChosen()).toEqual([{ slot: 3, value: 'new' }]);
  });

  it('is found again as it was sealed, without the votes above (safety 1)', () => {
    const ballot = ballotOf('b', 1);
    const record = { configuration: next, tokenSecond: 1, maxSessionTtlMs: 1, firstFounding: true };
    const { replica, record: kept } = foldRecords([
      { type: 'promised', ballot },
      { type: 'voted', slot: 1, ballot, value: [1, []] },
      { type: 'voted', slot: 2, ballot, value: [2, []] },
      { type: 'learned', slot: 3, value: [3, []] },
      { type: 'configuration', record, sealedAt: 1 },
    ]);
    expect(kept).toEqual(record);
    expect(replica).toEqual({ floor: 0, promised: zeroBallot, chosenIndex: 1, votes: [], learned: [{ slot: 1, value: [1, []] }] });
  });
});
