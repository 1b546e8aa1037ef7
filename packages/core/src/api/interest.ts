/** For how long something is watched: while anybody subscribes to it, and for a minute after the last look. */
import type { Host, TimerHandle } from '../time/host.ts';

/** How long a look counts, in milliseconds. */
const lookMs = 60_000;

export class Interest {
  #users = 0;
  #untilMs = -Infinity;
  #timer: TimerHandle | undefined;

  /** `onIdle`: nobody is interested any more. */
  constructor(
    private readonly host: Host,
    private readonly onIdle: () => void,
  ) {}

  use(): void {
    this.#users += 1;
    this.host.stopTimer(this.#timer);
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#wait();
  }

  /** Without a subscription. A look beside one costs no timer. */
  look(): void {
    this.#untilMs = this.host.monotonicMs() + lookMs;
    if (this.#users === 0) this.#wait();
  }

  /** No look counts any more. */
  end(): void {
    this.host.stopTimer(this.#timer);
    this.#untilMs = -Infinity;
  }

  #wait(): void {
    const leftMs = this.#untilMs - this.host.monotonicMs();
    if (leftMs <= 0) return this.onIdle();
    this.host.stopTimer(this.#timer);
    this.#timer = this.host.startIdleTimer(this.onIdle, leftMs);
  }
}
