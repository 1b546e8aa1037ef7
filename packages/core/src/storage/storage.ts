/** The storage port: what a member must find again after a restart. Nothing is said before what it rests on is durable. */
import type { MemberMemory, MemberRecord } from '../group/member.ts';
import type { StoredSnapshot } from '../group/stored-snapshot.ts';

export type { MemberRecord } from '../group/member.ts';
export type { StoredSnapshot } from '../group/stored-snapshot.ts';

/** Who a member is, as its storage knows it: the incarnation is minted with empty storage, the run counts process starts. */
export interface StoredIdentity {
  readonly incarnation: string;
  readonly run: number;
}

export interface LoadedMember {
  readonly identity: StoredIdentity;
  readonly memory?: MemberMemory;
}

/**
 * 1. What was acknowledged is found again by every later `load`, whatever happened to the process meanwhile.
 * 2. What was not acknowledged is found whole or not at all, and never without all that was appended before it.
 * 3. One process writes at a time. A second is refused, or it fences the first off; either way with STORAGE_IN_USE.
 * 4. What a crash can leave behind is put right in silence; what it cannot is STORAGE_CORRUPT, and nothing is changed.
 *
 * A store keeps bytes only: `encodeRecord` and `readRecord` make them, and `beginRun` decides what a start finds.
 */
export interface Storage {
  /**
   * Begins a run: counts it durably before it resolves, and returns what earlier runs left. `mint` makes an incarnation for empty
   * storage. Called again after `discard` on the same object. Rejects with STORAGE_IN_USE, STORAGE_CORRUPT, STORAGE_VERSION or
   * STORAGE_FAILED.
   */
  load(mint: () => string): Promise<LoadedMember>;
  /**
   * Atomic, and in the order of the calls, which need not wait for each other. Durable when it returns, or when its promise resolves.
   * Without records it is a write all the same, and proves that no later run has taken over. A failure, or an outcome that is not
   * known, ends the run: the member stops, and every later write fails too. STORAGE_IN_USE says that a later run took over.
   */
  append(records: readonly MemberRecord[]): void | Promise<void>;
  /**
   * From now on the snapshot and `records` stand for all that was appended before this call; what is appended after it comes after
   * them. Atomic: until it resolves a `load` finds either the old or the new, never a mix, so chunks are written under keys of their
   * own and the pointer to them last. Appends go on meanwhile. One at a time. A failure ends the run.
   */
  compact(snapshot: StoredSnapshot, records: readonly MemberRecord[]): Promise<void>;
  /** Forgets everything, the incarnation too: the next `load` mints another. */
  discard(): Promise<void>;
  /** Lets the next process in, once what was appended is durable. The storage is not used afterwards. */
  close?(): Promise<void>;
  /**
   * In milliseconds, for a store on which an earlier run may be at work without knowing of this one (one in a broker, where a process
   * that was cut off learns only from its next write that it is fenced): a run grants leases only for this long after its last successful
   * append, and a new run waits this long more before it promises anything. Absent where `load` succeeds only once no other run is alive.
   */
  readonly zombieMs?: number;
  /** It ends with its process, so that no snapshot need be written for it. */
  readonly isVolatile?: true;
}
