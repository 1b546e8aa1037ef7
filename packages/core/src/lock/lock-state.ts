/** What watchers are shown of a lock. */
import type { Lock } from './claim.ts';
import type { LockState } from './command.ts';
import { utf8Length } from '../note.ts';

/** How many waiters a state names, and in how many bytes; the rest are counted. With the longest of all else it fits into the least frame. */
export const waitersShownMax = 16;
const waiterBytesMax = 576;

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
  let room = waiterBytesMax;
  for (const { node } of lock.waiters ?? []) {
    room -= 3 + utf8Length(node);
    if (nodes.length === waitersShownMax || room < 0) break;
    nodes.push(node);
  }
  return nodes;
}
