/** Reading from one broker: a long poll over all our partitions that it leads, again and again, until it fails. */
import type { ChannelEvent } from '@quorate/core/adapter';
import { pause } from './back-off.ts';
import type { KafkaRecord } from './client.ts';
import type { FetchedPartition, KafkaDriver } from './driver.ts';
import { KafkaFailure } from './failure.ts';

/** An arrival ends the wait, so it costs no latency; it bounds how long a partition that moved here waits to be asked for. */
const maxWaitMs = 500;

/**
 * Further behind than this, what is on the way is too old to be of use: a process that slept would only read how the others got on
 * without it.
 */
const recordsBehindMax = 10_000;

/** Between jumps, should whatever is in the way come again and again. */
const skipPauseMs = 50;
const never = new AbortController().signal;

/**
 * What records lead to is found in the turn after them, and is waited for by others. To ask for more first would keep that waiting
 * for as long as a request takes to write.
 */
function turnOver(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

export interface FetchLaneOptions {
  readonly driver: KafkaDriver;
  readonly broker: number;
  readonly topic: string;
  readonly partitionBytesMax: number;
  /** The next offset of every partition that the link reads; shared by its lanes. */
  readonly positions: Map<number, number>;
  /** Those of them that this broker leads at the moment. */
  readonly partitions: () => readonly number[];
  readonly onRecord: (partition: number, record: KafkaRecord) => void;
  readonly onEvent: (event: ChannelEvent) => void;
  readonly onFailure: (failure: KafkaFailure) => void;
}

export class FetchLane {
  readonly #options: FetchLaneOptions;
  #isRunning = false;
  #isStopped = false;
  /** Ticks of the watchdog since the fetch under way was sent. */
  #ticks = 0;

  constructor(options: FetchLaneOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Rejects where a fetch of these partitions does; takes nothing. */
  async probe(): Promise<void> {
    await this.#fetch(0);
  }

  start(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** To be called at a steady rate; true once the fetch under way has gone unanswered for so many calls. */
  isStalled(ticksMax: number): boolean {
    return this.#isRunning && ++this.#ticks > ticksMax;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && this.#options.partitions().length > 0) {
      try {
        const fetched = await this.#fetch(maxWaitMs);
        if (this.#isStopped) break;
        for (const partition of fetched) this.#take(partition);
        await turnOver();
        if (this.#isStopped) break;
      } catch (error) {
        if (this.#isStopped) break;
        const failure = error instanceof KafkaFailure ? error : new KafkaFailure('refused', String(error), { cause: error });
        if (await this.#skip(failure)) continue;
        this.#isRunning = false;
        this.#options.onFailure(failure);
        return;
      }
    }
    this.#isRunning = false;
  }

  #fetch(waitMs: number): Promise<readonly FetchedPartition[]> {
    const { driver, broker, topic, partitionBytesMax, positions, partitions } = this.#options;
    this.#ticks = 0;
    const asked = partitions().map((partition) => ({ partition, offset: positions.get(partition) ?? 0 }));
    return driver.fetch(broker, { topic, maxWaitMs: waitMs, partitionBytesMax, positions: asked });
  }

  #take({ partition, highWatermark, records }: FetchedPartition): void {
    const { positions, onRecord } = this.#options;
    let next = positions.get(partition) ?? 0;
    for (const record of records) {
      const offset = Number(record.offset);
      if (offset < next) continue;
      next = offset + 1;
      positions.set(partition, next);
      this.#guard(() => onRecord(partition, record));
      if (this.#isStopped) return;
    }
    if (highWatermark - next > recordsBehindMax) this.#jump(partition, highWatermark);
  }

  /** A listener that throws must not end the reading; it is told of it instead. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (cause) {
      this.#options.onEvent({ type: 'error', code: 'LISTENER_THREW', message: `A listener for frames threw: ${String(cause)}`, cause });
    }
  }

  #jump(partition: number, to: number): void {
    const { positions, topic, onEvent } = this.#options;
    const message = `Partition ${partition} of ${topic} goes on at offset ${to} instead of ${positions.get(partition) ?? 0}.`;
    positions.set(partition, to);
    onEvent({ type: 'info', code: 'RECORDS_SKIPPED', message });
  }

  /** Goes on at the end where what lies before cannot be had: it was deleted, or this client cannot decode it. */
  async #skip(failure: KafkaFailure): Promise<boolean> {
    if (failure.kind !== 'outOfRange' && failure.kind !== 'refused') return false;
    const { driver, broker, topic, partitions } = this.#options;
    const concerned = failure.partition === undefined ? partitions() : [failure.partition];
    try {
      const ends = await driver.latestOffsets(broker, topic, concerned);
      const isStuck = concerned.every((partition) => ends.get(partition) === this.#options.positions.get(partition));
      if (isStuck) return false;
      for (const [partition, end] of ends) this.#jump(partition, end);
      await pause(skipPauseMs, never);
      return true;
    } catch {
      return false;
    }
  }
}
