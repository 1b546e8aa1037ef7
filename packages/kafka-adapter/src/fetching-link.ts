/**
 * A link without a consumer group: leaders, positions and a lane to each broker for either direction. One place repairs them all:
 * any failure starts a single recovery, which looks up the leaders anew and ends when every partition can be reached again.
 */
import { backOffMs, pause, within } from './back-off.ts';
import type { KafkaDriver, PartitionBatch, ProducedRecord, TopicDescription, TopicSpec } from './driver.ts';
import { KafkaFailure } from './failure.ts';
import { FetchLane } from './fetch-lane.ts';
import type { Entry, Link, LinkListener } from './link.ts';
import { ProduceLane } from './produce-lane.ts';
import { batchBytesDefault, batchBytesMax, ensureTopic, whileSettling } from './topic.ts';

const recovery = { firstMs: 25, longestMs: 500 };
/** Rights that were taken away come back by hand if at all. */
const deniedRecovery = { firstMs: 1_000, longestMs: 10_000 };
/** After so many attempts in a row the driver starts over with new connections, from the addresses the user gave. */
const attemptsBeforeRenewal = 12;
const partitionBytesMin = 1_048_576;
const watchEveryMs = 500;
/** A long poll takes one tick at most; a process that was suspended has missed its ticks and cuts nothing off. */
const stalledAfterTicks = 8;
/** Of one attempt to recover: a client may retry for much longer inside a single call. */
const attemptWithinMs = 10_000;

export interface FetchingLinkOptions extends LinkListener {
  readonly driver: KafkaDriver;
  readonly spec: TopicSpec;
  /** Chooses what to read once the partitions are known. */
  readonly read: (partitions: readonly number[]) => readonly number[];
  /** A record that readers ignore, written wherever we read to learn whether we may and can write. */
  readonly probe?: ProducedRecord;
  readonly inFlightMax: number;
}

export class FetchingLink implements Link {
  readonly #options: FetchingLinkOptions;
  readonly #positions = new Map<number, number>();
  readonly #fetchLanes = new Map<number, FetchLane>();
  readonly #produceLanes = new Map<number, ProduceLane>();
  /** Brokers that failed, and how, until they are reached again. */
  readonly #failures = new Map<number, KafkaFailure>();
  readonly #closing = new AbortController();
  #leaders: ReadonlyMap<number, number> = new Map();
  #batchBytesMax = batchBytesDefault;
  #watch: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isRecovering = false;
  #isDenialSaid = false;
  #isRenewing = false;

  constructor(options: FetchingLinkOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return !this.#isRecovering && !this.#closing.signal.aborted;
  }

  get partitions(): readonly number[] {
    return [...this.#leaders.keys()];
  }

  get batchBytesMax(): number {
    return this.#batchBytesMax;
  }

  async open(): Promise<void> {
    const { driver, spec } = this.#options;
    const { signal } = this.#closing;
    await whileSettling(signal, async () => {
      const description = await ensureTopic(driver, spec, signal);
      this.#batchBytesMax = await batchBytesMax(driver, spec.topic);
      await this.#reach(description);
      await this.#writeProbe();
    });
    this.#watch = setInterval(() => this.#cutStalled(), watchEveryMs);
    this.#watch.unref();
  }

  start(): void {
    this.#isStarted = true;
    for (const [broker, lane] of this.#fetchLanes) if (!this.#failures.has(broker)) lane.start();
  }

  write(entries: readonly Entry[]): void {
    if (this.#closing.signal.aborted) return;
    for (const entry of entries) {
      const broker = this.#leaders.get(entry.partition) ?? -1;
      if (broker >= 0 && !this.#failures.has(broker)) this.#produceLane(broker).add(entry);
    }
  }

  async drain(timeoutMs: number): Promise<void> {
    const idle = Promise.all([...this.#produceLanes.values()].map((lane) => lane.idle()));
    await Promise.race([idle, pause(timeoutMs, this.#closing.signal)]);
  }

  close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#watch);
    for (const lane of this.#fetchLanes.values()) lane.stop();
    for (const lane of this.#produceLanes.values()) lane.clear();
    return Promise.resolve();
  }

  /** Reaches every broker that leads a partition; what is not allowed or not possible at one of them is thrown after all were tried. */
  async #reach({ leaders }: TopicDescription): Promise<void> {
    const { spec, read } = this.#options;
    this.#leaders = leaders;
    const wanted = read([...leaders.keys()]);
    const brokers = new Set([...leaders.values()].filter((broker) => broker >= 0));
    for (const broker of [...this.#failures.keys()]) if (!brokers.has(broker)) this.#failures.delete(broker);
    const results = await Promise.allSettled([...brokers].map((broker) => this.#reachBroker(broker, wanted)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const leaderless = wanted.filter((partition) => (leaders.get(partition) ?? -1) < 0);
    if (leaderless.length > 0)
      throw new KafkaFailure('leader', `Topic ${spec.topic} has no leader for its partitions ${leaderless.join(', ')}`);
  }

  /** Connects, finds the ends of what is read there, and asks once, so that what is not allowed fails here. */
  async #reachBroker(broker: number, wanted: readonly number[]): Promise<void> {
    const { driver, spec } = this.#options;
    if (this.#failures.get(broker)?.kind === 'connection') await driver.cut(broker);
    await driver.ready(broker);
    const led = wanted.filter((partition) => this.#leaders.get(partition) === broker);
    const unknown = led.filter((partition) => !this.#positions.has(partition));
    if (unknown.length > 0) {
      for (const [partition, offset] of await driver.latestOffsets(broker, spec.topic, unknown)) this.#positions.set(partition, offset);
    }
    const lane = this.#fetchLane(broker);
    if (led.length > 0 && !lane.isRunning) await lane.probe().catch(forgive);
    this.#failures.delete(broker);
    if (this.#isStarted) lane.start();
  }

  async #writeProbe(): Promise<void> {
    const { driver, spec, read, probe } = this.#options;
    if (probe === undefined) return;
    const batches = new Map<number, PartitionBatch[]>();
    for (const partition of read(this.partitions)) {
      const broker = this.#leaders.get(partition) ?? -1;
      batches.set(broker, [...(batches.get(broker) ?? []), { partition, records: [probe] }]);
    }
    await Promise.all(Array.from(batches, ([broker, some]) => driver.produce(broker, spec.topic, some)));
  }

  #fetchLane(broker: number): FetchLane {
    let lane = this.#fetchLanes.get(broker);
    if (lane === undefined) {
      const { driver, spec, onRecord, onEvent } = this.#options;
      lane = new FetchLane({
        driver,
        broker,
        topic: spec.topic,
        partitionBytesMax: Math.max(partitionBytesMin, this.#batchBytesMax),
        positions: this.#positions,
        partitions: () => [...this.#positions.keys()].filter((partition) => this.#leaders.get(partition) === broker),
        onRecord,
        onEvent,
        onFailure: (failure) => this.#fail(broker, failure),
      });
      this.#fetchLanes.set(broker, lane);
    }
    return lane;
  }

  #produceLane(broker: number): ProduceLane {
    let lane = this.#produceLanes.get(broker);
    if (lane === undefined) {
      const { driver, spec, inFlightMax, onEvent } = this.#options;
      const batchBytesMax = this.#batchBytesMax;
      const onFailure = (failure: KafkaFailure) => this.#fail(broker, failure);
      lane = new ProduceLane({ driver, broker, topic: spec.topic, batchBytesMax, inFlightMax, onEvent, onFailure });
      this.#produceLanes.set(broker, lane);
    }
    return lane;
  }

  #fail(broker: number, failure: KafkaFailure): void {
    if (this.#closing.signal.aborted) return;
    this.#failures.set(broker, failure);
    if (failure.kind === 'connection') this.#produceLanes.get(broker)?.clear();
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.#options.onConnected(false, failure);
    void this.#recover(failure);
  }

  /** Ends when all is well or the link is closed; never rejects. */
  async #recover(first: KafkaFailure): Promise<void> {
    const { signal } = this.#closing;
    let failure: KafkaFailure = first;
    if (failure.kind === 'denied') this.#reportDenied(failure);
    for (let attempt = 0; !signal.aborted; attempt++) {
      await pause(backOffMs(attempt, failure.kind === 'denied' ? deniedRecovery : recovery), signal);
      if (signal.aborted) return;
      if (attempt > 0 && attempt % attemptsBeforeRenewal === 0) this.#renew();
      try {
        await within(attemptWithinMs, this.#repair(failure), lateFailure);
        // Another broker may have failed while this one was reached.
        if (this.#failures.size === 0) break;
      } catch (error) {
        failure = error instanceof KafkaFailure ? error : new KafkaFailure('refused', String(error), { cause: error });
      }
    }
    if (signal.aborted) return;
    this.#isRecovering = false;
    this.#options.onConnected(true);
  }

  async #repair(failure: KafkaFailure): Promise<void> {
    const { driver, spec } = this.#options;
    await this.#reach(
      failure.kind === 'missing' ? await ensureTopic(driver, spec, this.#closing.signal) : await driver.describe(spec.topic),
    );
    await this.#writeProbe();
  }

  /** Beside the attempts on the connections there are: it may take the client long to give up on an address. */
  #renew(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const isWanted = () => this.#isRecovering && !this.#closing.signal.aborted;
    this.#options.driver
      .renew(isWanted)
      .catch(() => undefined)
      .finally(() => (this.#isRenewing = false));
  }

  /** Without a probe a recovery cannot tell whether the right is back, and the next write would say the same again. */
  #reportDenied(failure: KafkaFailure): void {
    if (this.#isDenialSaid && this.#options.probe === undefined) return;
    this.#isDenialSaid = true;
    const message = `A right to topic ${this.#options.spec.topic} was taken away: ${failure.message}`;
    this.#options.onEvent({ type: 'error', code: 'TRANSPORT_DENIED', message, cause: failure });
  }

  /** A broker that hangs, or a network that swallows packets, is found out here and not after kafkajs's 30 s. */
  #cutStalled(): void {
    const { driver } = this.#options;
    for (const broker of new Set([...this.#fetchLanes.keys(), ...this.#produceLanes.keys()])) {
      const isReadStalled = this.#fetchLanes.get(broker)?.isStalled(stalledAfterTicks) === true;
      const isWriteStalled = this.#produceLanes.get(broker)?.isStalled(stalledAfterTicks) === true;
      if ((isReadStalled || isWriteStalled) && !driver.isThrottled(broker)) void driver.cut(broker);
    }
  }
}

/** A position that is out of range is put right by the lane, which reports it. */
function forgive(error: unknown): void {
  if (error instanceof KafkaFailure && (error.kind === 'outOfRange' || error.kind === 'refused')) return;
  throw error;
}

function lateFailure(): KafkaFailure {
  return new KafkaFailure('connection', 'The brokers took too long to answer');
}
