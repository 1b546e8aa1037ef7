/** A handler at work on one partition: started again when it fails, told to stop when the partition goes, awaited whatever happens. */
import { QuorateError } from '../errors.ts';
import type { TimerHandle } from '../time/host.ts';
import type { Instance } from './instance.ts';
import type { PartitionHandler } from './partitions-contract.ts';
import type { HeldPartition } from './held-partition.ts';

/** The callback's contract: so many failures in a row, and the partition is given up. */
export const failuresMax = 5;
const pauseLeastMs = 200;
const pauseMostMs = 10_000;
/** A handler that worked for this long has recovered from its earlier failures. */
const recoveredAfterMs = 60_000;

export interface RunListener {
  onFailed(run: PartitionRun, error: unknown, failures: number, retryMs: number | null): void;
  /** Its lease ended before it was given back. `isOverrun`: for it took longer than its drain's budget. */
  onLost(run: PartitionRun, error: QuorateError, isOverrun: boolean): void;
  /** The handler has settled and the partition is given back, or was lost. */
  onEnded(run: PartitionRun, how: 'released' | 'refused' | 'lost'): void;
}

/**
 * 1. The partition is released once the handler, and every call under `whileOwned`, has settled; never before.
 * 2. A handler is never started after its signal.
 */
export class PartitionRun {
  #isRevoked = false;
  #overrunTimer: TimerHandle | undefined;
  readonly #calls = new Set<Promise<unknown>>();
  #onRevoked: (() => void) | null = null;
  #hasSettled = false;
  /** Nothing works under it any more. */
  #isQuiet = false;
  #end: () => void = () => undefined;
  /** Resolves once its listener was told of the end. */
  readonly ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(
    private readonly instance: Instance,
    readonly held: HeldPartition,
    private readonly handler: PartitionHandler,
    private readonly listener: RunListener,
  ) {
    held.onLost((error) => this.#onLost(error));
  }

  get isRevoked(): boolean {
    return this.#isRevoked;
  }

  /** Its handler has settled: the group may know that it is given back before this process is told so. */
  get isGivingBack(): boolean {
    return this.#hasSettled;
  }

  /** True for what this process owns and works on: not on its way out, and not given up by a handler that kept failing. */
  get isServing(): boolean {
    return !this.#isRevoked && !this.#hasSettled && !this.held.isOver;
  }

  /** The handler, or a call under a key, has not settled. */
  get isAtWork(): boolean {
    return !this.#isQuiet;
  }

  async begin(): Promise<void> {
    const failed = await this.#runUntilRevoked();
    this.#hasSettled = true;
    // Calls under a key are told, and awaited, like the handler.
    if (failed) this.held.revoke(new QuorateError('PARTITION_REVOKED', `This process gives ${this.held.what} up.`));
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    this.#isQuiet = true;
    this.instance.engine.host.stopTimer(this.#overrunTimer);
    const outcome = await (failed ? this.held.refuse() : this.held.giveBack());
    this.listener.onEnded(this, outcome === 'lost' ? 'lost' : failed ? 'refused' : 'released');
    this.#end();
  }

  /** The group wants it back: the drain begins. */
  revoke(error: QuorateError): void {
    if (this.#isRevoked) return;
    this.#isRevoked = true;
    this.held.revoke(error);
    this.#onRevoked?.();
    this.#watchDrain();
  }

  /** The lease is over; the handler is awaited all the same. */
  lose(error: QuorateError): void {
    this.held.lose(error);
  }

  /** A call that the drain waits for. */
  track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const forget = (): void => void this.#calls.delete(call);
    call.then(forget, forget);
    return call;
  }

  /** True if the partition was given up because its handler kept failing. */
  async #runUntilRevoked(): Promise<boolean> {
    let failures = 0;
    let progress = -1;
    // Over without a revocation: whoever asks the lease may find its end before the session is told of it.
    const isToEnd = (): boolean => this.#isRevoked || !this.held.valid;
    while (!isToEnd()) {
      const beganMs = this.instance.nowMs();
      const error = await this.#callHandler();
      if (isToEnd()) {
        if (error !== null && error !== this.held.signal.reason) this.listener.onFailed(this, error, failures + 1, null);
        return false;
      }
      const hasMoved = progress !== this.held.progress || this.instance.nowMs() - beganMs >= recoveredAfterMs;
      progress = this.held.progress;
      failures = hasMoved ? 1 : failures + 1;
      const retryMs = failures >= failuresMax ? null : Math.min(pauseMostMs, pauseLeastMs * 2 ** (failures - 1));
      this.listener.onFailed(this, error ?? this.#returnedEarly(), failures, retryMs);
      if (retryMs === null) return true;
      await this.#pause(retryMs);
    }
    return false;
  }

  /** What it threw, or null where it returned. */
  async #callHandler(): Promise<unknown> {
    try {
      await this.handler(this.held);
      return null;
    } catch (error) {
      return error ?? new QuorateError('INVALID_OPTIONS', 'The handler threw nothing.');
    }
  }

  /**
   * While the drain lasts, its budget is what the lease has left; it is renewed until the leader's own count of it is over. Asking for
   * it ends the lease where nothing is left, and knows whether the budget or the session is over.
   */
  #watchDrain(): void {
    if (this.#isQuiet) return;
    const { remainingMs } = this.held;
    if (remainingMs === 0) return;
    this.#overrunTimer = this.instance.engine.host.startTimer(() => this.#watchDrain(), Math.ceil(remainingMs));
  }

  #onLost(error: QuorateError): void {
    const isOverrun = this.#isRevoked && !this.#isQuiet && error.code === 'LEASE_LOST';
    this.#isRevoked = true;
    this.instance.engine.host.stopTimer(this.#overrunTimer);
    this.#onRevoked?.();
    this.listener.onLost(this, error, isOverrun);
  }

  #pause(ms: number): Promise<void> {
    const { host } = this.instance.engine;
    return new Promise((resolve) => {
      const timer = host.startTimer(resolve, ms);
      this.#onRevoked = () => {
        host.stopTimer(timer);
        resolve();
      };
    });
  }

  #returnedEarly(): QuorateError {
    return new QuorateError('HANDLER_ENDED', `The handler of ${this.held.what} returned before its signal.`);
  }
}
