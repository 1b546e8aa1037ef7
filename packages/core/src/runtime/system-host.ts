/** The machine itself: Node's clocks, timers and chance. */
import { randomBytes } from 'node:crypto';
import type { Host, TimerHandle } from '../time/host.ts';

export const systemHost: Host = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  startTimer<Argument>(onDue: (argument: Argument) => void, delayMs: number, argument?: Argument): TimerHandle {
    return setTimeout(onDue, delayMs, argument as Argument);
  },
  startIdleTimer: (onDue, delayMs) => setTimeout(onDue, delayMs).unref(),
  stopTimer: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  // After the microtasks: a burst of calls becomes one turn.
  afterThis: (work) => process.nextTick(work),
  afterOthers: (work) => void setImmediate(work),
  randomBytes,
  exit: () => process.exit(1),
};
