/**
 * The replicated state of a group: sessions, locks and the grant counter, changed by the log's batches in slot order and by
 * nothing else. `docs/protocol.md`, "Applying a batch"; the safety rules 5, 12, 13 and 17.
 */
import { invariant, QuorateError } from '../errors.ts';
import type { CancelOp, LockResult, LockState } from '../lock/command.ts';
import { lockOp, resultCode } from '../lock/command.ts';
import type { LockLimits } from '../lock/lock-table.ts';
import { lockLimitDefaults, LockTable } from '../lock/lock-table.ts';
import type { Operation } from '../operation.ts';
import { PartitionTable } from '../partition/partition-table.ts';
import type { Sealed } from '../paxos/configuration.ts';
import { assign } from '../ring/assignment.ts';
import type {
  Batch,
  CloseSessionEntry,
  Entry,
  ExpireEntry,
  OpenGroupEntry,
  OpenSessionEntry,
  RaiseLevelEntry,
  SessionKey,
  StopSignEntry,
  UseEntry,
} from '../session/command.ts';
import { entryKind, sessionKeyOf, slotOfSession, stopSignOf } from '../session/command.ts';
import type { Session, SessionLimits } from '../session/session-table.ts';
import { sessionsMaxDefault, SessionTable } from '../session/session-table.ts';
import { rowKind } from '../snapshot/row.ts';
import type { GroupRow, GroupTables } from '../snapshot/row.ts';
import { presentLevels } from './feature-level.ts';
import type { FeatureLevels } from './feature-level.ts';
import type { Applied, Ended } from './group-applied.ts';
import { SlotOutcome } from './group-applied.ts';
import type { GroupSnapshot } from './group-snapshot.ts';
import { groupSnapshotFormat, hashOf } from './group-snapshot.ts';
import { Membership } from './membership.ts';
import { isOfPartitions, limitResult, unsupportedResult, withdrawnResult } from './plain-results.ts';

export type { Applied } from './group-applied.ts';

/** Constants of the group: every replica must be given the same. */
export interface GroupLimits extends SessionLimits, LockLimits {}

export const groupLimitDefaults = { sessionsMax: sessionsMaxDefault, ...lockLimitDefaults } as const;

/** A session as others see it. */
export interface SessionInfo {
  readonly key: SessionKey;
  readonly nonce: string;
  readonly node: string;
  readonly instance: string;
  readonly ttlMs: number;
}

export interface GroupCounts {
  readonly sessions: number;
  readonly locks: number;
  readonly waiting: number;
  readonly notes: number;
  readonly partitionSets: number;
}

/** How many tokens a second is worth: a later founding starts above an earlier one that granted fewer a second than this. */
export const tokensPerSecond = 2 ** 22;

/**
 * 1. Before the group is open there is no session, no lock and no token.
 * 2. Whoever holds or waits has a live session, under the same node.
 * 3. No token is above the grant counter, which is a safe integer.
 * 4. A claim above its session's floor is remembered as what it is: `queued`, or `granted` under its token; and what is
 *    remembered as `queued` waits.
 * 5. Sessions and locks were last changed at or under the applied index.
 * 6. Whoever owns a partition has a live session, under the same node, and no token of a partition is above the grant counter.
 */
export class GroupState {
  readonly #levels: FeatureLevels;
  readonly #sessions: SessionTable<LockResult>;
  readonly #locks: LockTable;
  readonly #partitions: PartitionTable;
  readonly #membership = new Membership();
  #appliedIndex = 0;
  #stamp = '';
  #isOpen = false;
  #level = 1;
  #token = 0;
  #outcome = new SlotOutcome(0);

  constructor(limits: Partial<GroupLimits> & Pick<GroupLimits, 'maxSessionTtlMs'>, levels = presentLevels) {
    this.#levels = levels;
    const all: GroupLimits = { ...groupLimitDefaults, ...limits };
    this.#sessions = new SessionTable(all);
    this.#locks = new LockTable(
      {
        nextToken: () => this.#nextToken(),
        onGrant: (session, node, granted) => this.#onGrant(session, node, granted),
      },
      all,
    );
    this.#partitions = new PartitionTable({ nextToken: () => this.#nextToken(), assign }, all.notesMax);
  }

  /** Applies the chosen value of the next slot; `null` is a no-op. */
  apply(slot: number, batch: Batch<Operation> | null): Applied {
    invariant(slot === this.#appliedIndex + 1, 'slots are applied in order');
    this.#outcome = new SlotOutcome(slot);
    this.#locks.beginSlot(slot, batch === null ? 0 : batch[0]);
    const stopSign = batch === null ? null : stopSignOf(batch);
    if (stopSign !== null) this.#stop(slot, stopSign);
    else if (batch !== null) {
      const entries = batch[1];
      for (let index = 0; index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry !== undefined) this.#applyEntry(entry, sessionKeyOf(slot, index));
      }
    }
    this.#appliedIndex = slot;
    return this.#outcome.applied(this.#locks.takeChanges(), this.#partitions.takeChanges());
  }

  /** The last slot applied. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** Of the last `begin`; empty before the first. */
  get stamp(): string {
    return this.#stamp;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The feature level: no command of a later one takes effect. It never falls. */
  get level(): number {
    return this.#level;
  }

  /** The last change of voters; number 1 while the group is in the configuration of its founding. */
  get configuration(): Sealed {
    return this.#membership.last;
  }

  get membership(): Pick<Membership, 'isReplaced' | 'named'> {
    return this.#membership;
  }

  /** The last token granted, or what the next is counted from. */
  get token(): number {
    return this.#token;
  }

  get counts(): GroupCounts {
    return { sessions: this.#sessions.size, ...this.#locks.counts, partitionSets: this.#partitions.size };
  }

  session(key: SessionKey): SessionInfo | undefined {
    return this.#sessions.get(key);
  }

  sessionOfNode(node: string): SessionKey | undefined {
    return this.#sessions.ofNode(node)?.key;
  }

  /** In the order of opening. */
  sessions(): IterableIterator<SessionInfo> {
    return this.#sessions.sessions();
  }

  /** True for a session that was and never will be again; false also for one whose slot is not applied here yet. */
  isEnded(key: SessionKey): boolean {
    return slotOfSession(key) <= this.#appliedIndex && this.#sessions.get(key) === undefined;
  }

  /**
   * What came of a sequence: `unknown` if it never arrived, `pending` while it waits in a queue, else its final answer. At or
   * under the floor only claims are known: a grant is read from the lock it holds, and what has no claim has no effect left.
   */
  lookup(key: SessionKey, seq: number): 'unknown' | 'pending' | LockResult {
    const session = this.#sessions.get(key);
    if (session === undefined) return 'unknown';
    const answer = session.answers.recall(seq);
    if (answer !== undefined) return answer[1] === resultCode.queued ? 'pending' : answer;
    if (seq > session.answers.floor) return 'unknown';
    const claim = this.#locks.claimOf(key, seq);
    if (claim === undefined) return withdrawnResult(seq);
    return claim.token === 0 ? 'pending' : this.#locks.grantedResultOf(claim);
  }

  lockState(resource: string): LockState {
    return this.#locks.stateOf(resource);
  }

  /** The tokens of the partitions that a keep-alive of the session covers, rising. */
  coveredTokens(key: SessionKey): readonly number[] {
    return this.#partitions.coveredTokens(key);
  }

  snapshot(): GroupSnapshot {
    return {
      format: groupSnapshotFormat,
      appliedIndex: this.#appliedIndex,
      stamp: this.#stamp,
      isOpen: this.#isOpen,
      level: this.#level,
      token: this.#token,
      sessions: this.#sessions.snapshot(),
      locks: this.#locks.snapshot(),
      partitions: this.#partitions.snapshot(),
      membership: this.#membership.snapshot(),
    };
  }

  /** Throws `UNSUPPORTED` or `VERSION_GAP`, with nothing changed, for a snapshot of a format or level that this version does not know. */
  restore(snapshot: GroupSnapshot): void {
    if (snapshot.format !== groupSnapshotFormat) {
      const happened = `The snapshot has format ${String(snapshot.format)}, this version knows ${groupSnapshotFormat}.`;
      throw new QuorateError('UNSUPPORTED', happened);
    }
    const { appliedIndex, stamp, isOpen, token, level } = snapshot;
    this.#checkLevel(level);
    this.#sessions.restore(snapshot.sessions);
    this.#locks.restore(snapshot.locks);
    this.#partitions.restore(snapshot.partitions);
    this.#membership.restore(snapshot.membership);
    this.resume(appliedIndex, [rowKind.group, stamp, isOpen, token, level, snapshot.membership]);
  }

  /** What stands in no table, for a snapshot that is written row by row; nothing may be applied meanwhile. */
  get groupRow(): GroupRow {
    return [rowKind.group, this.#stamp, this.#isOpen, this.#token, this.#level, this.#membership.row];
  }

  /** Takes up tables that were filled row by row, as of slot `index`. Throws `VERSION_GAP` where their level is not known here. */
  resume(index: number, [, stamp, isOpen, token, level, membership]: GroupRow): void {
    this.#checkLevel(level);
    this.#membership.resume(membership);
    this.#level = level;
    this.#appliedIndex = index;
    this.#stamp = stamp;
    this.#isOpen = isOpen;
    this.#token = token;
    this.#locks.beginSlot(index, 0);
  }

  /** Equal on replicas that applied the same log, however they came by it. Takes time in proportion to the state. */
  hash(): string {
    return hashOf(this.snapshot());
  }

  /** The tables, for checks and snapshots. */
  get tables(): GroupTables {
    return { replaced: this.#membership, sessions: this.#sessions, locks: this.#locks, partitions: this.#partitions };
  }

  #applyEntry(entry: Entry<Operation>, key: SessionKey): void {
    if (this.#levels.ofEntry(entry) > this.#level) return;
    switch (entry[0]) {
      case entryKind.use:
        return this.#use(entry);
      case entryKind.begin:
        return this.#begin(entry[1]);
      case entryKind.openGroup:
        return this.#openGroup(entry);
      case entryKind.openSession:
        return this.#openSession(entry, key);
      case entryKind.closeSession:
        return this.#closeSession(entry);
      case entryKind.expire:
        return this.#expire(entry);
      case entryKind.raiseLevel:
        return this.#raiseLevel(entry);
      case entryKind.rebalance:
        return entry[2] === this.#stamp ? this.#partitions.rebalance(entry[1], entry[3]) : undefined;
      case entryKind.uncover:
        return entry[2] === this.#stamp ? this.#partitions.uncover(entry[1], entry[3], entry[4]) : undefined;
      case entryKind.free:
        return entry[2] === this.#stamp ? this.#partitions.free(entry[1], entry[3], entry[4]) : undefined;
      default:
        // An entry of a later version: every replica of this one passes over it alike.
        return undefined;
    }
  }

  #use([, key, floor, ops]: UseEntry<Operation>): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return this.#outcome.addUnknown(key);
    session.answers.raiseFloor(floor);
    for (const op of ops) this.#applyOp(session, op);
  }

  /** Drops what is under the floor and answers what came before again; anything else takes effect now, and only now. */
  #applyOp(session: Session<LockResult>, op: Operation): void {
    const { answers, key, node } = session;
    const seq = op[1];
    if (seq <= answers.floor) return;
    // Results are pushed only after the operation: a grant that it causes may be this session's own, and belongs before it.
    const remembered = answers.recall(seq);
    const result = remembered ?? (answers.isBeyond(seq) ? limitResult(seq) : this.#execute(session, op));
    this.#outcome.resultsFor(key, node).push(result);
  }

  #execute(session: Session<LockResult>, op: Operation): LockResult {
    const result = this.#resultOf(session, op);
    session.answers.remember(result);
    return result;
  }

  #resultOf(session: Session<LockResult>, op: Operation): LockResult {
    if (this.#levels.ofOp(op) > this.#level) return unsupportedResult(op[1]);
    if (isOfPartitions(op)) return this.#partitions.apply(session.key, session.node, op);
    return op[0] === lockOp.cancel ? this.#cancel(session, op) : this.#locks.apply(session.key, session.node, op);
  }

  /** The cancelled acquire is remembered as withdrawn, above all if it has yet to arrive. */
  #cancel(session: Session<LockResult>, op: CancelOp): LockResult {
    const { answers, key, node } = session;
    const [, seq, target] = op;
    if (answers.isBeyond(target)) return limitResult(seq);
    const hasEffect = this.#locks.claimOf(key, target) !== undefined;
    const result = this.#locks.apply(key, node, op);
    if (hasEffect || answers.recall(target) === undefined) answers.remember(withdrawnResult(target));
    return result;
  }

  #begin(stamp: string): void {
    this.#stamp = stamp;
    this.#outcome.begun = stamp;
  }

  /** The next configuration begins without a leader, so that nothing of a leader of this one can take effect in it. */
  #stop(slot: number, entry: StopSignEntry): void {
    if (entry[1] !== this.#stamp) return;
    this.#outcome.sealed = this.#membership.onStopSign(slot, entry);
    if (this.#outcome.sealed !== null) this.#stamp = '';
  }

  #openGroup([, stamp, tokenSecond]: OpenGroupEntry): void {
    if (stamp !== this.#stamp || this.#isOpen) return;
    this.#token = Math.max(this.#token, tokenSecond * tokensPerSecond);
    invariant(Number.isSafeInteger(this.#token), 'the grant counter is a safe integer');
    this.#isOpen = true;
    this.#outcome.groupOpened = true;
  }

  #raiseLevel([, stamp, level]: RaiseLevelEntry): void {
    if (stamp !== this.#stamp || level <= this.#level) return;
    this.#checkLevel(level);
    this.#level = level;
    this.#outcome.levelRaised = level;
  }

  /** A voter that was put back to a version before the group's applies nothing more: it would not know what it applies. */
  #checkLevel(level: number): void {
    const { newest } = this.#levels;
    if (level <= newest) return;
    const details = { level, newest };
    throw new QuorateError('VERSION_GAP', `The group works at level ${level}; this process can up to ${newest}.`, { details });
  }

  #openSession([, nonce, node, instance, ttlMs, replaces]: OpenSessionEntry, key: SessionKey): void {
    if (!this.#isOpen) return this.#outcome.addRefused({ nonce, node, instance, reason: 'closed' });
    const outcome = this.#sessions.open(key, { nonce, node, instance, ttlMs, replaces });
    if (outcome.type === 'refused') return this.#outcome.addRefused({ nonce, node, instance, reason: outcome.reason });
    const { session, retried, replaced } = outcome;
    if (replaced !== null) this.#onEnded(replaced, 'replaced');
    this.#outcome.addOpened({ nonce, node, instance, session: session.key, ttlMs: session.ttlMs, retried });
  }

  #closeSession([, key]: CloseSessionEntry): void {
    const session = this.#sessions.end(key);
    if (session === undefined) return this.#outcome.addUnknown(key);
    this.#onEnded(session, 'closed');
  }

  #expire([, key, stamp]: ExpireEntry): void {
    if (stamp !== this.#stamp) return;
    const session = this.#sessions.end(key);
    if (session !== undefined) this.#onEnded(session, 'expired');
  }

  #onEnded(session: Session<LockResult>, reason: Ended['reason']): void {
    // A process names its last session in an open only once that is lost to it, so nothing was given back.
    this.#locks.endSession(session.key, reason !== 'closed');
    this.#partitions.endSession(session.key, session.node);
    this.#outcome.addEnded({ session: session.key, node: session.node, reason });
  }

  #onGrant(key: SessionKey, node: string, granted: LockResult): void {
    this.#sessions.get(key)?.answers.remember(granted);
    this.#outcome.resultsFor(key, node).push(granted);
  }

  #nextToken(): number {
    this.#token += 1;
    invariant(this.#isOpen && Number.isSafeInteger(this.#token), 'a token is a safe integer, granted in an open group');
    return this.#token;
  }
}
