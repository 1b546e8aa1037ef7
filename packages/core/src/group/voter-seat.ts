/**
 * A voter's part in its group: the replica of the log, the state that the log makes, and the leader's service while it leads.
 * A process that founds or follows a group without a vote has none.
 */
import type { LockEvent } from '../lock/command.ts';
import { ballotStamp } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { Founder } from '../paxos/founding.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import type { ChosenEntry } from '../paxos/log.ts';
import type { PaxosMessage, Slot } from '../paxos/message.ts';
import { Replica } from '../paxos/replica.ts';
import type { ReplicaEvent, ReplicaInput, ReplicaMemory, ReplicaRecord } from '../paxos/replica.ts';
import { entryKind } from '../session/command.ts';
import type { SessionKey } from '../session/command.ts';
import type { Instant } from '../time/clock.ts';
import { followerThatAnswers } from './answer-path.ts';
import type { Applied } from './group-applied.ts';
import { GroupState } from './group-state.ts';
import { LeaderService } from './leader-service.ts';
import { tupleRunsOf } from './tuple-runs.ts';
import type { MemberOptions, PublishedChange } from './member-io.ts';
import type { GroupBatch, GroupSessionMessage, MemberSend } from './member-message.ts';

export type SeatEvent = ReplicaEvent | { readonly type: 'serving'; readonly round: number };

export interface SeatOutput {
  readonly persist: ReplicaRecord<GroupBatch>[];
  readonly send: MemberSend[];
  /** What this process's own session is told, without a frame. */
  readonly own: GroupSessionMessage[];
  readonly changes: PublishedChange[];
  readonly events: SeatEvent[];
}

/** Slots in flight at once on a fast link; each millisecond of round trip allows one more, up to the maximum. */
const window = { least: 2, most: 8 };

export class VoterSeat {
  readonly replica: Replica<GroupBatch>;
  readonly state: GroupState;
  private readonly completeSinceMs: number;
  private service: LeaderService | null = null;
  private allConfirmed = false;
  private out: SeatOutput = freshOutput();

  constructor(
    private readonly options: Omit<MemberOptions, 'at' | 'memory'>,
    private readonly record: FoundingRecord,
    at: Instant,
    memory?: ReplicaMemory<GroupBatch>,
  ) {
    const { self, timing, random, limits } = options;
    this.completeSinceMs = at.monotonicMs;
    this.state = new GroupState({ maxSessionTtlMs: record.maxSessionTtlMs });
    this.replica = new Replica<GroupBatch>({
      self,
      configuration: record.configuration,
      timing,
      random,
      limits: { messageBytesMax: limits.batchBytesMax(), sizeOf: limits.sizeOfBatch },
      begin: (ballot) => [0, [[entryKind.begin, ballotStamp(ballot)]]],
      nowMs: at.monotonicMs,
      memory,
    });
  }

  get isServing(): boolean {
    return this.service?.isServing ?? false;
  }

  /** True while a majority is known to follow this replica. */
  holdsLease(nowMs: number): boolean {
    const term = this.replica.leading;
    return term !== null && nowMs < term.lease.heldUntilMs();
  }

  /** Every founder confirmed that it knows completion. */
  confirmAll(): void {
    this.allConfirmed = true;
    if (this.service) this.service.allConfirmed = true;
  }

  onMessage(from: Proposer, message: PaxosMessage<GroupBatch>, at: Instant): SeatOutput {
    const out = this.begin();
    this.stepReplica({ type: 'message', from, message, nowMs: at.monotonicMs }, at);
    // Whatever waited for a quorum round may have had it.
    if (message.type === 'heartbeatSeen') this.service?.retryParked(at.monotonicMs);
    this.collect();
    return out;
  }

  /** A request of some session. Only a leader answers. */
  onRequest(from: Proposer, message: GroupSessionMessage, at: Instant): SeatOutput {
    const out = this.begin();
    this.service?.onMessage(from, message, at.monotonicMs);
    this.collect();
    return out;
  }

  onTick(at: Instant): SeatOutput {
    const out = this.begin();
    this.stepReplica({ type: 'tick', nowMs: at.monotonicMs }, at);
    this.service?.onTick(at.monotonicMs);
    this.collect();
    return out;
  }

  resign(at: Instant): SeatOutput {
    const out = this.begin();
    this.stepReplica({ type: 'resign', nowMs: at.monotonicMs }, at);
    return out;
  }

  /** The end of a turn: batches and acknowledgements leave. */
  flush(at: Instant): SeatOutput {
    const out = this.begin();
    this.proposeBatches(at);
    this.stepReplica({ type: 'flush', nowMs: at.monotonicMs }, at);
    this.collect();
    return out;
  }

  private begin(): SeatOutput {
    return (this.out = freshOutput());
  }

  private stepReplica(input: ReplicaInput<GroupBatch>, at: Instant): void {
    const { persist, send, apply, events } = this.replica.step(input);
    this.out.persist.push(...persist);
    this.out.send.push(...send);
    for (const event of events) this.onReplicaEvent(event);
    for (const entry of apply) this.apply(entry, at);
  }

  private onReplicaEvent(event: ReplicaEvent): void {
    if (event.type === 'leading') this.startService(event.ballot);
    if (event.type === 'steppedDown') this.service = null;
    this.out.events.push(event);
  }

  private startService(ballot: Ballot): void {
    const term = this.replica.leading;
    if (!term) return;
    const { self, reads, limits, timing } = this.options;
    const { batchBytesMax, sizeOfEntry, sizeOfTuple } = limits;
    const { record, completeSinceMs } = this;
    const stamp = ballotStamp(ballot);
    const quorumRoundMaxMs = timing.electionTimeoutMs;
    const options = { self, record, stamp, reads, batchBytesMax, sizeOfEntry, sizeOfTuple, completeSinceMs, quorumRoundMaxMs };
    this.service = new LeaderService(options, term, this.state);
    this.service.allConfirmed = this.allConfirmed;
  }

  private apply({ slot, value }: ChosenEntry<GroupBatch>, at: Instant): void {
    const applied = this.state.apply(slot, value);
    const { service } = this;
    const servedBefore = this.isServing;
    service?.onApplied(applied, at.monotonicMs, (node, session) => this.isAnswered(node, session, slot));
    if (!servedBefore && this.isServing) this.out.events.push({ type: 'serving', round: this.replica.leading?.ballot.round ?? 0 });
    if (this.isServing) this.publish(slot, value?.[0] ?? 0, applied.events);
    this.answerOwn(applied);
    if (!service) this.answerClients(applied);
  }

  /**
   * The leader need not answer whom a follower has answered. It does where that follower's vote has not come: a follower that
   * lags or died holds up nobody.
   */
  private isAnswered(node: string, session: SessionKey, slot: Slot): boolean {
    if (this.learnsByItself(node, session)) return true;
    const term = this.replica.leading;
    if (!term) return false;
    const follower = followerThatAnswers(this.record.configuration, term.ballot.node, session);
    return follower !== null && term.hasAccepted(follower, slot);
  }

  /** A follower answers the clients that are its to answer; its leader is the one it voted for. */
  private answerClients({ replies }: Applied): void {
    const { self } = this.options;
    for (const { session, node, results } of replies) {
      if (this.learnsByItself(node, session)) continue;
      if (followerThatAnswers(this.record.configuration, this.replica.promised.node, session) !== self.node) continue;
      for (const run of tupleRunsOf(results, this.options.limits)) {
        this.out.send.push({ to: { type: 'node', node }, message: { type: 'replies', session, results: run } });
      }
    }
  }

  /**
   * In a group of three, a connected voter learns what is chosen from the accept itself: its own sessions need no reply. A process
   * that came back under the name of a seat without its memory is no voter.
   */
  private readonly learnsByItself = (node: string, session: SessionKey): boolean => {
    if (node === this.options.self.node) return true;
    const { voters } = this.record.configuration;
    if (voters.length !== 3) return false;
    const seat = voters.find((voter) => voter.node === node);
    return seat !== undefined && (this.state.session(session)?.instance.startsWith(`${seat.incarnation}.`) ?? false);
  };

  /** A voter completes the requests of its own process at application; the holder knows which of this is meant for it. */
  private answerOwn(applied: Applied): void {
    const { node } = this.options.self;
    const { own } = this.out;
    for (const { session, node: user, results } of applied.replies) {
      if (user === node) own.push({ type: 'replies', session, results });
    }
    for (const session of applied.unknownSessions) own.push({ type: 'sessionEnded', session });
    for (const { nonce, node: opener, session, ttlMs } of applied.opened) {
      if (opener === node) own.push({ type: 'sessionOpened', nonce, session, ttlMs });
    }
    for (const { session, node: holder } of applied.ended) {
      if (holder === node) own.push({ type: 'sessionEnded', session });
    }
  }

  private publish(slot: number, wallMs: number, changes: readonly LockEvent[]): void {
    changes.forEach((change, index) => this.out.changes.push({ slot, index, wallMs, change }));
  }

  /** Answers of our own service: to others by frame, to ourselves directly. */
  private collect(): void {
    for (const { node, message } of this.service?.takeAnswers() ?? []) {
      if (node === this.options.self.node) this.out.own.push(message);
      else this.out.send.push({ to: { type: 'node', node }, message });
    }
  }

  /** Whatever came while the window was full is the next batch: no timer waits for one to fill. */
  private proposeBatches(at: Instant): void {
    for (;;) {
      const term = this.replica.leading;
      const { service } = this;
      if (!term || !service || service.pendingEntries === 0) return;
      const slots = Math.min(window.most, window.least + Math.floor(term.roundTripMs));
      if (term.inFlight.size >= slots) return;
      const batch = service.takeBatch(at.wallMs);
      if (batch) this.stepReplica({ type: 'propose', value: batch, nowMs: at.monotonicMs }, at);
    }
  }
}

/** A configured voter has a founder, whether or not it gets a seat. */
export function founderFor({ self, voters, timing, maxSessionTtlMs, firstFounding, memory }: MemberOptions): Founder | null {
  if (!voters.includes(self.node)) return null;
  return new Founder({ self, voters, periodMs: timing.heartbeatMs, maxSessionTtlMs, firstFounding, memory: memory?.founder });
}

function freshOutput(): SeatOutput {
  return { persist: [], send: [], own: [], changes: [], events: [] };
}
