/**
 * The clock port. Level 0 knows two clocks because a right ends by the faster of them: the monotonic clock stops while
 * a virtual machine is suspended, and the wall clock may be set back. `docs/protocol.md`, "Time".
 */
export interface Clock {
  /** Milliseconds on a clock that never goes back; the origin means nothing. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the machine's calendar clock; may jump either way. */
  wallMs(): number;
}

/** A reading of both clocks, taken together. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** The bound ρ on how far the rates of two members' clocks may differ. Leases rest on it, agreement never does. */
export const driftBound = 0.01;

export function readClock(clock: Clock): Instant {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/**
 * How long ago `since` was, for the purpose of ending one's *own* right: the larger of what the two clocks say.
 * Whoever ends another's right uses `monotonicMs` alone.
 */
export function elapsedForOwnRightMs(since: Instant, now: Instant): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);
}

/** The part of a granted length that its holder may use: length × (1 − 2ρ). */
export function usableLengthMs(lengthMs: number): number {
  return lengthMs * (1 - 2 * driftBound);
}
