/** The storage port: what a member must find again after a restart. Nothing is said before what it rests on is durable. */
import type { MemberMemory, MemberRecord } from '../group/member.ts';

/** Who a member is, as its storage knows it: the incarnation is minted with empty storage, the run counts process starts. */
export interface StoredIdentity {
  readonly incarnation: string;
  readonly run: number;
}

export interface LoadedMember {
  readonly identity: StoredIdentity;
  readonly memory?: MemberMemory;
}

export interface Storage {
  /** Begins a run: counts it durably, and returns what earlier runs left. `mint` makes an incarnation for empty storage. */
  load(mint: () => string): Promise<LoadedMember>;
  /** Atomic; durable when it returns, or when its promise resolves. A failure stops the member. */
  append(records: readonly MemberRecord[]): void | Promise<void>;
  /** Forgets everything, the incarnation too: the next `load` mints another. */
  discard(): Promise<void>;
}
