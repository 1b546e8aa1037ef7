/** How far the calendar clocks of founders are apart: the first token of a founding rests on all of them. The safety rule 13. */
import type { Seat } from './configuration.ts';

/** Founders whose calendar clocks are further apart are refused. */
export const foundersClockSkewMaxMs = 2000;

/** Somebody’s calendar clock as it was seen here. */
export interface SeenClock {
  readonly seat: Seat;
  /** How far it is ahead of ours. */
  readonly aheadMs: number;
}

export interface ClocksApart {
  readonly node: string;
  /** Whose clock `node` was compared with: this process, or another that each of both is near to. */
  readonly from: string;
  readonly byMs: number;
}

/** From the earliest of these clocks to the latest, ours among them. */
export function spreadMs(clocks: readonly SeenClock[]): number {
  const ahead = clocks.map(({ aheadMs }) => aheadMs);
  return Math.max(0, ...ahead) - Math.min(0, ...ahead);
}

/** Whether one of these clocks is too far from ours, or else from the farthest of those that are near to ours. */
export function clocksApart(self: string, { seat, aheadMs }: SeenClock, clocks: Iterable<SeenClock>): ClocksApart | null {
  const isTooFar = (byMs: number): boolean => byMs > foundersClockSkewMaxMs;
  if (isTooFar(Math.abs(aheadMs))) return { node: seat.node, from: self, byMs: Math.abs(aheadMs) };
  let farthest: ClocksApart | null = null;
  for (const other of clocks) {
    const byMs = Math.abs(aheadMs - other.aheadMs);
    if (isTooFar(Math.abs(other.aheadMs)) || byMs <= (farthest?.byMs ?? foundersClockSkewMaxMs)) continue;
    farthest = { node: seat.node, from: other.seat.node, byMs };
  }
  return farthest;
}
