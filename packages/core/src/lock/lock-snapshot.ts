/** A lock as flat rows of plain data, for snapshots of the table. */
import type { Claim, Lock } from './claim.ts';

// locks  => lock*                                             in the order in which they came into the table
// lock   => resource version note holders:claim* waiters:claim*
// claim  => session node seq want token sinceWallMs value     token 0: waits
export type LockTableSnapshot = readonly LockRow[];

export type LockRow = readonly [
  resource: string,
  version: number,
  note: string | null,
  holders: readonly ClaimRow[],
  waiters: readonly ClaimRow[],
];

export type ClaimRow = readonly [
  session: number,
  node: string,
  seq: number,
  want: number,
  token: number,
  sinceWallMs: number,
  value: string | null,
];

export function rowOf(lock: Lock): LockRow {
  const waiters = lock.waiters === null ? [] : Array.from(lock.waiters, claimRowOf);
  return [lock.resource, lock.version, lock.note, lock.holders.map(claimRowOf), waiters];
}

function claimRowOf({ session, node, seq, want, token, sinceWallMs, value }: Claim): ClaimRow {
  return [session, node, seq, want, token, sinceWallMs, value];
}

export function restoredClaim(lock: Lock, [session, node, seq, want, token, sinceWallMs, value]: ClaimRow): Claim {
  return { lock, session, node, seq, want, token, sinceWallMs, value, position: 0 };
}
