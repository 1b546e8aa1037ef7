/** What the event loop and the clocks did between two beats: a blocked loop and a clock that jumped are named, not guessed. */
import type { Instant } from '../time/clock.ts';

/** Clocks that part by more between two beats have jumped: no slewing is that fast. */
const clockJumpMs = 500;

export interface Lateness {
  readonly lagMs: number;
  readonly jumpMs: number;
}

export class LoopWatch {
  private last: Instant | null = null;
  lagMs = 0;
  lagMaxMs = 0;

  /** `dueMs` is when this beat should have come, on the monotonic clock. */
  beat(dueMs: number, now: Instant): Lateness {
    this.lagMs = Math.max(0, now.monotonicMs - dueMs);
    this.lagMaxMs = Math.max(this.lagMaxMs, this.lagMs);
    const jumpMs = this.last ? now.wallMs - this.last.wallMs - (now.monotonicMs - this.last.monotonicMs) : 0;
    this.last = now;
    return { lagMs: this.lagMs, jumpMs: Math.abs(jumpMs) >= clockJumpMs ? jumpMs : 0 };
  }
}
