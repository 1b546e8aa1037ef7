/** What a holder has in hand: the lease on a lock, and the term of an election. */
import type { QuorateError } from '../errors.ts';

/**
 * The right to a lock for as long as `valid` says so. Ends by `release`, or with the session of this process.
 *
 * While clock rates differ by no more than 1 %, no two leases on one lock are valid at a time. Beyond that, and against a
 * process that does not look, only the token protects: write it, and refuse smaller ones.
 */
export interface Lease extends AsyncDisposable {
  /** The name of the lock or the election. */
  readonly name: string;
  /** The fencing token: larger than that of every earlier grant in the group. A safe integer. */
  readonly token: number;
  /** The hand-over note that the last holder left, if any. */
  readonly previous: string | undefined;
  /** Computed when asked, from the clocks: true while the lease may be relied on. Once false, false for good. */
  readonly valid: boolean;
  /** Milliseconds for which the lease may be relied on if nothing more is heard from the group; 0 once it is over. Renewed by itself. */
  readonly remainingMs: number;
  /** Fires when the lease is lost (its reason is the error) or when the instance begins to close (`CLOSED`). Not at `release`. */
  readonly signal: AbortSignal;
  /** Resolves when the lease is lost; stays pending for one that is released. */
  readonly lost: Promise<LeaseLoss>;
  /**
   * Leaves a hand-over note with the lock; the next holder gets it as `previous`. The empty text removes it. Each change of a lease waits
   * for the one before; of notes that wait side by side only the last is sent, and all have its answer.
   * Rejects with `NOTE_TOO_LARGE` over 1 KiB of UTF-8, `NOT_HELD` where the lease is over, `LIMIT_REACHED` where the group holds
   * as many notes as it may, `MAILBOX_FULL` where too many wait, `SESSION_LOST` where that came between, or `TRANSPORT_CLOSED`.
   */
  note(value: string): Promise<void>;
  /**
   * Gives the lock back: `released`, or `lost` where the lease ended first. Calling it again returns the same. `note` is left
   * in the same step. Rejects with `NOTE_TOO_LARGE` (the lease is still held then), with `LIMIT_REACHED` (released, but without
   * the note) or with `TRANSPORT_CLOSED` (the lease runs out by itself). Waits for no longer than the lease has left.
   */
  release(options?: ReleaseOptions): Promise<'released' | 'lost'>;
  /** Releases. Never throws, and never waits longer than the lease has left; a failure is the event `releaseFailed`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ReleaseOptions {
  /** As for `Lease.note`. */
  readonly note?: string;
}

export interface LeaseLoss {
  /**
   * - `SESSION_LOST`: the session of this process is over.
   * - `NOT_HELD`: the group says that the lease does not hold.
   * - `CLOSED`: the instance was closed before the lease was released.
   */
  readonly code: 'SESSION_LOST' | 'NOT_HELD' | 'CLOSED';
  readonly error: QuorateError;
}

/** The lease of a leader. */
export interface Term extends Lease {
  /**
   * Changes what this leader proclaims: others see it as `value` in `leader$`. Waits and is sent as notes are, so that the last one stays.
   * Rejects as `note` does, except for `LIMIT_REACHED`.
   */
  proclaim(value: string): Promise<void>;
  /** As `release`. */
  resign(options?: ReleaseOptions): Promise<'released' | 'lost'>;
}
