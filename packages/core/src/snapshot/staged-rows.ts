/** Puts rows back into empty tables, one after the other. Total: a row that does not fit is refused, with nothing changed by it. */
import type { Lock } from '../lock/claim.ts';
import type { LockResult } from '../lock/command.ts';
import { hasRoom } from '../lock/claim.ts';
import { fitsNote } from '../note.ts';
import { partitionsInAllMax, setsMax } from '../partition/command.ts';
import { emptySet } from '../partition/partition-set.ts';
import type { PartitionSet } from '../partition/partition-set.ts';
import { slotOfSession } from '../session/command.ts';
import type { Session } from '../session/session-table.ts';
import { rowKind } from './row.ts';
import type {
  AnswerRow,
  ClaimRow,
  GroupRow,
  GroupTables,
  LockRow,
  MemberRow,
  PartitionRow,
  SessionRow,
  SetRow,
  SnapshotRow,
} from './row.ts';

/**
 * 1. The group's row comes first and once; a row that belongs to another follows it.
 * 2. Whatever would break a rule of the tables themselves is refused. That the rows are those of the group, the hash alone tells.
 */
export class StagedRows {
  private groupRow: GroupRow | null = null;
  private session: Session<LockResult> | null = null;
  private lock: Lock | null = null;
  private set: PartitionSet | null = null;
  private partitions = 0;

  constructor(
    private readonly tables: GroupTables,
    /** The last slot of the snapshot: nothing in it is younger. */
    private readonly index: number,
  ) {}

  get group(): GroupRow | null {
    return this.groupRow;
  }

  /** False for a row that has no place here. */
  add(row: SnapshotRow): boolean {
    if (row[0] === rowKind.group) return this.addGroup(row);
    if (this.groupRow === null) return false;
    switch (row[0]) {
      case rowKind.replaced:
        return this.tables.replaced.restoreReplaced(row[1]);
      case rowKind.session:
        return this.addSession(row);
      case rowKind.answer:
        return this.addAnswer(row);
      case rowKind.lock:
        return this.addLock(row);
      case rowKind.claim:
        return this.addClaim(row, this.groupRow[3]);
      case rowKind.set:
        return this.addSet(row);
      default:
        return this.set !== null && this.addToSet(this.set, row, this.groupRow[3]);
    }
  }

  private addGroup(row: GroupRow): boolean {
    if (this.groupRow !== null) return false;
    this.groupRow = row;
    return true;
  }

  private addSession([, key, nonce, node, instance, ttlMs, replaces, floor]: SessionRow): boolean {
    const { sessions } = this.tables;
    if (slotOfSession(key) > this.index || key <= (this.session?.key ?? 0) || sessions.ofNode(node)) return false;
    if (ttlMs > sessions.limits.maxSessionTtlMs || sessions.size >= sessions.limits.sessionsMax) return false;
    this.session = sessions.restoreSession({ key, nonce, node, instance, ttlMs, replaces, floor });
    return true;
  }

  private addAnswer([, ...answer]: AnswerRow): boolean {
    const answers = this.session?.answers;
    const [seq] = answer;
    if (!answers || seq <= answers.floor || answers.isBeyond(seq) || answers.recall(seq) !== undefined) return false;
    answers.remember(answer);
    return true;
  }

  private addLock([, resource, version, note]: LockRow): boolean {
    const { locks } = this.tables;
    if (version > this.index || locks.has(resource) || !this.hasRoomForNote(note, locks.counts.notes)) return false;
    this.lock = locks.restoreLock(resource, version, note);
    return true;
  }

  private addClaim([, ...claim]: ClaimRow, highestToken: number): boolean {
    const { lock } = this;
    const { locks, sessions } = this.tables;
    const [session, node, seq, , token] = claim;
    if (!lock || token > highestToken || sessions.get(session)?.node !== node || locks.claimOf(session, seq)) return false;
    if (hasRoom(lock) !== token > 0 || (lock.waiters?.size ?? 0) >= locks.limits.waitersMax) return false;
    if (token > 0) locks.restoreHolder(lock, claim);
    else locks.restoreWaiter(lock, claim);
    return true;
  }

  private addSet([, name, count, graceMs, settleMs, isUnsettled]: SetRow): boolean {
    const { partitions } = this.tables;
    if (partitions.size >= setsMax || partitions.set(name)) return false;
    this.set = { ...emptySet(name, 0, graceMs, settleMs), count, isUnsettled };
    partitions.restoreSet(this.set);
    return true;
  }

  private addToSet(set: PartitionSet, row: SnapshotRow, highestToken: number): boolean {
    switch (row[0]) {
      case rowKind.member:
        return addMember(set, row);
      case rowKind.excluded:
        set.excluded.add(row[1]);
        return true;
      case rowKind.pin:
        set.pins.set(row[1], row[2]);
        return true;
      case rowKind.refusal:
        set.refusals.set(row[1], (set.refusals.get(row[1]) ?? new Set()).add(row[2]));
        return true;
      case rowKind.partition:
        return row[4] <= highestToken && this.addPartition(set, row);
      default:
        return false;
    }
  }

  private addPartition(set: PartitionSet, row: PartitionRow): boolean {
    const [, home, node, session, token, isRevoked, isCovered, note] = row;
    const { partitions, sessions } = this.tables;
    const isOwned = token > 0;
    if (this.partitions >= partitionsInAllMax || !this.hasRoomForNote(note, partitions.notes) || isOwned !== session > 0) return false;
    if (isOwned && sessions.get(session)?.node !== node) return false;
    this.partitions += 1;
    partitions.restorePartition(set, { home, node, session, token, isRevoked, isCovered, note });
    return true;
  }

  private hasRoomForNote(note: string | null, notes: number): boolean {
    return note === null || (note !== '' && fitsNote(note) && notes < this.tables.locks.limits.notesMax);
  }
}

function addMember(set: PartitionSet, [, node, session, weight, drainTimeoutMs, isDrained, isLeaving]: MemberRow): boolean {
  if (set.members.has(node)) return false;
  set.members.set(node, { node, session, weight, drainTimeoutMs, isDrained, isLeaving });
  return true;
}
