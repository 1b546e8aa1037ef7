/**
 * A Kafka consumer whose partitions have one owner at a time: Quorate assigns, the client only fetches, and the group's offsets stay
 * where every tool looks for them. It stands where `kafka.consumer()` stood, with the same calls and payloads.
 */
import { QuorateError } from '@quorate/core/adapter';
import type { Partitions } from '@quorate/core/adapter';
import type { KafkaClient } from '../client.ts';
import { PlainCommitter } from './committer.ts';
import type { ConsumerDriver } from './consumer-driver.ts';
import { asConsumerError } from './consumer-error.ts';
import { areNames, checkRunConfig, ownedConsumerDefaults, resolveConsumerOptions } from './consumer-options.ts';
import type { OwnedConsumerOptions, OwnedRunConfig, PartitionsSource, ResolvedConsumerOptions } from './consumer-options.ts';
import { FencedCommitter } from './fenced-committer.ts';
import { Fetching } from './fetching.ts';
import { GroupGuard } from './group-guard.ts';
import { Growth } from './growth.ts';
import { handlingOf } from './handling.ts';
import { KafkajsConsumerDriver } from './kafkajs-consumer-driver.ts';
import { readOffset, readSoughtOffset } from './offset.ts';
import type { PartitionChain } from './partition-chain.ts';
import { whileLoading } from './persistence.ts';
import { Poison } from './poison.ts';
import { Subscription } from './subscription.ts';
import type { TopicSelection } from './subscription.ts';
import { servePartition } from './tenure.ts';
import type { Reached, TenureContext } from './tenure.ts';
import { commonCount } from './topic-counts.ts';
import { TopicWatch } from './topic-watch.ts';
import { Turns } from './turns.ts';

export interface TopicPartitionOffset {
  readonly topic: string;
  readonly partition: number;
  /** A decimal number: the next offset to read. */
  readonly offset: string;
  readonly metadata?: string | null;
}

/** Topics by name: patterns would give each process its own idea of what belongs to whom. */
export interface OwnedSubscription {
  readonly topics?: readonly string[];
  readonly topic?: string;
  readonly fromBeginning?: boolean;
}

export interface OwnedConsumer {
  /** Does nothing: `run` connects. */
  connect(): Promise<void>;
  /** Adds topics before `run`. */
  subscribe(subscription: OwnedSubscription): Promise<void>;
  /**
   * Resolves once this process takes part; messages come as partitions are granted to it.
   *
   * @throws QuorateError `INVALID_OPTIONS` (no topics, topics of different size where it is not their growth that is under way, no handler, already running, another consumer of this
   * process under the same name), `TRANSPORT_DENIED`, `TRANSPORT_FAILED`, `TRANSPORT_CLOSED`.
   */
  run(config: OwnedRunConfig): Promise<void>;
  /** Gives everything up in order: resolves when the handlers have settled and positions are committed. May be run again. */
  stop(): Promise<void>;
  /** As `stop`. */
  disconnect(): Promise<void>;
  pause(selections: readonly TopicSelection[]): void;
  resume(selections: readonly TopicSelection[]): void;
  /**
   * Goes on at this offset; where the partition is not owned by this process, the next time that it is. As with kafkajs, `-1` is after
   * the last message and `-2` at the first. @throws QuorateError `INVALID_OPTIONS`.
   */
  seek(to: TopicPartitionOffset): void;
  /** Of partitions that this process owns. @throws QuorateError `INVALID_OPTIONS`, `NOT_HELD`, `LEASE_LOST`, `STALE_OWNER`. */
  commitOffsets(offsets: readonly TopicPartitionOffset[]): Promise<void>;
}

/** @param kafka A `new Kafka({ … })` of kafkajs, or a driver for another client. */
export function ownedConsumer(
  quorate: PartitionsSource,
  kafka: KafkaClient | ConsumerDriver,
  options: OwnedConsumerOptions,
): OwnedConsumer {
  return new Consumer(quorate, () => ('fetch' in kafka ? kafka : new KafkajsConsumerDriver(kafka)), resolveConsumerOptions(options));
}

interface Running {
  readonly driver: ConsumerDriver;
  readonly fetching: Fetching;
  readonly guard: GroupGuard;
  readonly watch: TopicWatch;
  readonly recommit: NodeJS.Timeout;
  readonly stopping: AbortController;
  /** Never rejects. */
  readonly owning: Promise<void>;
}

class Consumer implements OwnedConsumer {
  readonly #quorate: PartitionsSource;
  readonly #newDriver: () => ConsumerDriver;
  readonly #options: ResolvedConsumerOptions;
  /** Topics, and whether they are read from their beginning. */
  readonly #topics = new Map<string, boolean>();
  readonly #subscription = new Subscription();
  readonly #chains = new Set<PartitionChain>();
  readonly #reached = new Map<number, Reached>();
  readonly #poison = new Poison();
  #fetching: Fetching | undefined;
  #running: Promise<Running> | undefined;

  constructor(quorate: PartitionsSource, newDriver: () => ConsumerDriver, options: ResolvedConsumerOptions) {
    this.#quorate = quorate;
    this.#newDriver = newDriver;
    this.#options = options;
    for (const topic of options.topics ?? []) this.#topics.set(topic, options.fromBeginning);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  subscribe({ topic, topics = [], fromBeginning = this.#options.fromBeginning }: OwnedSubscription): Promise<void> {
    if (this.#running !== undefined) return Promise.reject(invalid('Topics cannot be added to a consumer that runs.'));
    const names = topic === undefined ? topics : [...topics, topic];
    if (!areNames(names)) return Promise.reject(invalid('`topics` has something else than names: patterns are not taken.'));
    for (const name of names) this.#topics.set(name, fromBeginning);
    return Promise.resolve();
  }

  async run(config: OwnedRunConfig): Promise<void> {
    checkRunConfig(config);
    if (this.#running !== undefined) throw invalid('This consumer runs already.');
    if (this.#topics.size === 0) throw invalid('`topics` names none.');
    const running = this.#start(config);
    this.#running = running;
    try {
      await running;
    } catch (error) {
      if (this.#running === running) this.#running = undefined;
      throw asConsumerError(error, { groupId: this.#options.groupId, topics: [...this.#topics.keys()] });
    }
  }

  async stop(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    if (running === undefined) return;
    running.stopping.abort();
    await running.owning;
  }

  disconnect(): Promise<void> {
    return this.stop();
  }

  pause(selections: readonly TopicSelection[]): void {
    this.#subscription.pause(selections);
  }

  resume(selections: readonly TopicSelection[]): void {
    this.#subscription.resume(selections);
    for (const chain of this.#chains) this.#fetching?.wake(chain);
  }

  seek({ topic, partition, offset }: TopicPartitionOffset): void {
    const to = readSoughtOffset(offset);
    const chain = this.#chainOf(topic, partition);
    if (chain === undefined) this.#subscription.seek({ topic, partition }, to);
    else chain.seek(to);
  }

  async commitOffsets(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const due = offsets.map(({ topic, partition, offset, metadata }) => {
      const chain = this.#chainOf(topic, partition);
      if (chain !== undefined) return { chain, offset: readOffset(offset), metadata: metadata ?? undefined };
      throw new QuorateError('NOT_HELD', `Partition ${partition} of ${topic} is not owned by this process.`, {
        details: { topic, partition },
      });
    });
    await Promise.all(due.map(({ chain, offset, metadata }) => chain.book.commitExactly(offset, metadata)));
  }

  #chainOf(topic: string, partition: number): PartitionChain | undefined {
    return [...this.#chains].find((chain) => chain.topic === topic && chain.partition === partition);
  }

  async #start(config: OwnedRunConfig): Promise<Running> {
    const { groupId, name, onEvent, groupCheckIntervalMs: intervalMs, metadataMaxAgeMs } = this.#options;
    const topics = [...this.#topics.keys()];
    const driver = this.#newDriver();
    const guard = new GroupGuard({ driver, groupId, intervalMs, onEvent });
    const fetching = this.#newFetching(driver, topics);
    try {
      await driver.connect();
      const leaders = await whileLoading(() => driver.leaders(topics));
      const count = await whileLoading(() => commonCount(leaders, { driver, groupId }));
      const partitions = this.#quorate.partitions(name, { count, ...this.#setOptions });
      fetching.learn(leaders);
      await whileLoading(() => guard.open());
      const stopping = new AbortController();
      const taking = this.#own(
        partitions,
        this.#contextOf(config, { driver, guard, fetching, count: () => Math.min(count, partitions.count) }),
        stopping.signal,
      );
      await untilTaken(taking);
      const watch = new TopicWatch({ driver, topics, intervalMs: metadataMaxAgeMs, fetching, partitions, onEvent });
      void watch.look();
      const recommit = setInterval(() => this.#recommit(), this.#options.recommitIntervalMs);
      recommit.unref();
      const owning = taking
        .catch((error: unknown) => onEvent({ type: 'crashed', error }))
        .finally(() => this.#end({ driver, guard, fetching, watch, recommit }));
      return { driver, guard, fetching, watch, recommit, stopping, owning };
    } catch (error) {
      guard.close();
      fetching.close();
      await driver.close();
      throw error;
    }
  }

  get #setOptions(): Pick<OwnedConsumerOptions, 'graceMs' | 'settleMs'> {
    const { graceMs, settleMs } = this.#options;
    return { ...(graceMs !== undefined && { graceMs }), ...(settleMs !== undefined && { settleMs }) };
  }

  #own(partitions: Partitions, context: TenureContext, signal: AbortSignal): Promise<void> {
    const { weight, drainTimeoutMs, onDrainTimeout } = this.#options;
    return partitions.own((owned) => servePartition(owned, context), {
      signal,
      ...(weight !== undefined && { weight }),
      ...(drainTimeoutMs !== undefined && { drainTimeoutMs }),
      ...(onDrainTimeout !== undefined && { onDrainTimeout }),
    });
  }

  async #end({ driver, guard, fetching, watch, recommit }: Omit<Running, 'stopping' | 'owning'>): Promise<void> {
    clearInterval(recommit);
    watch.close();
    guard.close();
    fetching.close();
    this.#running = undefined;
    await driver.close();
  }

  #newFetching(driver: ConsumerDriver, topics: readonly string[]): Fetching {
    const { minBytes, maxBytes, maxBytesPerPartition: partitionBytesMax, onEvent } = this.#options;
    const sizes = { minBytes, maxBytes, partitionBytesMax };
    const fetching = new Fetching({ driver, topics, sizes, onFailure: (error, at) => onEvent({ type: 'fetchFailed', ...at, error }) });
    this.#fetching = fetching;
    return fetching;
  }

  #contextOf(config: OwnedRunConfig, parts: Pick<TenureContext, 'driver' | 'guard' | 'fetching' | 'count'>): TenureContext {
    const { groupId, commit, deadLetter, deadLetterAfter, onEvent } = this.#options;
    const { autoCommit = true, autoCommitInterval: intervalMs = ownedConsumerDefaults.autoCommitInterval } = config;
    return {
      ...parts,
      groupId,
      growth: new Growth((places) => parts.driver.committed(groupId, places)),
      topics: [...this.#topics.keys()],
      committer: commit === 'fenced' ? new FencedCommitter(parts.driver, groupId) : new PlainCommitter(parts.driver, groupId),
      subscription: this.#subscription,
      auto: autoCommit ? { intervalMs, threshold: config.autoCommitThreshold ?? null } : undefined,
      fromBeginning: (topic) => this.#topics.get(topic) ?? false,
      onEvent,
      chains: this.#chains,
      reached: this.#reached,
      handling: handlingOf({
        eachMessage: config.eachMessage,
        eachBatch: config.eachBatch,
        eachBatchAutoResolve: config.eachBatchAutoResolve ?? true,
        deadLetter,
        deadLetterAfter,
        poison: this.#poison,
        turns: new Turns(config.partitionsConsumedConcurrently ?? Infinity),
        onEvent,
        pause: ({ topic, partition }) => {
          const selection = [{ topic, partitions: [partition] }];
          this.pause(selection);
          return () => this.resume(selection);
        },
        commitOffsets: ({ topics }) =>
          this.commitOffsets(topics.flatMap(({ topic, partitions }) => partitions.map((one) => ({ topic, ...one })))),
      }),
    };
  }

  #recommit(): void {
    for (const { topic, partition, book } of this.#chains) {
      book.recommit().catch((error: unknown) => this.#options.onEvent({ type: 'commitFailed', topic, partition, error }));
    }
  }
}

/** `own` refuses what it is given before it asks anybody, so that a refusal is there with the next turn of the loop. */
async function untilTaken(taking: Promise<void>): Promise<void> {
  await Promise.race([taking, new Promise((resolve) => setImmediate(resolve))]);
}

function invalid(happened: string): QuorateError {
  return new QuorateError('INVALID_OPTIONS', happened);
}
