/** A claim is an acquire that was accepted: it waits for its lock, or holds it under a token. */
import type { HolderInfo } from './command.ts';
import type { Queued, WaitQueue } from './wait-queue.ts';

/** `token` is 0 while the claim waits. */
export interface Claim extends Queued {
  readonly lock: Lock;
  readonly session: number;
  readonly node: string;
  /** The sequence of the acquire within its session. */
  readonly seq: number;
  readonly want: number;
  token: number;
  sinceWallMs: number;
  value: string | null;
}

export interface Lock {
  readonly resource: string;
  version: number;
  /** At most one while every claim is exclusive; permits will share the array. */
  readonly holders: Claim[];
  /** Null until somebody has had to wait. */
  waiters: WaitQueue<Claim> | null;
  note: string | null;
}

export function holderInfoOf(claim: Claim): HolderInfo {
  return [claim.node, claim.token, claim.sinceWallMs];
}

/** True if one more claim may hold beside the present holders. All claims are exclusive today; shared ones and permits decide here. */
export function hasRoom(lock: Lock): boolean {
  return lock.holders.length === 0;
}
