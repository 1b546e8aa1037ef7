/**
 * A voter's part in its group: the replica of the log, the state that the log makes, and the leader's service while it leads; and how
 * one configuration follows another. A process that founds or follows a group without a vote has none. The safety rules 1, 6 and 16.
 */
import { ballotStamp, sameBallot, zeroBallot } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { Configuration, Sealed } from '../paxos/configuration.ts';
import type { FoundingRecord, Hello } from '../paxos/founding-message.ts';
import type { ChosenEntry } from '../paxos/log.ts';
import type { Chosen, Fetch, PaxosMessage, StandbySeen } from '../paxos/message.ts';
import { Replica } from '../paxos/replica.ts';
import type { ReplicaEvent, ReplicaInput } from '../paxos/replica.ts';
import type { OrderGiven, StandbySeat } from '../paxos/voter-order.ts';
import { entryKind, stopSignOf } from '../session/command.ts';
import type { Instant } from '../time/clock.ts';
import { addressed, foundedNames } from './addressed.ts';
import { AnswerPath, ownAnswers } from './answer-path.ts';
import { CatchUp } from './catch-up.ts';
import { GroupState } from './group-state.ts';
import { LeaderService } from './leader-service.ts';
import type { VersionWatch } from './version-watch.ts';
import type { MemberOptions } from './member-io.ts';
import type { GroupBatch, GroupSessionMessage } from './member-message.ts';
import { freshSeatOutput } from './seat-io.ts';
import type { SeatOrigin, SeatOutput } from './seat-io.ts';
import { stopSignFor } from './voter-change.ts';
import type { Circumspection } from './voter-change.ts';
import { VoterChanges } from './voter-changes.ts';
import type { Decision } from './voter-changes.ts';

/** Slots in flight at once on a fast link; each millisecond of round trip allows one more, up to the maximum. */
const window = { least: 2, most: 8 };

/**
 * 1. It votes in one configuration at a time, and in a later one only once it has applied the stop-sign of the one before.
 * 2. From the moment its stop-sign is proposed a leader answers nothing; one that adopted a stop-sign has answered nothing yet.
 * 3. What the log holds above a stop-sign that took effect is neither applied nor kept, whoever chose it.
 * 4. A seat that a stop-sign left out votes no more; it serves what it has applied to those who lack it.
 */
export class VoterSeat {
  /** While a snapshot of the state is written nothing is applied: what is chosen waits, and all else goes on. */
  isFrozen = false;
  private waiting: ChosenEntry<GroupBatch>[] = [];
  private current: GroupState;
  private present: Replica<GroupBatch>;
  private record: FoundingRecord;
  private isOver: boolean;
  private readonly completeSinceMs: number;
  private readonly catchUp: CatchUp;
  private readonly answers: AnswerPath;
  private changes = new VoterChanges();
  private service: LeaderService | null = null;
  private allConfirmed = false;
  private out: SeatOutput = freshSeatOutput();

  constructor(
    private readonly options: Omit<MemberOptions, 'at' | 'memory'>,
    record: FoundingRecord,
    at: Instant,
    private readonly versions: VersionWatch,
    { memory, standby, state, isInDoubt }: SeatOrigin = {},
  ) {
    const { self, timing, random, limits } = options;
    this.record = record;
    this.isOver = !isVoter(record.configuration, self);
    this.completeSinceMs = at.monotonicMs;
    this.catchUp = new CatchUp(timing.heartbeatMs);
    this.answers = new AnswerPath(self, limits);
    this.current = standby?.state ?? state ?? new GroupState({ maxSessionTtlMs: record.maxSessionTtlMs }, options.levels);
    if (standby) standby.log.sealAt(this.state.appliedIndex);
    this.present = new Replica<GroupBatch>({
      self,
      configuration: record.configuration,
      timing,
      random,
      limits: {
        messageBytesMax: limits.batchBytesMax(),
        sizeOf: limits.sizeOfBatch,
        slotsKept: limits.slotsKept,
        slotsMax: limits.logSlotsMax,
        bytesMax: limits.logBytesMax,
      },
      begin: (ballot) => [0, [[entryKind.begin, ballotStamp(ballot)]]],
      isStopSign: (batch) => stopSignOf(batch) !== null,
      nowMs: at.monotonicMs,
      memory,
      isInDoubt,
      succession: standby && { log: standby.log, highestSeen: zeroBallot, isFirst: false },
    });
    // One that was given away is stepped no more, and serves all that it knows, the stop-sign too.
    if (this.isOver) for (const { slot, value } of this.present.log.takeChosen()) this.state.apply(slot, value);
  }

  /** Of the configuration that this seat is in, or was in last. */
  get replica(): Replica<GroupBatch> {
    return this.present;
  }

  get state(): GroupState {
    return this.current;
  }

  /** When a tick is next of use. */
  get nextDeadlineMs(): number {
    return this.isOver ? Infinity : this.present.nextDeadlineMs;
  }

  /** True once a stop-sign gave the seat to another. */
  get isGiven(): boolean {
    return this.isOver;
  }

  get isServing(): boolean {
    return this.service?.isServing ?? false;
  }

  /** True while a majority is known to follow this replica, and nothing that it proposed or adopted may end its configuration. */
  holdsLease({ monotonicMs, wallMs }: Instant): boolean {
    const term = this.present.leading;
    return term !== null && term.beginSlot > 0 && term.stopSlot === 0 && monotonicMs < term.lease.heldUntilMs(wallMs - monotonicMs);
  }

  /** Every founder confirmed that it knows completion. */
  confirmAll(): void {
    this.allConfirmed = true;
    if (this.service) this.service.allConfirmed = true;
  }

  onMessage(from: Proposer, message: PaxosMessage<GroupBatch>, at: Instant): SeatOutput {
    const out = this.begin(at);
    this.stepReplica({ type: 'message', from, message, ...momentOf(at) }, at);
    if (message.type === 'heartbeatSeen') this.service?.retryParked(at.monotonicMs);
    this.collect();
    return out;
  }

  onStandby(from: Proposer, message: StandbySeen | Hello): void {
    this.changes.onStandby(from, message, this.present.leading);
  }

  /** Who stands by, where this seat leads. */
  roster(at: Instant): readonly StandbySeat[] {
    const present = this.circumspection(at);
    return present ? this.changes.roster(present) : [];
  }

  /** What is to be said to an order is in `answer`: nothing unless this seat serves in the ballot that the order was given to. */
  onOrder({ ballot, order }: OrderGiven, at: Instant): SeatOutput {
    const out = this.begin(at);
    const present = this.circumspection(at);
    if (!present || !sameBallot(present.term.ballot, ballot)) return out;
    const decision = this.changes.answerTo(order, present);
    out.answer = decision.type === 'answer' ? decision.answer : 'proposed';
    if (decision.type === 'change') this.changeVoters(decision, present, at);
    if (decision.type === 'handOver') this.stepReplica({ type: 'resign', successor: decision.to, ...momentOf(at) }, at);
    this.collect();
    return out;
  }

  /** Whoever asks is told what is applied here, for that is final in every configuration. */
  onFetch(from: Proposer, { from: first, to }: Fetch, at: Instant): SeatOutput {
    const out = this.begin(at);
    if (to < first) return out;
    const { appliedIndex } = this.state;
    const chosen = this.present.chosenFrom(first, Math.min(to, appliedIndex));
    out.send.push({ to: { type: 'node', node: from.node }, message: { ...chosen, chosenIndex: appliedIndex } });
    return out;
  }

  onChosen(from: Proposer, message: Chosen<GroupBatch>, at: Instant): SeatOutput {
    const out = this.begin(at);
    const before = this.state.appliedIndex;
    this.stepReplica({ type: 'chosen', message, ...momentOf(at) }, at);
    const isNews = this.state.appliedIndex > before;
    if (isNews) this.catchUp.answered();
    if (isNews && message.chosenIndex > this.state.appliedIndex) this.ask(from, at);
    this.collect();
    return out;
  }

  /** Takes up a snapshot that lies above all that this replica knows. Its own session is told nothing of what was passed over. */
  install(state: GroupState, at: Instant): SeatOutput {
    const out = this.begin(at);
    const { configuration: sealed, appliedIndex } = state;
    this.current = state;
    this.waiting = [];
    this.isFrozen = false;
    if (sealed.id === this.record.configuration.id) {
      this.stepReplica({ type: 'installed', upTo: appliedIndex, ...momentOf(at) }, at);
    } else {
      // What the log holds above was decided in an earlier configuration than that of the snapshot, and is void in it.
      this.present.log.reset(appliedIndex);
      this.moveTo({ ...sealed, sealedAt: appliedIndex }, at);
    }
    this.collect();
    return out;
  }

  /** The sender is in a later configuration: this seat lacks at least its own configuration's end. */
  onBehind(from: Proposer, at: Instant): SeatOutput {
    const out = this.begin(at);
    this.ask(from, at);
    return out;
  }

  /** A request of some session. Only a leader answers. */
  onRequest(from: Proposer, message: GroupSessionMessage, at: Instant): SeatOutput {
    const out = this.begin(at);
    this.service?.onMessage(from, message, at.monotonicMs);
    this.collect();
    return out;
  }

  onTick(at: Instant): SeatOutput {
    const out = this.begin(at);
    this.stepReplica({ type: 'tick', ...momentOf(at) }, at);
    if (this.service && this.hasAllIn(this.present)) this.service.allConfirmed = true;
    this.service?.onTick(at.monotonicMs);
    this.collect();
    this.maybeChange(at);
    return out;
  }

  resign(at: Instant): SeatOutput {
    const out = this.begin(at);
    this.stepReplica({ type: 'resign', ...momentOf(at) }, at);
    return out;
  }

  /** The end of a turn: batches and acknowledgements leave. */
  flush(at: Instant): SeatOutput {
    const out = this.begin(at);
    this.proposeBatches(at);
    this.stepReplica({ type: 'flush', ...momentOf(at) }, at);
    this.collect();
    return out;
  }

  private begin({ monotonicMs, wallMs }: Instant): SeatOutput {
    // A request may be the first thing that a leader hears after its machine was suspended.
    this.present.leading?.lease.clocksShow(wallMs - monotonicMs);
    return (this.out = freshSeatOutput());
  }

  /** Once another configuration followed, its replica is stepped from the next input on: frames name one configuration. */
  private stepReplica(input: ReplicaInput<GroupBatch>, at: Instant): void {
    if (this.isOver || this.out.followedBy) return;
    const { persist, send, apply, events } = this.present.step(input);
    this.out.persist.push(...persist);
    this.out.send.push(...addressed(send, this.present.configuration, this.options));
    for (const event of events) this.onReplicaEvent(event);
    this.waiting.push(...apply);
    if (this.waiting.length > 0 && !this.isFrozen) this.applyWaiting(at);
  }

  private applyWaiting(at: Instant): void {
    const { waiting } = this;
    this.waiting = [];
    for (const entry of waiting) {
      const sealed = this.apply(entry, at);
      if (sealed && sealed.id > this.record.configuration.id) return this.moveTo(sealed, at);
    }
    const term = this.present.leading;
    if (term && (term.beginSlot === 0 || term.stopSlot > 0)) {
      this.stepReplica({ type: 'applied', upTo: this.state.appliedIndex, ...momentOf(at) }, at);
    }
  }

  /** The configuration ends here. What its replica had to say is in `send` and means nothing to the next one. */
  private moveTo({ id, voters, sealedAt }: Sealed, at: Instant): void {
    const { self } = this.options;
    const configuration: Configuration = { founding: this.record.configuration.founding, id, voters };
    const term = this.present.leading;
    if (term) {
      this.out.events.push({ type: 'steppedDown', ballot: term.ballot, reason: 'moved' });
      this.out.send.push({ to: { type: 'all' }, message: { type: 'moved', configuration, sealedAt } });
    }
    this.service = null;
    this.record = { ...this.record, configuration };
    this.out.followedBy = configuration;
    this.out.events.push({ type: 'votersChanged', configuration });
    this.isOver = !isVoter(configuration, self);
    const next = this.present.succeededBy(configuration, sealedAt, at.monotonicMs);
    if (this.isOver) return;
    this.present = next;
    this.out.persist.push({ type: 'configuration', record: this.record, sealedAt });
  }

  private onReplicaEvent(event: ReplicaEvent): void {
    if (event.type === 'leading') {
      this.changes = new VoterChanges();
      this.startService(event.ballot);
    }
    if (event.type === 'steppedDown') this.service = null;
    this.out.events.push(event);
  }

  private startService(ballot: Ballot): void {
    const term = this.present.leading;
    if (!term) return;
    const { self, reads, limits, timing } = this.options;
    const { record, completeSinceMs, versions } = this;
    const bounds = { quorumRoundMaxMs: timing.electionTimeoutMs, ...limits };
    const options = { self, record, stamp: ballotStamp(ballot), reads, completeSinceMs, versions, ...bounds };
    this.service = new LeaderService(options, term, this.state);
    this.service.allConfirmed = this.allConfirmed;
  }

  private apply({ slot, value }: ChosenEntry<GroupBatch>, at: Instant): Sealed | null {
    const applied = this.state.apply(slot, value);
    if (applied.levelRaised !== undefined) this.onLevelRaised(applied.levelRaised);
    const { service, present: replica, state, record } = this;
    const circumstances = { configuration: record.configuration, replica, state, slot };
    const servedBefore = this.isServing;
    service?.onApplied(applied, at.monotonicMs, (node, session) => this.answers.isAnswered(node, session, circumstances));
    if (!servedBefore && this.isServing) this.out.events.push({ type: 'serving', round: replica.leading?.ballot.round ?? 0 });
    if (this.isServing) this.out.changes.push(...applied.events.map((change, index) => ({ slot, index, wallMs: value?.[0] ?? 0, change })));
    this.out.own.push(...ownAnswers(applied, this.options.self.node));
    if (!service) this.out.send.push(...this.answers.toClients(applied, circumstances));
    return applied.sealed;
  }

  /** All can it: what leaves from now on may be written in it. */
  private onLevelRaised(level: number): void {
    this.versions.learn(level);
    this.out.events.push({ type: 'levelRaised', level });
  }

  private ask(from: Proposer, at: Instant): void {
    this.out.send.push(...this.catchUp.ask(from.node, this.state.appliedIndex + 1, at.monotonicMs));
  }

  // Changes of voters.

  /** Every voter of a later configuration answered in it, so that each of them knows that the founding is complete. */
  private hasAllIn({ configuration, leading }: Replica<GroupBatch>): boolean {
    return configuration.id > 1 && leading !== null && configuration.voters.every(({ node }) => leading.appliedBy.has(node));
  }

  /** Null where this seat does not lead, or leads no more once its stop-sign is out. */
  private circumspection(at: Instant): Circumspection | null {
    const { configuration, leading: term, log } = this.present;
    if (!term || !this.isServing || this.out.followedBy) return null;
    const { timing, replaceAfterMs } = this.options;
    return {
      configuration,
      term,
      chosenIndex: log.chosenIndex,
      isReplaced: (incarnation) => this.state.membership.isReplaced(incarnation),
      named: configuration.id > 1 ? this.state.membership.named : foundedNames(configuration, this.options),
      silenceMs: timing.electionTimeoutMs,
      replaceAfterMs: replaceAfterMs ?? Infinity,
      nowMs: at.monotonicMs,
    };
  }

  private maybeChange(at: Instant): void {
    const present = this.circumspection(at);
    if (!present) return;
    const due = this.changes.due(present);
    if (due) return this.changeVoters(due, present, at);
    // In the frame of a heartbeat it costs next to nothing.
    const message = this.out.send.some((sent) => sent.message.type === 'heartbeat') ? this.changes.rosterDue(present) : null;
    if (message) this.out.send.push({ to: { type: 'all' }, message });
  }

  /** Ends this configuration. Nothing is answered from here on: the next one's leader starts over. */
  private changeVoters(decision: Decision & { readonly type: 'change' }, present: Circumspection, at: Instant): void {
    this.service = null;
    const entry = stopSignFor(decision.change, present);
    this.out.events.push({ type: 'votersChanging', configuration: entry[2], ...decision.change, cause: decision.cause });
    this.stepReplica({ type: 'propose', value: [at.wallMs, [entry]], ...momentOf(at) }, at);
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
      const term = this.present.leading;
      const { service } = this;
      if (!term || !service || service.pendingEntries === 0) return;
      const slots = Math.min(window.most, window.least + Math.floor(term.roundTripMs));
      if (term.inFlight.size >= slots) return;
      const batch = service.takeBatch(at.wallMs);
      if (batch) this.stepReplica({ type: 'propose', value: batch, ...momentOf(at) }, at);
    }
  }
}

function momentOf({ monotonicMs, wallMs }: Instant): { readonly nowMs: number; readonly wallMs: number } {
  return { nowMs: monotonicMs, wallMs };
}
