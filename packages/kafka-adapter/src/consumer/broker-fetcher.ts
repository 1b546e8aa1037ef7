/** Fetching from one broker: one long poll at a time over the owned partitions that it leads and that have nothing left to handle. */
import { within } from '../back-off.ts';
import { KafkaFailure } from '../failure.ts';
import { failureOf } from '../kafkajs-failure.ts';
import type { ConsumerDriver, FetchOutcome, FetchPosition } from './consumer-driver.ts';

/** An arrival ends the wait, so it costs no latency. */
const idleWaitMs = 500;
/**
 * While a partition is busy: it can join the next poll only, and is not to wait long for messages of others. Twice as long with each
 * poll until one is done, so that a partition waits about as long as it was busy at most.
 */
const busyWaitMinMs = 20;
/** Beyond the wait: a broker that hangs is found out here and not after the client's own 30 s. */
const answerWithinMs = 8_000;

export interface FetchSizes {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionBytesMax: number;
}

export interface BrokerFetcherOptions {
  readonly driver: ConsumerDriver;
  readonly broker: number;
  readonly sizes: FetchSizes;
  /** What to ask for now, and whether that is all that is owned here. */
  readonly positions: () => { readonly asked: readonly FetchPosition[]; readonly isAll: boolean };
  readonly onOutcome: (outcome: FetchOutcome, offset: bigint) => void;
  /** The fetcher rests until it is woken. `losses`: how often in a row it was lost. */
  readonly onLost: (failure: KafkaFailure, losses: number) => void;
}

export class BrokerFetcher {
  readonly #options: BrokerFetcherOptions;
  #wake: (() => void) | undefined;
  #busyWaitMs = busyWaitMinMs;
  #losses = 0;
  #isRunning = false;
  #isStopped = false;

  constructor(options: BrokerFetcherOptions) {
    this.#options = options;
  }

  /** There may be something to ask for. */
  wake(): void {
    if (this.#isStopped) return;
    this.#busyWaitMs = busyWaitMinMs;
    if (this.#isRunning) return this.#wake?.();
    this.#isRunning = true;
    void this.#run().finally(() => (this.#isRunning = false));
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const { asked, isAll } = this.#options.positions();
      if (asked.length === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
        continue;
      }
      try {
        const outcomes = await this.#fetch(asked, isAll ? idleWaitMs : this.#busyWaitMs);
        this.#losses = 0;
        if (!isAll) this.#busyWaitMs = Math.min(idleWaitMs, 2 * this.#busyWaitMs);
        if (!this.#isStopped) this.#pass(asked, outcomes);
      } catch (error) {
        if (this.#isStopped) return;
        this.#options.onLost(failureOf(error), ++this.#losses);
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }

  async #fetch(positions: readonly FetchPosition[], maxWaitMs: number): Promise<readonly FetchOutcome[]> {
    const { driver, broker, sizes } = this.#options;
    const fetching = driver.fetch(broker, { ...sizes, maxWaitMs, positions });
    const late = new KafkaFailure('connection', `Broker ${broker} does not answer a fetch`);
    try {
      return await within(maxWaitMs + answerWithinMs, fetching, () => late);
    } catch (error) {
      if (error !== late) throw error;
      // A throttled request waits in this process; cutting it off would only make it wait again.
      if (driver.isThrottled(broker)) return fetching;
      await driver.cut(broker);
      throw late;
    }
  }

  #pass(asked: readonly FetchPosition[], outcomes: readonly FetchOutcome[]): void {
    const offsets = new Map(asked.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]));
    for (const outcome of outcomes) {
      const offset = offsets.get(`${outcome.topic} ${outcome.partition}`);
      if (offset !== undefined) this.#options.onOutcome(outcome, offset);
    }
  }
}
