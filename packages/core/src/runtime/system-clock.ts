/** The clocks of the machine. */
import type { Clock } from '../time/clock.ts';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
