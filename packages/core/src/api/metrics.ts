/** What an instance counts: numbers to read whenever they are wanted, at the cost of an addition where they arise. */
import type { EngineCounters } from '../runtime/engine.ts';

/** In milliseconds. The mean is `sumMs / count`. */
export interface DurationSummary {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
}

/** Since `join`, unless a line says otherwise. */
export interface Metrics {
  /** Leases granted to this process, of locks and elections, and how long they were waited for. */
  readonly waits: DurationSummary;
  /** Leases that ended, however they did, and how long they were held. */
  readonly holds: DurationSummary;
  /** Acquires that ended without a lease: at their deadline, by the caller, or otherwise. */
  readonly timeouts: number;
  readonly aborts: number;
  readonly failures: number;
  /** `tryAcquire` that found the lock held. */
  readonly busy: number;
  /** Leases that ended before they were released. */
  readonly losses: number;
  /** Handlers of partitions that took longer than their drain's budget. */
  readonly drainOverruns: number;
  readonly sessionsLost: number;
  /** Changes of the group's leader. */
  readonly leaderChanges: number;
  /** Now. */
  readonly held: number;
  /** Acquires that wait now. */
  readonly waiting: number;
  /** How late the last timer of the engine came, and the latest so far: the event loop's lag, in milliseconds. */
  readonly eventLoopLagMs: number;
  readonly eventLoopLagMaxMs: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** Frames that could not be taken: foreign, unsealed, malformed. */
  readonly framesRefused: number;
  /** Frames that came faster than they were taken. */
  readonly framesDropped: number;
  /** Given to the broker. One that it refused afterwards counts here and as dropped. */
  readonly lockEventsPublished: number;
  /** Too many at once, while disconnected, or where the broker refused them. */
  readonly lockEventsDropped: number;
}

export class Meter {
  readonly waits = new Durations();
  readonly holds = new Durations();
  timeouts = 0;
  aborts = 0;
  failures = 0;
  busy = 0;
  losses = 0;
  drainOverruns = 0;

  read(counters: EngineCounters, { held, waiting }: { readonly held: number; readonly waiting: number }): Metrics {
    const { timeouts, aborts, failures, busy, losses, drainOverruns } = this;
    return {
      waits: this.waits.read(),
      holds: this.holds.read(),
      timeouts,
      aborts,
      failures,
      busy,
      losses,
      drainOverruns,
      sessionsLost: counters.sessionsLost,
      leaderChanges: counters.leaderChanges,
      held,
      waiting,
      eventLoopLagMs: counters.eventLoopLagMs,
      eventLoopLagMaxMs: counters.eventLoopLagMaxMs,
      framesIn: counters.framesIn,
      framesOut: counters.framesOut,
      framesRefused: counters.framesRefused,
      framesDropped: counters.framesDropped,
      lockEventsPublished: counters.eventsPublished,
      lockEventsDropped: counters.eventsDropped,
    };
  }
}

class Durations {
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#count += 1;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  read(): DurationSummary {
    return { count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs };
  }
}
