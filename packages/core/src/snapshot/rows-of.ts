/** A group's state as rows, one at a time: whoever takes them may stop after any, so long as nothing is applied meanwhile. */
import type { Lock } from '../lock/claim.ts';
import type { LockResult } from '../lock/command.ts';
import type { PartitionSet } from '../partition/partition-set.ts';
import type { Session } from '../session/session-table.ts';
import { rowKind } from './row.ts';
import type { GroupRow, GroupTables, SnapshotRow } from './row.ts';

export function* rowsOf(group: GroupRow, { replaced, sessions, locks, partitions }: GroupTables): IterableIterator<SnapshotRow> {
  yield group;
  for (const incarnation of replaced.replaced()) yield [rowKind.replaced, incarnation];
  for (const session of sessions.sessions()) yield* rowsOfSession(session);
  for (const lock of locks.locks()) yield* rowsOfLock(lock);
  for (const set of partitions.sets()) yield* rowsOfSet(set);
}

function* rowsOfSession(session: Session<LockResult>): IterableIterator<SnapshotRow> {
  const { key, nonce, node, instance, ttlMs, replaces, answers } = session;
  yield [rowKind.session, key, nonce, node, instance, ttlMs, replaces, answers.floor];
  for (const answer of answers.answers()) yield [rowKind.answer, ...answer];
}

function* rowsOfLock({ resource, version, note, holders, waiters }: Lock): IterableIterator<SnapshotRow> {
  yield [rowKind.lock, resource, version, note];
  for (const claims of [holders, waiters ?? []]) {
    for (const { session, node, seq, want, token, sinceWallMs, value } of claims) {
      yield [rowKind.claim, session, node, seq, want, token, sinceWallMs, value];
    }
  }
}

function* rowsOfSet(set: PartitionSet): IterableIterator<SnapshotRow> {
  yield [rowKind.set, set.name, set.count, set.graceMs, set.settleMs, set.isUnsettled];
  for (const { node, session, weight, drainTimeoutMs, isDrained, isLeaving } of set.members.values()) {
    yield [rowKind.member, node, session, weight, drainTimeoutMs, isDrained, isLeaving];
  }
  for (const node of set.excluded) yield [rowKind.excluded, node];
  for (const [partition, node] of set.pins) yield [rowKind.pin, partition, node];
  for (const [partition, nodes] of set.refusals) for (const node of nodes) yield [rowKind.refusal, partition, node];
  for (const { home, node, session, token, isRevoked, isCovered, note } of set.partitions) {
    yield [rowKind.partition, home, node, session, token, isRevoked, isCovered, note];
  }
}
