/**
 * A link by the public consumer and producer of kafkajs, for clients that give no cluster: a consumer group of this process alone,
 * deleted at the end. Slower to start than a link without a group and slower to notice trouble, otherwise the same.
 */
import { randomUUID } from 'node:crypto';
import { backOffMs, pause, within } from './back-off.ts';
import type { KafkaBatch, KafkaClient, KafkaConsumer, KafkaProducer } from './client.ts';
import type { PartitionBatch, ProducedRecord, TopicSpec } from './driver.ts';
import { KafkaFailure } from './failure.ts';
import { fixedAssigner } from './group-assignment.ts';
import { KafkajsAdmin } from './kafkajs-admin.ts';
import { failureOf, translated } from './kafkajs-failure.ts';
import type { Entry, Link, LinkListener } from './link.ts';
import { ProduceLane } from './produce-lane.ts';
import { batchBytesDefault, batchBytesMax, ensureTopic, whileSettling } from './topic.ts';

const recovery = { firstMs: 200, longestMs: 5_000 };
const produceTimeoutMs = 5_000;
const maxWaitMs = 250;
const watchEveryMs = 500;
/** A consumer fetches at least every `maxWaitMs`; one that has not for so many ticks of the watch is cut off. */
const silentAfterTicks = 6;
/** 3 s of it are what a broker waits, by default, for more members of a new group. */
const joinWithinMs = 30_000;
const closeWithinMs = 3_000;
const leaderAcknowledges = 1;

export interface GroupLinkOptions extends LinkListener {
  readonly kafka: KafkaClient;
  readonly spec: TopicSpec;
  readonly read: (partitions: readonly number[]) => readonly number[];
  readonly probe?: ProducedRecord;
  readonly inFlightMax: number;
}

export class GroupLink implements Link {
  readonly #options: GroupLinkOptions;
  readonly #admin: KafkajsAdmin;
  readonly #closing = new AbortController();
  readonly #groups: string[] = [];
  #partitions: readonly number[] = [];
  #producer: KafkaProducer | undefined;
  #consumer: KafkaConsumer | undefined;
  /** Of the consumer that is being joined. */
  #joining: { readonly resolve: () => void; readonly reject: (failure: KafkaFailure) => void } | undefined;
  #silentTicks = 0;
  #watch: NodeJS.Timeout | undefined;
  #isStarted = false;
  #trouble: KafkaFailure | undefined;
  #isHealing = false;
  #isRejoining = false;
  #early: (() => void)[] = [];
  #lane: ProduceLane | undefined;
  #batchBytesMax = batchBytesDefault;

  constructor(options: GroupLinkOptions) {
    this.#options = options;
    this.#admin = new KafkajsAdmin(options.kafka);
  }

  get isConnected(): boolean {
    return this.#trouble === undefined && !this.#closing.signal.aborted;
  }

  get partitions(): readonly number[] {
    return this.#partitions;
  }

  get batchBytesMax(): number {
    return this.#batchBytesMax;
  }

  async open(): Promise<void> {
    const { kafka, spec, read, inFlightMax, onEvent } = this.#options;
    try {
      const { leaders } = await ensureTopic(this.#admin, spec, this.#closing.signal);
      this.#partitions = [...leaders.keys()];
      this.#batchBytesMax = await batchBytesMax(this.#admin, spec.topic);
    } finally {
      await this.#admin.close();
    }
    this.#lane = new ProduceLane({
      driver: { produce: (_broker, topic, batches) => this.#produce(topic, batches) },
      broker: 0,
      topic: spec.topic,
      batchBytesMax: this.#batchBytesMax,
      inFlightMax,
      onEvent,
      onFailure: (failure) => this.#fail(failure),
    });
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      retry: { retries: 0 },
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    await translated(this.#producer.connect());
    await whileSettling(this.#closing.signal, () => this.#writeProbe());
    if (read(this.#partitions).length === 0) return;
    await this.#joinPatiently();
    this.#watch = setInterval(() => this.#watchConsumer(), watchEveryMs);
    this.#watch.unref();
  }

  start(): void {
    this.#isStarted = true;
    const early = this.#early;
    this.#early = [];
    for (const deliver of early) deliver();
  }

  write(entries: readonly Entry[]): void {
    if (this.isConnected) for (const entry of entries) this.#lane?.add(entry);
  }

  async drain(timeoutMs: number): Promise<void> {
    await Promise.race([this.#lane?.idle(), pause(timeoutMs, this.#closing.signal)]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#watch);
    this.#lane?.clear();
    const leaving = this.#leave();
    leaving.catch(() => undefined);
    // A consumer that cannot reach its broker retries for long; nobody has to wait for that.
    const left = new AbortController();
    try {
      await Promise.race([leaving, pause(closeWithinMs, left.signal)]);
    } finally {
      left.abort();
    }
  }

  async #leave(): Promise<void> {
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#producer?.disconnect().catch(() => undefined);
    for (const group of this.#groups) await this.#admin.deleteGroup(group).catch(() => undefined);
    await this.#admin.close();
  }

  /** Resolves at the first fetch of a new consumer: by then it knows all its positions. */
  async #join(): Promise<void> {
    const { kafka, spec, read } = this.#options;
    const groupId = `${spec.topic}.${randomUUID()}`;
    const consumer = kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      partitionAssigners: [() => fixedAssigner(spec.topic, read(this.#partitions))],
      readUncommitted: true,
      minBytes: 1,
      maxBytesPerPartition: this.#batchBytesMax,
      maxWaitTimeInMs: maxWaitMs,
      sessionTimeout: 30_000,
      heartbeatInterval: 3_000,
      // Its own restart would wait for the session of the member that it was before; a new group waits for nobody.
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#consumer = consumer;
    consumer.on('consumer.crash', ({ payload }) => this.#onLost(consumer, failureOf(payload.error)));
    consumer.on('consumer.fetch', () => this.#fetched(consumer));
    const fetched = new Promise<void>((resolve, reject) => (this.#joining = { resolve, reject }));
    fetched.catch(() => undefined);
    await translated(consumer.connect());
    await translated(consumer.subscribe({ topics: [spec.topic], fromBeginning: false }));
    const eachBatch = ({ batch }: { readonly batch: KafkaBatch }) => Promise.resolve(this.#take(consumer, batch));
    await translated(consumer.run({ autoCommit: false, eachBatch }));
    this.#groups.push(groupId);
    await within(joinWithinMs, fetched, () => new KafkaFailure('connection', `Group ${groupId} could not be joined in time`));
    this.#joining = undefined;
  }

  /** A broker that never had a group makes the topic for their offsets first. */
  async #joinPatiently(): Promise<void> {
    const deadlineMs = performance.now() + joinWithinMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#join();
      } catch (error) {
        this.#consumer?.disconnect().catch(() => undefined);
        const { signal } = this.#closing;
        if (failureOf(error).kind === 'denied' || signal.aborted || performance.now() > deadlineMs) throw error;
        await pause(backOffMs(attempt, recovery), signal);
      }
    }
  }

  #take(consumer: KafkaConsumer, { partition, messages }: KafkaBatch): void {
    if (consumer !== this.#consumer) return;
    const deliver = () => {
      for (const record of messages) {
        if (this.#closing.signal.aborted) return;
        this.#options.onRecord(partition, record);
      }
    };
    if (this.#isStarted) deliver();
    else this.#early.push(deliver);
  }

  async #produce(topic: string, batches: readonly PartitionBatch[]): Promise<void> {
    const messages = batches.flatMap(({ partition, records }) => records.map((record) => ({ partition, ...record })));
    if (this.#producer === undefined) throw new KafkaFailure('connection', 'The producer is not connected');
    await translated(this.#producer.send({ topic, acks: leaderAcknowledges, timeout: produceTimeoutMs, messages }));
  }

  async #writeProbe(): Promise<void> {
    const { spec, read, probe } = this.#options;
    if (probe === undefined) return;
    await this.#produce(
      spec.topic,
      read(this.#partitions).map((partition) => ({ partition, records: [probe] })),
    );
  }

  #fetched(consumer: KafkaConsumer): void {
    if (consumer !== this.#consumer) return;
    this.#silentTicks = 0;
    this.#joining?.resolve();
    if (this.#trouble !== undefined) void this.#heal();
  }

  /** The consumer reads again; if we may and can write too, all is well. */
  async #heal(): Promise<void> {
    if (this.#isHealing || this.#closing.signal.aborted) return;
    this.#isHealing = true;
    try {
      await this.#writeProbe();
      if (this.#closing.signal.aborted) return;
      this.#trouble = undefined;
      this.#options.onConnected(true);
    } catch {
      // The next fetch tries again.
    } finally {
      this.#isHealing = false;
    }
  }

  #fail(failure: KafkaFailure): void {
    if (this.#closing.signal.aborted) return;
    this.#lane?.clear();
    // Without a consumer there are no fetches to heal by, and nobody to tell: the next write is the next attempt.
    if (this.#consumer === undefined) return;
    const wasConnected = this.#trouble === undefined;
    this.#trouble = failure;
    if (wasConnected) this.#options.onConnected(false, failure);
  }

  #onLost(consumer: KafkaConsumer | undefined, failure: KafkaFailure): void {
    if (consumer === undefined || consumer !== this.#consumer || this.#closing.signal.aborted) return;
    if (this.#joining !== undefined) return this.#joining.reject(failure);
    this.#fail(failure);
    void this.#rejoin();
  }

  /** In a new group with a new consumer, until one fetches. Never rejects. */
  async #rejoin(): Promise<void> {
    if (this.#isRejoining) return;
    this.#isRejoining = true;
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt++) {
      await pause(backOffMs(attempt, recovery), signal);
      if (signal.aborted) break;
      // Not awaited: it may try to say goodbye to a broker that is gone.
      this.#consumer?.disconnect().catch(() => undefined);
      const hasJoined = await this.#join().then(
        () => true,
        () => false,
      );
      if (hasJoined) break;
    }
    this.#isRejoining = false;
  }

  #watchConsumer(): void {
    if (this.#isRejoining || ++this.#silentTicks <= silentAfterTicks) return;
    this.#onLost(this.#consumer, new KafkaFailure('connection', 'The consumer has stopped fetching'));
  }
}
