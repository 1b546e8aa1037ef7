/**
 * All fetching of one consumer: who leads what, a fetcher for each broker, and one place that repairs them. What is wrong with a
 * partition sets that partition aside for a while and no other.
 */
import { setMaxListeners } from 'node:events';
import { backOffMs, pause } from '../back-off.ts';
import { KafkaFailure } from '../failure.ts';
import { failureOf } from '../kafkajs-failure.ts';
import { BrokerFetcher } from './broker-fetcher.ts';
import type { FetchSizes } from './broker-fetcher.ts';
import type { ConsumerDriver, FetchedMessages, FetchOutcome, FetchPosition, Leaders, TopicPartition } from './consumer-driver.ts';
import { persist } from './persistence.ts';
import { partitionMissing } from './topic-counts.ts';

const passing = { firstMs: 25, longestMs: 1_000 };
/** For what will not mend by itself: a right taken away, a codec that this process lacks. */
const lasting = { firstMs: 1_000, longestMs: 15_000 };

/** For a partition that a topic lacks: brokers tell each other of growth within a second. */
const looksMax = 6;

/** A partition as fetching sees it. */
export interface Fetchable extends TopicPartition {
  /** The offset to ask for; undefined while nothing more is to come. */
  readonly wanted: bigint | undefined;
  take(fetched: FetchedMessages): void;
  /** The offset does not exist (any more, or yet); resolves once there is another one to ask for. */
  relocate(): Promise<void>;
}

export interface FetchingOptions {
  readonly driver: ConsumerDriver;
  readonly sizes: FetchSizes;
  readonly topics: readonly string[];
  readonly onFailure: (failure: KafkaFailure, at?: TopicPartition) => void;
}

interface Entry {
  readonly partition: Fetchable;
  notBeforeMs: number;
  failures: number;
}

export class Fetching {
  readonly #options: FetchingOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #fetchers = new Map<number, BrokerFetcher>();
  readonly #closing = new AbortController();
  #leaders: Leaders = new Map();
  #refreshing: Promise<void> | undefined;

  constructor(options: FetchingOptions) {
    this.#options = options;
    // Every pause listens to it.
    setMaxListeners(0, this.#closing.signal);
  }

  add(partition: Fetchable): void {
    this.#entries.set(keyOf(partition), { partition, notBeforeMs: 0, failures: 0 });
    this.wake(partition);
  }

  remove(partition: Fetchable): void {
    if (this.#entries.get(keyOf(partition))?.partition === partition) this.#entries.delete(keyOf(partition));
  }

  /** To be called when a partition wants something again. */
  wake(at: TopicPartition): void {
    const broker = this.#leaderOf(at);
    if (broker < 0) void this.refresh();
    else this.#fetcher(broker).wake();
  }

  /** Takes note of who leads what; others look it up as well. */
  learn(leaders: Leaders): void {
    this.#leaders = leaders;
    for (const { partition } of this.#entries.values()) {
      const broker = this.#leaderOf(partition);
      if (broker >= 0) this.#fetcher(broker).wake();
    }
  }

  /** Tries until every partition here has a leader, or until closed. One at a time. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /**
   * Resolves once every topic has this partition, or the signal fires. The set may have been enlarged by a process that saw the topics
   * grow before this one; so looks again, a few times. @throws QuorateError `INVALID_OPTIONS` where one still lacks it.
   */
  async find(partition: number, signal: AbortSignal): Promise<void> {
    const { driver, topics, onFailure } = this.#options;
    for (let looks = 0; !this.#hasEvery(partition); looks++) {
      if (looks === looksMax) throw partitionMissing(partition, this.#leaders);
      if (looks > 0) await pause(backOffMs(looks - 1, passing), signal);
      const leaders = await persist(() => driver.leaders(topics), { signal, onFailure });
      if (leaders === undefined) return;
      this.learn(leaders);
    }
  }

  /** Of a partition that this consumer owns. Tries until the signal fires, and rejects then. */
  async edge(at: TopicPartition, edge: 'earliest' | 'latest', signal: AbortSignal): Promise<bigint> {
    for (let attempt = 0; ; attempt++) {
      const broker = this.#leaderOf(at);
      try {
        if (broker < 0) throw new KafkaFailure('leader', `${at.topic} ${at.partition} has no leader`);
        return await this.#options.driver.edge(broker, at, edge);
      } catch (error) {
        const failure = failureOf(error);
        if (failure.kind === 'denied' || signal.aborted || this.#closing.signal.aborted) throw failure;
        if (attempt > 0) this.#options.onFailure(failure, at);
        await pause(backOffMs(attempt, passing), signal);
        await this.refresh();
      }
    }
  }

  close(): void {
    this.#closing.abort();
    for (const fetcher of this.#fetchers.values()) fetcher.stop();
    this.#entries.clear();
  }

  async #refresh(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        this.learn(await this.#options.driver.leaders(this.#options.topics));
        if ([...this.#entries.values()].every(({ partition }) => this.#leaderOf(partition) >= 0)) return;
      } catch (error) {
        if (attempt > 0 && !signal.aborted) this.#options.onFailure(failureOf(error));
      }
      await pause(backOffMs(attempt, passing), signal);
    }
  }

  #hasEvery(partition: number): boolean {
    return this.#options.topics.every((topic) => this.#leaders.get(topic)?.has(partition));
  }

  #leaderOf({ topic, partition }: TopicPartition): number {
    return this.#leaders.get(topic)?.get(partition) ?? -1;
  }

  #fetcher(broker: number): BrokerFetcher {
    let fetcher = this.#fetchers.get(broker);
    if (fetcher === undefined) {
      const { driver, sizes } = this.#options;
      fetcher = new BrokerFetcher({
        driver,
        broker,
        sizes,
        positions: () => this.#positionsAt(broker),
        onOutcome: (outcome, offset) => this.#onOutcome(outcome, offset),
        onLost: (failure, losses) => this.#onLost(broker, failure, losses),
      });
      this.#fetchers.set(broker, fetcher);
    }
    return fetcher;
  }

  #positionsAt(broker: number): { asked: FetchPosition[]; isAll: boolean } {
    const nowMs = performance.now();
    const asked: FetchPosition[] = [];
    let isAll = true;
    for (const { partition, notBeforeMs } of this.#entries.values()) {
      if (this.#leaderOf(partition) !== broker) continue;
      const offset = notBeforeMs > nowMs ? undefined : partition.wanted;
      if (offset === undefined) isAll = false;
      else asked.push({ topic: partition.topic, partition: partition.partition, offset });
    }
    return { asked, isAll };
  }

  #onOutcome(outcome: FetchOutcome, offset: bigint): void {
    const entry = this.#entries.get(keyOf(outcome));
    // Sought elsewhere, or given up and granted again, while the answer was on its way.
    if (entry === undefined || entry.partition.wanted !== offset) return;
    if (outcome.type === 'failure') return this.#setAside(entry, outcome.failure);
    entry.failures = 0;
    if (outcome.messages.length > 0) this.#putLast(entry);
    entry.partition.take(outcome);
  }

  /** Brokers fill an answer in the order in which they are asked: who got something is asked for after those who did not. */
  #putLast(entry: Entry): void {
    const key = keyOf(entry.partition);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #setAside(entry: Entry, failure: KafkaFailure): void {
    const { partition } = entry;
    if (failure.kind === 'outOfRange') {
      entry.notBeforeMs = Infinity;
      void partition.relocate().finally(() => this.#wakeAfter(entry, 0));
      return;
    }
    const isPassing = failure.kind === 'leader' || failure.kind === 'missing';
    if (!isPassing || entry.failures > 2) this.#options.onFailure(failure, { topic: partition.topic, partition: partition.partition });
    this.#wakeAfter(entry, backOffMs(entry.failures++, isPassing ? passing : lasting));
    if (isPassing) void this.refresh();
  }

  #wakeAfter(entry: Entry, durationMs: number): void {
    entry.notBeforeMs = durationMs === 0 ? 0 : performance.now() + durationMs;
    void pause(durationMs + 1, this.#closing.signal).then(() => this.wake(entry.partition));
  }

  /** Its partitions may be led by another broker by now, which the refresh finds out. */
  #onLost(broker: number, failure: KafkaFailure, losses: number): void {
    this.#options.onFailure(failure);
    void this.refresh()
      .then(() => pause(backOffMs(losses - 1, passing), this.#closing.signal))
      .then(() => this.#fetchers.get(broker)?.wake());
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
