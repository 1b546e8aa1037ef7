/** What watchers are shown of a lock. */
import type { Lock } from './claim.ts';
import type { LockState } from './command.ts';

/** How many waiters a state names; the rest are counted. */
export const waitersShownMax = 16;

export function stateOf(lock: Lock): LockState {
  const { resource, version, note } = lock;
  const holders = lock.holders.map(({ node, session, token, sinceWallMs, value }) => ({ node, session, token, sinceWallMs, value }));
  return { resource, version, holders, waiters: firstWaiters(lock), waiting: lock.waiters?.size ?? 0, note };
}

/** A lock that the table does not know is free and without a note, as of `slot`. */
export function unclaimedState(resource: string, slot: number): LockState {
  return { resource, version: slot, holders: [], waiters: [], waiting: 0, note: null };
}

function firstWaiters(lock: Lock): readonly string[] {
  const nodes: string[] = [];
  for (const { node } of lock.waiters ?? []) {
    if (nodes.length === waitersShownMax) break;
    nodes.push(node);
  }
  return nodes;
}
