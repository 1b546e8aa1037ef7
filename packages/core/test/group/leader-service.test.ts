/** What a leader may answer, at a desk. The safety rules 5, 6 and 9. */
import { GroupState } from '../../src/group/group-state.ts';
import { instanceOf, LeaderService } from '../../src/group/leader-service.ts';
import type { GroupBatch, GroupEntry, GroupSessionMessage } from '../../src/group/member-message.ts';
import { ballotStamp } from '../../src/paxos/ballot.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import { entryKind, sessionKeyOf } from '../../src/session/command.ts';
import { ballotOf, configurationOf, proposer } from '../paxos/desk.ts';

const configuration = configurationOf('a', 'b', 'c');
const ballot = ballotOf('a', 2);
const record = { configuration, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: true };
const session = sessionKeyOf(1, 2);
const keepAlive: GroupSessionMessage = {
  type: 'keepAlive',
  session,
  id: 1,
  floor: 0,
  pending: [],
  watchVersion: 0,
  watchedIndex: 0,
  watchHeard: 0,
};
const watch = { type: 'watch', session, version: 1, since: 0, part: 1, added: ['l/x'], removed: [] } as const;

/** Slot 1, of an earlier leader, opened the group and a session of x; this leader's begin is slot 2. */
class Desk {
  readonly state = new GroupState({ maxSessionTtlMs: 1_000 });
  readonly term = new LeaderTerm<GroupBatch>(ballot, 1, 0, configuration, 500);
  readonly service: LeaderService;
  private heartbeat = 0;

  constructor(reads: 'lease' | 'quorum' = 'lease') {
    const sizes = { batchBytesMax: () => 1_000, sizeOfEntry: () => 10, sizeOfTuple: () => 10 };
    const times = { completeSinceMs: 0, quorumRoundMaxMs: 500 };
    this.service = new LeaderService(
      { self: proposer('a'), record, stamp: ballotStamp(ballot), reads, ...sizes, ...times },
      this.term,
      this.state,
    );
    this.term.propose(null, 0);
    this.term.propose(null, 0);
  }

  apply(entries: readonly GroupEntry[], nowMs: number): void {
    const applied = this.state.apply(this.state.appliedIndex + 1, [0, entries]);
    this.service.onApplied(applied, nowMs, () => false);
  }

  openAsAnother(nowMs: number): void {
    const stamp = ballotStamp(ballotOf('b', 1));
    this.apply(
      [
        [entryKind.begin, stamp],
        [entryKind.openGroup, stamp, 1],
        [entryKind.openSession, 'n', 'x', instanceOf(proposer('x')), 1_000, 0],
      ],
      nowMs,
    );
  }

  begin(nowMs: number): void {
    this.apply([[entryKind.begin, ballotStamp(ballot)]], nowMs);
  }

  /** A heartbeat that leaves at one time and is answered by b. */
  quorumRound(sentMs: number): void {
    this.heartbeat = this.term.lease.heartbeatSent(sentMs, 'a');
    this.term.lease.heartbeatSeen(this.heartbeat, 'b');
  }

  hear(message: GroupSessionMessage, nowMs: number): string[] {
    this.service.onMessage(proposer('x'), message, nowMs);
    return this.answers();
  }

  answers(): string[] {
    return this.service.takeAnswers().map(({ message }) => message.type);
  }
}

describe('a leader', () => {
  it('answers nothing before its own begin is applied, whatever else is, and then what waited (safety 6)', () => {
    const desk = new Desk();
    desk.quorumRound(0);
    expect(desk.hear(keepAlive, 5)).toEqual([]);
    desk.openAsAnother(10);
    expect([desk.answers(), desk.service.isServing]).toEqual([[], false]);
    desk.begin(20);
    expect([desk.answers(), desk.service.isServing]).toEqual([['keptAlive'], true]);
  });

  it('answers at once under its lease, and after it only when a round begun later was answered (safety 6 and 9)', () => {
    const desk = new Desk();
    desk.openAsAnother(0);
    desk.begin(0);
    expect(desk.hear(keepAlive, 10)).toEqual([]);
    desk.quorumRound(5);
    desk.service.retryParked(20);
    expect(desk.answers()).toEqual(['keptAlive']);
    expect(desk.hear(keepAlive, 494)).toEqual(['keptAlive']);
    expect(desk.hear(keepAlive, 495)).toEqual([]);
    desk.quorumRound(495);
    desk.service.retryParked(1_500);
    expect(desk.answers()).toEqual([]);
    desk.quorumRound(496);
    desk.service.retryParked(1_500);
    expect(desk.answers()).toEqual(['keptAlive']);
  });

  it('does not answer under its lease where reads ask a quorum (safety 9)', () => {
    const desk = new Desk('quorum');
    desk.openAsAnother(0);
    desk.begin(0);
    desk.quorumRound(5);
    expect(desk.hear(keepAlive, 10)).toEqual([]);
    desk.quorumRound(11);
    desk.service.retryParked(12);
    expect(desk.answers()).toEqual(['keptAlive']);
  });

  it('lets a read wait for what was proposed when it came: followers may have learned that first (safety 6)', () => {
    const desk = new Desk();
    desk.openAsAnother(0);
    desk.begin(0);
    desk.quorumRound(0);
    expect(desk.hear(watch, 10)).toEqual(['watched']);
    desk.term.propose(null, 20);
    expect(desk.hear({ ...watch, version: 2 }, 30)).toEqual([]);
    desk.term.propose(null, 40);
    desk.apply([], 50);
    expect(desk.answers()).toEqual(['watched']);
  });

  it('proposes the end of a silent session under its stamp, and answers nothing for it from then on (safety 5 and 6)', () => {
    const desk = new Desk();
    desk.openAsAnother(0);
    desk.begin(0);
    desk.quorumRound(1_000);
    desk.service.onTick(1_000);
    expect(desk.service.takeBatch(0)?.[1]).toEqual([[entryKind.expire, session, ballotStamp(ballot)]]);
    expect(desk.hear(keepAlive, 1_001)).toEqual([]);
    desk.service.retryParked(1_002);
    expect(desk.answers()).toEqual([]);
  });

  it('lets a session run out whose holder gave it up for another that was then refused (safety 6)', () => {
    const desk = new Desk();
    desk.openAsAnother(0);
    desk.begin(0);
    desk.quorumRound(400);
    expect(desk.hear({ type: 'openSession', nonce: 'm', ttlMs: 5_000, replaces: session }, 400)).toEqual([]);
    desk.apply(desk.service.takeBatch(0)?.[1] ?? [], 400);
    expect(desk.answers()).toEqual(['openRefused']);
    expect(desk.hear(keepAlive, 401)).toEqual([]);
    desk.quorumRound(1_400);
    desk.service.onTick(1_399);
    expect(desk.service.takeBatch(0)).toBeNull();
    desk.service.onTick(1_400);
    expect(desk.service.takeBatch(0)?.[1]).toEqual([[entryKind.expire, session, ballotStamp(ballot)]]);
  });
});
