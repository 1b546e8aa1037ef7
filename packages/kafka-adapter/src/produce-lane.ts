/**
 * Writing to one broker: whatever was written in a turn leaves as one request. While as many as may are under way, the rest
 * collects and leaves together; nothing waits for a timer.
 */
import type { ChannelEvent } from '@quorate/core/adapter';
import type { KafkaDriver, PartitionBatch, ProducedRecord } from './driver.ts';
import { KafkaFailure } from './failure.ts';
import type { Entry } from './link.ts';

const requestBytesMax = 4_194_304;
/** What waits for a broker that does not answer. The oldest goes first: it has probably been said again since. */
const waitingBytesMax = 16_777_216;
/** Of a record beside key and value, and of a batch beside its records. */
export const recordOverheadBytes = 32;
export const batchOverheadBytes = 64;

export interface ProduceLaneOptions {
  readonly driver: Pick<KafkaDriver, 'produce'>;
  readonly broker: number;
  readonly topic: string;
  /** The broker's limit for the records of one partition in one request. */
  readonly batchBytesMax: number;
  readonly inFlightMax: number;
  readonly onEvent: (event: ChannelEvent) => void;
  readonly onFailure: (failure: KafkaFailure) => void;
}

export class ProduceLane {
  readonly #options: ProduceLaneOptions;
  #waiting: Entry[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #isScheduled = false;
  /** Ticks of the watchdog since a request was last sent or answered. */
  #ticks = 0;
  #onIdle: (() => void)[] = [];

  constructor(options: ProduceLaneOptions) {
    this.#options = options;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#waitingBytes += sizeOf(entry.record);
    if (this.#waitingBytes > waitingBytesMax) this.#dropOldest();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Drops what waits; what is under way answers for itself. */
  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#settle();
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0 && this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** To be called at a steady rate; true once requests have gone unanswered for so many calls. */
  isStalled(ticksMax: number): boolean {
    return this.#inFlight > 0 && ++this.#ticks > ticksMax;
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#options.inFlightMax) this.#send(this.#takeBatches());
    this.#settle();
  }

  #send(batches: readonly PartitionBatch[]): void {
    const { driver, broker, topic, onFailure } = this.#options;
    if (this.#inFlight === 0) this.#ticks = 0;
    this.#inFlight++;
    driver.produce(broker, topic, batches).then(
      () => this.#answered(),
      (error: unknown) => {
        const failure = error instanceof KafkaFailure ? error : new KafkaFailure('refused', String(error), { cause: error });
        if (failure.kind === 'tooLarge') this.#reportTooLarge(failure);
        else onFailure(failure);
        this.#answered();
      },
    );
  }

  #answered(): void {
    this.#inFlight--;
    this.#ticks = 0;
    this.#flush();
  }

  #settle(): void {
    if (this.#waiting.length > 0 || this.#inFlight > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const onIdle of listeners) onIdle();
  }

  /** As much of what waits as one request takes; Kafka wants one batch for each partition in it. */
  #takeBatches(): readonly PartitionBatch[] {
    const { batchBytesMax } = this.#options;
    const batches = new Map<number, ProducedRecord[]>();
    const batchBytes = new Map<number, number>();
    let bytes = 0;
    let taken = 0;
    for (const { partition, record } of this.#waiting) {
      const size = sizeOf(record);
      const before = batchBytes.get(partition) ?? batchOverheadBytes;
      const isFull = taken > 0 && (bytes + size > requestBytesMax || before + size > batchBytesMax);
      if (isFull) break;
      const batch = batches.get(partition);
      if (batch === undefined) batches.set(partition, [record]);
      else batch.push(record);
      batchBytes.set(partition, before + size);
      bytes += size;
      taken++;
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    this.#waitingBytes -= bytes;
    return Array.from(batches, ([partition, records]) => ({ partition, records }));
  }

  #dropOldest(): void {
    let dropped = 0;
    while (this.#waitingBytes > waitingBytesMax / 2) {
      const entry = this.#waiting[dropped];
      if (entry === undefined) break;
      dropped++;
      this.#waitingBytes -= sizeOf(entry.record);
    }
    this.#waiting = this.#waiting.slice(dropped);
    const message = `Broker ${this.#options.broker} does not keep up: ${dropped} records to ${this.#options.topic} were dropped.`;
    this.#options.onEvent({ type: 'warning', code: 'RECORDS_DROPPED', message });
  }

  #reportTooLarge(failure: KafkaFailure): void {
    const message = `The broker refused records to ${this.#options.topic} as too large: ${failure.message}`;
    this.#options.onEvent({ type: 'error', code: 'FRAME_TOO_LARGE', message, cause: failure });
  }
}

function sizeOf({ key, value }: ProducedRecord): number {
  return recordOverheadBytes + key.length + (value?.length ?? 0);
}
