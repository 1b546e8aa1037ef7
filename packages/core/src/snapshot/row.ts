/**
 * The rows that a group's state is written down as: each small whatever the state, for what grows without end has rows of its own.
 * `docs/protocol.md`, "Snapshots"; `docs/decisions/0012-snapshots.md`.
 */
import type { LockResult } from '../lock/command.ts';
import type { LockTable } from '../lock/lock-table.ts';
import type { MembershipSnapshot } from '../paxos/configuration.ts';
import type { PartitionTable } from '../partition/partition-table.ts';
import type { SessionKey } from '../session/command.ts';
import type { SessionTable } from '../session/session-table.ts';

/** Rises when a row changes its meaning; a replica refuses a format that it does not know. */
export const snapshotFormat = 1;

/** A number is never given to another kind. */
export const rowKind = {
  group: 0,
  session: 1,
  answer: 2,
  lock: 3,
  claim: 4,
  set: 5,
  member: 6,
  excluded: 7,
  pin: 8,
  refusal: 9,
  partition: 10,
  replaced: 11,
} as const;

/** The first row, and the only one of its kind: of the last `begin`, the last token granted, the feature level, and who votes, but not who was replaced. */
export type GroupRow = readonly [
  kind: typeof rowKind.group,
  stamp: string,
  isOpen: boolean,
  token: number,
  level: number,
  membership: MembershipSnapshot,
];

/** An incarnation that lost its seat, and is never given one again: there are more of them with every rollout. */
export type ReplacedRow = readonly [kind: typeof rowKind.replaced, incarnation: string];

/** In the order of opening, each followed by what it was answered. */
export type SessionRow = readonly [
  kind: typeof rowKind.session,
  key: SessionKey,
  nonce: string,
  node: string,
  instance: string,
  ttlMs: number,
  replaces: SessionKey,
  floor: number,
];
/** Of the session before it, by sequence. */
export type AnswerRow = readonly [kind: typeof rowKind.answer, ...result: LockResult];

/** In the order in which they came into the table, each followed by who holds it and who waits for it. */
export type LockRow = readonly [kind: typeof rowKind.lock, resource: string, version: number, note: string | null];
/** Of the lock before it. It holds under its token, or waits if that is 0; waiters in their order, after the holders. */
export type ClaimRow = readonly [
  kind: typeof rowKind.claim,
  session: SessionKey,
  node: string,
  seq: number,
  want: number,
  token: number,
  sinceWallMs: number,
  value: string | null,
];

/** In the order in which they were made, each followed by what belongs to it; partitions by number. */
export type SetRow = readonly [
  kind: typeof rowKind.set,
  name: string,
  count: number,
  graceMs: number,
  settleMs: number,
  isUnsettled: boolean,
];
export type MemberRow = readonly [
  kind: typeof rowKind.member,
  node: string,
  session: SessionKey,
  weight: number,
  drainTimeoutMs: number,
  isDrained: boolean,
  isLeaving: boolean,
];
export type ExcludedRow = readonly [kind: typeof rowKind.excluded, node: string];
export type PinRow = readonly [kind: typeof rowKind.pin, partition: number, node: string];
export type RefusalRow = readonly [kind: typeof rowKind.refusal, partition: number, node: string];
export type PartitionRow = readonly [
  kind: typeof rowKind.partition,
  home: string,
  node: string,
  session: SessionKey,
  token: number,
  isRevoked: boolean,
  isCovered: boolean,
  note: string | null,
];

export type SnapshotRow =
  | GroupRow
  | ReplacedRow
  | SessionRow
  | AnswerRow
  | LockRow
  | ClaimRow
  | SetRow
  | MemberRow
  | ExcludedRow
  | PinRow
  | RefusalRow
  | PartitionRow;

/** What the rows are taken from and put into. */
export interface GroupTables {
  readonly replaced: ReplacedIncarnations;
  readonly sessions: SessionTable<LockResult>;
  readonly locks: LockTable;
  readonly partitions: PartitionTable;
}

export interface ReplacedIncarnations {
  /** In the order in which they lost their seats. */
  replaced(): Iterable<string>;
  /** False for one that is known already. */
  restoreReplaced(incarnation: string): boolean;
}

/** The rows as bytes: the wire's own, which this level does not know. */
export interface RowCodec {
  /** At least as many bytes as the row takes. */
  readonly sizeOf: (row: SnapshotRow) => number;
  /** Equal rows are equal bytes. */
  readonly pack: (rows: readonly SnapshotRow[]) => Uint8Array;
  /** Total: null for bytes that `pack` did not write. */
  readonly unpack: (chunk: Uint8Array) => readonly SnapshotRow[] | null;
  readonly packHeader: (header: SnapshotHeader) => Uint8Array;
  readonly unpackHeader: (bytes: Uint8Array) => SnapshotHeader | null;
}

/** What a snapshot says of itself before its rows. */
export interface SnapshotHeader {
  readonly format: number;
  readonly founding: string;
  /** The number of the configuration that decided the last slot in it. */
  readonly configuration: number;
  /** The last slot that is in it. */
  readonly index: number;
  readonly rows: number;
  readonly chunks: number;
  /**
   * SHA-256 over all chunks and all of the above, in hexadecimal. It names the snapshot: replicas that applied the same log up to the
   * same slot write the same one, so what was begun with one of them can be finished with another.
   */
  readonly hash: string;
}

export interface Snapshot {
  readonly header: SnapshotHeader;
  readonly chunks: readonly Uint8Array[];
}
