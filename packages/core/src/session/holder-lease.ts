/**
 * A session's lease as its holder sees it: when each keep-alive left, which one was answered last, and how long that may be relied
 * on. Gray & Cheriton, "Leases" (1989); the safety rule 7.
 */
import { elapsedForOwnRightMs, usableLengthMs } from '../time/clock.ts';
import type { Instant } from '../time/clock.ts';

/** Several times as many as fit into a TTL: an answer to an older one is worth nothing. */
export const rememberedBeats = 64;

export interface HolderLeaseSnapshot {
  readonly answered: Instant | null;
  readonly lastId: number;
  /** Keep-alives without an answer, by id. */
  readonly beats: readonly (readonly [id: number, sent: Instant])[];
}

/**
 * 1. The lease runs from the sending of the newest keep-alive that was answered, on the faster of both clocks.
 * 2. A lease found over is over for good: `remainingMs` forgets the answer that it ran from.
 * 3. No id is used twice, whatever ends in between.
 */
export class HolderLease {
  private answered: Instant | null = null;
  private lastId = 0;
  private readonly beats = new Map<number, Instant>();

  /** Notes a keep-alive that is about to leave and returns its id. */
  sent(at: Instant): number {
    this.lastId += 1;
    this.beats.set(this.lastId, at);
    this.beats.delete(this.lastId - rememberedBeats);
    return this.lastId;
  }

  /** When the keep-alive left; undefined if it, or a later one, was answered before. */
  sentAt(id: number): Instant | undefined {
    return this.beats.get(id);
  }

  /** The lease runs from the sending of this keep-alive. What left before it is worth nothing any more. */
  answer(id: number): void {
    this.answered = this.beats.get(id) ?? this.answered;
    for (const sent of this.beats.keys()) if (sent <= id) this.beats.delete(sent);
  }

  /** What `remainingMs` would say, without consequences: for checks. */
  peekMs(ttlMs: number, at: Instant): number {
    return this.answered ? Math.max(0, usableLengthMs(ttlMs) - elapsedForOwnRightMs(this.answered, at)) : 0;
  }

  /** 0 ends the lease for good, whenever it is found. */
  remainingMs(ttlMs: number, at: Instant): number {
    if (!this.answered) return 0;
    const remainingMs = usableLengthMs(ttlMs) - elapsedForOwnRightMs(this.answered, at);
    if (remainingMs > 0) return remainingMs;
    this.answered = null;
    return 0;
  }

  /** A session begins: what was answered before was another one's. */
  begin(): void {
    this.answered = null;
  }

  end(): void {
    this.answered = null;
    this.beats.clear();
  }

  snapshot(): HolderLeaseSnapshot {
    return { answered: this.answered, lastId: this.lastId, beats: [...this.beats] };
  }

  restore({ answered, lastId, beats }: HolderLeaseSnapshot): void {
    this.answered = answered;
    this.lastId = lastId;
    this.beats.clear();
    for (const [id, sent] of beats) this.beats.set(id, sent);
  }
}
