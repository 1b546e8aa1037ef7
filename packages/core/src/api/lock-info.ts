/** A lock as anyone may see it. */
import type { LockState } from '../lock/command.ts';

export interface LockInfo {
  readonly name: string;
  readonly held: boolean;
  /** Empty when free. */
  readonly holders: readonly LockHolder[];
  /** The holder's fencing token. */
  readonly token: number | undefined;
  /** The nodes of the first waiters, in order: 16 at most, and fewer where their names are long. */
  readonly queue: readonly string[];
  /** How many wait in all. */
  readonly waiting: number;
  /** The hand-over note. */
  readonly note: string | undefined;
}

export interface LockHolder {
  readonly node: string;
  readonly token: number;
  /** By the clock of the node that led at the time. */
  readonly since: Date;
}

export function lockInfoOf(name: string, { holders, waiters, waiting, note }: LockState): LockInfo {
  return {
    name,
    held: holders.length > 0,
    holders: holders.map(({ node, token, sinceWallMs }) => ({ node, token, since: new Date(sinceWallMs) })),
    token: holders[0]?.token,
    queue: waiters,
    waiting,
    note: note ?? undefined,
  };
}
