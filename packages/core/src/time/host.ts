/**
 * What a process is given by the machine it runs on: clocks, timers, its turns and chance. In production that is Node; in a
 * simulation it is a world in which every one of them comes from a seed.
 */
import type { Clock } from './clock.ts';

/** A timer under way; it belongs to the host that started it. */
export type TimerHandle = object;

export interface Host extends Clock {
  /** Calls `onDue` once, with `argument`, when the delay (in milliseconds, at most 2^31 - 1) has passed on the monotonic clock. */
  startTimer<Argument>(onDue: (argument: Argument) => void, delayMs: number, argument: Argument): TimerHandle;
  startTimer(onDue: () => void, delayMs: number): TimerHandle;
  stopTimer(timer: TimerHandle | undefined): void;
  /** A timer that alone does not keep the process alive. */
  startIdleTimer(onDue: () => void, delayMs: number): TimerHandle;
  /** Calls `work` once what runs now has come to its end, and everything that it resolved. */
  afterThis(work: () => void): void;
  /** Calls `work` once everybody else who is due has had a turn. */
  afterOthers(work: () => void): void;
  randomBytes(count: number): Buffer;
  /** Ends the process at once: what it does must not go on, and nothing less can stop it. */
  exit(): void;
}
