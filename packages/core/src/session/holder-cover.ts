/** When each partition of a session was last covered by a keep-alive that was answered, as its owner counts it: the safety rules 7 and 18. */
import { elapsedForOwnRightMs, usableLengthMs } from '../time/clock.ts';
import type { Instant } from '../time/clock.ts';

export type HolderCoverSnapshot = readonly (readonly [token: number, sent: Instant])[];

/**
 * 1. A partition's lease runs from the sending of the newest keep-alive whose answer listed its token, on the faster of both clocks.
 * 2. A token that an answer does not list keeps what it had, and is forgotten once that is over.
 */
export class HolderCover {
  private readonly sentAt = new Map<number, Instant>();

  get isEmpty(): boolean {
    return this.sentAt.size === 0;
  }

  has(token: number): boolean {
    return this.sentAt.has(token);
  }

  /** The answer to the keep-alive that left at `sent` covers these. */
  cover(tokens: readonly number[], sent: Instant, ttlMs: number, at: Instant): void {
    for (const token of tokens) this.sentAt.set(token, sent);
    for (const token of this.sentAt.keys()) if (this.remainingMs(token, ttlMs, at) === 0) this.sentAt.delete(token);
  }

  remainingMs(token: number, ttlMs: number, at: Instant): number {
    const sent = this.sentAt.get(token);
    return sent === undefined ? 0 : Math.max(0, usableLengthMs(ttlMs) - elapsedForOwnRightMs(sent, at));
  }

  end(): void {
    this.sentAt.clear();
  }

  snapshot(): HolderCoverSnapshot {
    return [...this.sentAt];
  }

  restore(rows: HolderCoverSnapshot): void {
    this.sentAt.clear();
    for (const [token, sent] of rows) this.sentAt.set(token, sent);
  }
}
