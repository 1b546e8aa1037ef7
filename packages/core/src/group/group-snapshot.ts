/** The whole state of a group as plain data, and the hash by which replicas are compared. */
import { createHash } from 'node:crypto';
import type { LockResult } from '../lock/command.ts';
import type { LockTableSnapshot } from '../lock/lock-snapshot.ts';
import type { PartitionTableSnapshot } from '../partition/partition-set.ts';
import type { SessionTableSnapshot } from '../session/session-table.ts';
import type { MembershipSnapshot } from '../paxos/configuration.ts';

/** Rises when a field changes its meaning; a replica refuses a format it does not know. */
export const groupSnapshotFormat = 3;

export interface GroupSnapshot {
  readonly format: typeof groupSnapshotFormat;
  readonly appliedIndex: number;
  /** Of the last `begin`; empty before the first. */
  readonly stamp: string;
  readonly isOpen: boolean;
  /** The feature level. */
  readonly level: number;
  /** The last one granted, or what the next is counted from. */
  readonly token: number;
  readonly sessions: SessionTableSnapshot<LockResult>;
  readonly locks: LockTableSnapshot;
  readonly partitions: PartitionTableSnapshot;
  readonly membership: MembershipSnapshot;
}

/** Equal for equal states only (SHA-256 over the rows in order). Takes time in proportion to the state. */
export function hashOf({ sessions, locks, partitions, ...rest }: GroupSnapshot): string {
  const hash = createHash('sha256');
  const { format, appliedIndex, stamp, isOpen, level, token, membership } = rest;
  hash.update(
    JSON.stringify([format, appliedIndex, stamp, isOpen, level, token, membership, sessions.length, locks.length, partitions.length]),
  );
  for (const row of sessions) hash.update(JSON.stringify(row));
  for (const row of locks) hash.update(JSON.stringify(row));
  for (const row of partitions) hash.update(JSON.stringify(row));
  return hash.digest('hex');
}
