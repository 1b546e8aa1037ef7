/** The machine of one process: clocks with a rate and jumps of their own, and turns that stop while the process stands still. */
import { driftBound } from '../time/clock.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { Random } from '../time/random.ts';
import type { Happening, Schedule } from './schedule.ts';

const epochMs = 1_700_000_000_000;

export interface VirtualHostOptions {
  readonly schedule: Schedule;
  readonly random: Random;
  /** How fast the monotonic clock runs against true time. */
  readonly rate: number;
  /** How far the calendar clock is off. */
  readonly wallSkewMs: number;
  /** Where the monotonic clock stood at the beginning of true time. */
  readonly originMs: number;
  /** Puts work behind what runs now, in the world's own queue. */
  readonly afterThis: (work: () => void) => void;
  /** The process ends itself. */
  readonly onExit: () => void;
  /** A timer of this process has come due. */
  readonly onTimer: () => void;
}

/** The monotonic clock showed `baseMs` at true time `baseTrueMs`, and has run at this rate since. */
interface Stretch {
  readonly baseMs: number;
  readonly baseTrueMs: number;
  readonly rate: number;
}

class VirtualTimer {
  happening: Happening | null = null;
  constructor(
    readonly dueMs: number,
    readonly onDue: () => void,
  ) {}
}

/**
 * 1. What comes to a process that stands still (stopped, or with a blocked loop) waits, and comes in its order when it goes on.
 * 2. Nothing happens to a process that is dead.
 * 3. While a machine is suspended its monotonic clock stands still, and its calendar clock does not.
 */
export class VirtualHost implements Host {
  isAlive = true;
  readonly #options: VirtualHostOptions;
  /** The stretches of its monotonic clock, each at a rate of its own, the present one last. */
  readonly #stretches: Stretch[];
  /** What it runs at when nothing is the matter. */
  #usualRate: number;
  #wallSkewMs: number;
  #waiting: (() => void)[] | null = null;
  #standsUntilMs = 0;

  constructor(options: VirtualHostOptions) {
    this.#options = options;
    this.#stretches = [{ baseMs: options.originMs, baseTrueMs: 0, rate: options.rate }];
    this.#usualRate = options.rate;
    this.#wallSkewMs = options.wallSkewMs;
  }

  monotonicMs(): number {
    const { baseMs, baseTrueMs, rate } = this.#present;
    return baseMs + (this.#options.schedule.nowMs - baseTrueMs) * rate;
  }

  /** The true time at which its monotonic clock showed that. */
  trueMsAt(monotonicMs: number): number {
    const stretch = this.#stretches.findLast(({ baseMs, rate }) => baseMs <= monotonicMs && rate > 0) ?? this.#present;
    return stretch.baseTrueMs + (monotonicMs - stretch.baseMs) / stretch.rate;
  }

  wallMs(): number {
    return epochMs + this.#options.schedule.nowMs + this.#wallSkewMs;
  }

  startTimer<Argument>(onDue: (argument: Argument) => void, delayMs: number, argument?: Argument): TimerHandle {
    const timer = new VirtualTimer(this.monotonicMs() + Math.max(0, delayMs), () => onDue(argument as Argument));
    this.#plan(timer);
    return timer;
  }

  startIdleTimer(onDue: () => void, delayMs: number): TimerHandle {
    return this.startTimer(onDue, delayMs);
  }

  stopTimer(timer: TimerHandle | undefined): void {
    if (!(timer instanceof VirtualTimer) || timer.happening === null) return;
    timer.happening.isCancelled = true;
    timer.happening = null;
  }

  afterThis(work: () => void): void {
    this.#options.afterThis(() => {
      if (this.isAlive) work();
    });
  }

  afterOthers(work: () => void): void {
    this.#options.schedule.after(0, () => this.give(work));
  }

  exit(): void {
    this.#options.onExit();
  }

  randomBytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.#options.random.below(256)));
  }

  // What the world does to it.

  /** Does the work now, or when the process goes on. */
  give(work: () => void): void {
    if (!this.isAlive) return;
    if (this.#waiting) this.#waiting.push(work);
    else work();
  }

  get standsStill(): boolean {
    return this.#waiting !== null;
  }

  /** Nothing runs in this process for so long; the clocks run on, unless the whole machine is suspended. */
  standStill(forMs: number, isSuspended: boolean): void {
    const { schedule } = this.#options;
    const untilMs = schedule.nowMs + forMs;
    if (isSuspended) this.#rebase(0);
    this.#waiting ??= [];
    this.#standsUntilMs = Math.max(this.#standsUntilMs, untilMs);
    schedule.at(untilMs, () => {
      if (isSuspended) this.#rebase(this.#usualRate);
      if (schedule.nowMs >= this.#standsUntilMs) this.goOn();
    });
  }

  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const work of waiting) this.give(work);
  }

  setRate(rate: number): void {
    this.#rebase(rate);
  }

  jumpWall(byMs: number): void {
    this.#wallSkewMs += byMs;
  }

  /** The clocks run as they were made, or right where that was beyond all bounds, and the process goes on. */
  heal(): void {
    this.#usualRate = boundedRate(this.#options.rate);
    this.#rebase(this.#usualRate);
    this.#wallSkewMs = this.#options.wallSkewMs;
    if (this.#waiting) this.goOn();
  }

  kill(): void {
    this.isAlive = false;
    this.#waiting = null;
  }

  #rebase(rate: number): void {
    this.#stretches.push({ baseMs: this.monotonicMs(), baseTrueMs: this.#options.schedule.nowMs, rate });
  }

  get #present(): Stretch {
    return this.#stretches.at(-1) as Stretch;
  }

  #plan(timer: VirtualTimer): void {
    const rate = this.#present.rate || this.#options.rate;
    const delayMs = (timer.dueMs - this.monotonicMs()) / rate;
    timer.happening = this.#options.schedule.after(Math.max(0, delayMs), () => this.give(() => this.#onDue(timer)));
  }

  #onDue(timer: VirtualTimer): void {
    if (timer.happening === null) return;
    // The clock may have stood still or slowed down meanwhile.
    if (timer.dueMs - this.monotonicMs() > 1e-6) return this.#plan(timer);
    timer.happening = null;
    this.#options.onTimer();
    timer.onDue();
  }
}

/** The rate itself, or 1 where nothing is promised of it. */
export function boundedRate(rate: number): number {
  return Math.abs(rate - 1) <= driftBound ? rate : 1;
}
