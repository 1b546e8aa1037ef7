/**
 * What a member does for all others while it leads: it gathers their requests into batches, answers keep-alives, ends silent
 * sessions and opens the group. The safety rules 5, 6, 9 and 12; `docs/protocol.md`, "What a leader may answer".
 */
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import { isPartitionsState } from '../operation.ts';
import { PartitionSteward } from '../partition/partition-steward.ts';
import type { PartitionDecision } from '../partition/partition-steward.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import type { LeaderTerm } from '../paxos/leader.ts';
import type { Slot } from '../paxos/message.ts';
import { entriesPerBatchMax, entryKind } from '../session/command.ts';
import type { SessionKey } from '../session/command.ts';
import { runsOf } from '../session/runs.ts';
import { tupleRunsOf } from './tuple-runs.ts';
import { SessionSteward } from '../session/session-steward.ts';
import type { Applied } from './group-applied.ts';
import type { GroupState } from './group-state.ts';
import type { VersionWatch } from './version-watch.ts';
import type { GroupBatch, GroupEntry, GroupSessionMessage } from './member-message.ts';
import { changedResources, newsOf, sessionViewOf } from './watched-states.ts';

export interface ServiceOptions {
  readonly self: Proposer;
  readonly record: FoundingRecord;
  readonly stamp: string;
  readonly reads: 'lease' | 'quorum';
  readonly batchBytesMax: () => number;
  readonly sizeOfEntry: (entry: GroupEntry) => number;
  readonly sizeOfTuple: (tuple: Operation | OperationResult) => number;
  /** When this member learned that its founding is complete, on the monotonic clock. */
  readonly completeSinceMs: number;
  /** A quorum round older than this proves nothing about now. */
  readonly quorumRoundMaxMs: number;
  /** Who can which version. Absent: the level stays. */
  readonly versions?: Pick<VersionWatch, 'commonAbove'>;
}

export interface Answer {
  readonly node: string;
  readonly message: GroupSessionMessage;
}

interface Parked {
  readonly from: Proposer;
  readonly message: GroupSessionMessage;
  readonly arrivedMs: number;
  /** A read waits until what had been proposed when it came is applied: followers may have learned it first. */
  readonly afterSlot: Slot;
}

/** More requests than this wait for a begin or a quorum round only in a process that is lost anyway; the rest are resent. */
const parkedMax = 16_384;

/**
 * 1. Nothing is answered before the `begin` of its ballot is applied, nor without the lease (or a quorum round after the arrival).
 * 2. Whatever it derives from its clock carries its stamp and is proposed only while it holds the lease.
 * 3. What waits here is lost with the term: whoever asked asks again.
 */
export class LeaderService {
  private steward: SessionSteward<Operation, OperationResult, WatchedState> | null = null;
  private partitions: PartitionSteward | null = null;
  private parked: Parked[] = [];
  private readsParked = false;
  /** The newest open of each node that came before the group was open: refused, and told when to ask again. */
  private readonly early = new Map<string, string>();
  private pending: GroupEntry[] = [];
  private pendingBytes = 0;
  private opening = false;
  private proposedLevel = 0;
  private answers: Answer[] = [];

  constructor(
    private readonly options: ServiceOptions,
    private readonly term: LeaderTerm<GroupBatch>,
    private readonly state: GroupState,
  ) {}

  get isServing(): boolean {
    return this.steward !== null;
  }

  get pendingEntries(): number {
    return this.pending.length;
  }

  /** Answers that arose since the last call. */
  takeAnswers(): readonly Answer[] {
    const { answers } = this;
    if (answers.length > 0) this.answers = [];
    return answers;
  }

  onMessage(from: Proposer, message: GroupSessionMessage, nowMs: number): void {
    this.take({ from, message, arrivedMs: nowMs, afterSlot: this.term.nextSlot - 1 }, nowMs);
  }

  private take(parked: Parked, nowMs: number): void {
    const { from, message, arrivedMs } = parked;
    const steward = this.steward;
    if (!steward) return this.park(parked);
    switch (message.type) {
      case 'submit':
        return this.submit(from, message);
      case 'keepAlive': {
        if (!this.mayAnswer(arrivedMs, nowMs)) return this.park(parked);
        const answer = steward.onKeepAlive(from.node, message, arrivedMs);
        if (answer) this.answerKeepAlive(from.node, answer);
        if (answer?.type === 'keptAlive') this.answerAll(steward.onMissed(from.node, message));
        return;
      }
      case 'watch':
        if (!this.mayAnswer(arrivedMs, nowMs) || this.state.appliedIndex < parked.afterSlot) return this.parkRead(parked);
        return this.answerAll(steward.onWatch(from.node, message));
      case 'openSession':
        return this.openSession(steward, from, message, nowMs);
      case 'closeSession':
        return this.closeSession(steward, from, message.session);
      default:
        // Answers of leaders mean nothing to one.
        return;
    }
  }

  /** Once a heartbeat period and at every answer to one: what waited for a quorum round or the begin is tried again. */
  retryParked(nowMs: number): void {
    if (this.parked.length === 0 || !this.steward) return;
    const { parked } = this;
    this.parked = [];
    this.readsParked = false;
    for (const request of parked) this.take(request, nowMs);
  }

  /** None is taken up: whoever asked may have gone since, and its name would be taken until that session runs out. */
  private callEarly(): void {
    for (const [node, nonce] of this.early) this.answer(node, { type: 'openRefused', nonce, reason: 'closed', waitMs: 0 });
    this.early.clear();
  }

  onTick(nowMs: number): void {
    if (!this.steward) return;
    const authorityMs = this.authorityMs(nowMs);
    for (const entry of this.steward.expire(nowMs, authorityMs)) this.add(entry);
    for (const decision of this.partitions?.due(nowMs, authorityMs) ?? []) this.add(this.entryOf(decision));
    this.maybeOpenGroup(nowMs);
    this.maybeRaiseLevel();
    this.retryParked(nowMs);
  }

  /** Milliseconds until the group may open; 0 once it did or may. */
  opensInMs(nowMs: number): number {
    if (this.state.isOpen || this.options.record.firstFounding) return 0;
    return Math.max(0, this.options.completeSinceMs + this.options.record.maxSessionTtlMs - nowMs);
  }

  /** Set by the member once every founder confirmed that it knows completion. */
  allConfirmed = false;

  /** The next batch, or null. The member proposes it if the window has room. */
  takeBatch(wallMs: number): GroupBatch | null {
    if (this.pending.length === 0) return null;
    const bytesMax = this.options.batchBytesMax();
    if (this.pendingBytes <= bytesMax && this.pending.length < entriesPerBatchMax) {
      const batch: GroupBatch = [wallMs, this.pending];
      this.pending = [];
      this.pendingBytes = 0;
      return batch;
    }
    let count = 0;
    let bytes = 0;
    for (const entry of this.pending) {
      const size = this.options.sizeOfEntry(entry);
      if (count > 0 && (bytes + size > bytesMax || count + 1 >= entriesPerBatchMax)) break;
      bytes += size;
      count += 1;
    }
    this.pendingBytes -= bytes;
    return [wallMs, this.pending.splice(0, count)];
  }

  add(entry: GroupEntry): void {
    this.pending.push(entry);
    this.pendingBytes += this.options.sizeOfEntry(entry);
  }

  /** After each application. `isAnswered` tells whose results need no frame from here. */
  onApplied(applied: Applied, nowMs: number, isAnswered: (node: string, session: SessionKey) => boolean): void {
    if (applied.begun === this.options.stamp) this.begin(nowMs);
    const steward = this.steward;
    if (!steward) return;
    if (applied.groupOpened) this.callEarly();
    for (const { session, node, results } of applied.replies) {
      if (!isAnswered(node, session)) this.reply(node, session, results);
    }
    for (const opened of applied.opened) {
      steward.opened(opened.session, opened.ttlMs, nowMs);
      this.answer(opened.node, { type: 'sessionOpened', nonce: opened.nonce, session: opened.session, ttlMs: opened.ttlMs });
    }
    for (const { nonce, node, reason } of applied.refused) {
      const living = this.state.session(this.state.sessionOfNode(node) ?? 0);
      if (living) steward.livesOn(living.key, living.ttlMs, nowMs);
      const waitMs = reason === 'ttlTooLong' ? this.options.record.maxSessionTtlMs : this.waitMs(steward, node, nowMs);
      this.answer(node, { type: 'openRefused', nonce, reason, waitMs });
    }
    for (const { session, node } of applied.ended) {
      steward.ended(session, node);
      this.answer(node, { type: 'sessionEnded', session });
    }
    if (this.readsParked) this.retryParked(nowMs);
    if (applied.partitions.size > 0) this.partitions?.onApplied(applied.partitions, nowMs);
    if (steward.hasWatchers && applied.changed.size + applied.partitions.size > 0) {
      this.answerAll(steward.changed(changedResources(applied), newsOf(this.state, applied, this.options.batchBytesMax())));
    }
  }

  private entryOf(decision: PartitionDecision): GroupEntry {
    const { stamp } = this.options;
    if (decision.type === 'rebalance') return [entryKind.rebalance, decision.set, stamp, decision.gone];
    return [entryKind[decision.type], decision.set, stamp, decision.partition, decision.token];
  }

  private begin(nowMs: number): void {
    const { state } = this;
    const { stamp, quorumRoundMaxMs, batchBytesMax } = this.options;
    const { partitions: table } = state.tables;
    const partitions = new PartitionSteward(
      { sets: () => table.sets(), set: (name) => table.set(name), ttlMsOf: (session) => state.session(session)?.ttlMs ?? 0 },
      nowMs,
    );
    const view = sessionViewOf(state, batchBytesMax);
    const cut = (states: readonly WatchedState[]): readonly (readonly WatchedState[])[] => runsOf(states, sizeOfState, batchBytesMax());
    this.partitions = partitions;
    this.steward = new SessionSteward(view, stamp, nowMs, quorumRoundMaxMs, cut, (token) => partitions.covers(token));
    this.maybeOpenGroup(nowMs);
    this.retryParked(nowMs);
  }

  private submit(from: Proposer, message: Extract<GroupSessionMessage, { type: 'submit' }>): void {
    const { session, floor, ops } = message;
    if (this.state.isEnded(session)) return this.answer(from.node, { type: 'sessionEnded', session });
    for (const run of this.runsOfTuples(ops)) this.add([entryKind.use, session, floor, run]);
  }

  private openSession(
    steward: SessionSteward<Operation, OperationResult, WatchedState>,
    from: Proposer,
    message: Extract<GroupSessionMessage, { type: 'openSession' }>,
    nowMs: number,
  ): void {
    const { nonce, ttlMs, replaces } = message;
    const instance = instanceOf(from);
    if (!this.state.isOpen) {
      if (this.early.size < parkedMax) this.early.set(from.node, nonce);
      return this.answer(from.node, { type: 'openRefused', nonce, reason: 'closed', waitMs: Math.max(1, this.opensInMs(nowMs)) });
    }
    // Only the process that had the session can give it up; a namesake is refused, and the session lives.
    const given = this.state.session(replaces);
    if (given?.node === from.node && given.instance === instance) steward.beginEnding(replaces);
    this.add([entryKind.openSession, nonce, from.node, instance, ttlMs, replaces]);
  }

  private closeSession(steward: SessionSteward<Operation, OperationResult, WatchedState>, from: Proposer, session: number): void {
    if (this.state.isEnded(session)) return this.answer(from.node, { type: 'sessionEnded', session });
    if (this.state.session(session)?.node !== from.node) return;
    steward.beginEnding(session);
    this.add([entryKind.closeSession, session]);
  }

  /** The end of the wait after a founding, by a leader that itself waited the whole time. */
  private maybeOpenGroup(nowMs: number): void {
    if (this.opening || this.state.isOpen || !this.allConfirmed) return;
    if (this.opensInMs(nowMs) > 0 || this.authorityMs(nowMs) < nowMs - this.options.quorumRoundMaxMs) return;
    this.opening = true;
    this.add([entryKind.openGroup, this.options.stamp, this.options.record.tokenSecond]);
  }

  /**
   * To what every voter of the configuration can, and every process with a session: one that cannot would understand nothing more.
   * None is left behind by a raise, so each is upgraded before the version after the next comes.
   */
  private maybeRaiseLevel(): void {
    const { versions, stamp } = this.options;
    const known = Math.max(this.state.level, this.proposedLevel);
    const level = versions?.commonAbove(known, this.term.configuration.voters, this.state.sessions());
    if (level === null || level === undefined) return;
    this.proposedLevel = level;
    this.add([entryKind.raiseLevel, stamp, level]);
  }

  private waitMs(steward: SessionSteward<Operation, OperationResult, WatchedState>, node: string, nowMs: number): number {
    const session = this.state.sessionOfNode(node);
    return session === undefined ? 0 : steward.remainingMs(session, nowMs);
  }

  private holdsLease(nowMs: number): boolean {
    return nowMs < this.term.lease.heldUntilMs();
  }

  /** Up to when this leader knows that it led: now under the lease, else the sending of the newest heartbeat that a majority answered. */
  private authorityMs(nowMs: number): number {
    return this.options.reads === 'lease' && this.holdsLease(nowMs) ? nowMs : this.term.lease.majorityAnsweredMs();
  }

  private mayAnswer(arrivedMs: number, nowMs: number): boolean {
    if (this.options.reads === 'lease' && this.holdsLease(nowMs)) return true;
    return this.term.lease.majorityAnsweredMs() > arrivedMs;
  }

  private park(parked: Parked): void {
    if (this.parked.length < parkedMax) this.parked.push(parked);
  }

  private parkRead(parked: Parked): void {
    this.readsParked = true;
    this.park(parked);
  }

  /** A keep-alive's answer always fits: what it reveals beyond a frame follows as replies. */
  private answerKeepAlive(node: string, answer: GroupSessionMessage): void {
    if (answer.type !== 'keptAlive') return this.answer(node, answer);
    const [first = [], ...rest] = this.runsOfTuples(answer.results);
    this.answer(node, { ...answer, results: first });
    for (const results of rest) this.answer(node, { type: 'replies', session: answer.session, results });
  }

  private reply(node: string, session: SessionKey, all: readonly OperationResult[]): void {
    for (const results of this.runsOfTuples(all)) this.answer(node, { type: 'replies', session, results });
  }

  private runsOfTuples<T extends Operation | OperationResult>(tuples: readonly T[]): readonly (readonly T[])[] {
    return tupleRunsOf(tuples, this.options);
  }

  private answerAll(answers: readonly Answer[]): void {
    for (const { node, message } of answers) this.answer(node, message);
  }

  private answer(node: string, message: GroupSessionMessage): void {
    this.answers.push({ node, message });
  }
}

/** From above: a text takes at most three bytes for a UTF-16 unit. */
function sizeOfState(state: WatchedState): number {
  if (isPartitionsState(state)) {
    const { members, rows } = state;
    const names = [...(members?.rows ?? []).map(([node]) => node), ...(members?.pins ?? []).map(([, node]) => node)];
    const texts = [
      state.resource,
      ...names,
      ...rows.flatMap(([, , node, , home, note, refusedBy = []]) => [node, home, note ?? '', ...refusedBy]),
    ];
    return texts.reduce((bytes, text) => bytes + 5 + 3 * text.length, 64 + 24 * (rows.length + names.length));
  }
  const { resource, holders, waiters, note } = state;
  const texts = [resource, note ?? '', ...waiters, ...holders.flatMap(({ node, value }) => [node, value ?? ''])];
  return texts.reduce((bytes, text) => bytes + 5 + 3 * text.length, 64 + 40 * holders.length);
}

/** A process start as sessions know it. */
export function instanceOf({ incarnation, run }: Proposer): string {
  return `${incarnation}.${run}`;
}
