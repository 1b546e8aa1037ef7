/** A driver over topics in memory, whose answers a test can spoil. */
import type { FetchedPartition, FetchRequest, KafkaDriver, PartitionBatch, TopicDescription, TopicSpec } from '../src/driver.ts';
import { KafkaFailure } from '../src/failure.ts';
import type { FailureKind } from '../src/failure.ts';

interface LogRecord {
  readonly offset: string;
  readonly key: Buffer;
  readonly value: Buffer | null;
}

type Call = 'describe' | 'create' | 'ready' | 'latestOffsets' | 'fetch' | 'produce';

export class FakeDriver implements KafkaDriver {
  /** The leader of each partition; −1 for none. No entries: no such topic. */
  leaders = new Map<number, number>();
  readonly settings = new Map<string, string>();
  readonly created: TopicSpec[] = [];
  readonly produced: (readonly PartitionBatch[])[] = [];
  readonly cuts: number[] = [];
  renewals = 0;
  /** Answers to `produce` wait for this. */
  gate: Promise<void> | undefined;
  hangs = false;
  readonly #logs = new Map<number, LogRecord[]>();
  readonly #starts = new Map<number, number>();
  readonly #spoilt: { call: Call; failure: KafkaFailure; broker?: number; times: number }[] = [];
  readonly #waiting = new Set<{ broker: number; wake: (failure?: KafkaFailure) => void }>();

  constructor(partitions: number, leader = 1) {
    for (let partition = 0; partition < partitions; partition++) this.leaders.set(partition, leader);
  }

  /** The next calls fail. */
  spoil(call: Call, kind: FailureKind, options: { broker?: number; partition?: number; times?: number } = {}): void {
    const failure = new KafkaFailure(kind, `${call} is spoilt`, { partition: options.partition });
    this.#spoilt.push({ call, failure, broker: options.broker, times: options.times ?? 1 });
  }

  heal(): void {
    this.#spoilt.length = 0;
  }

  append(partition: number, ...texts: readonly string[]): void {
    for (const text of texts) this.#append(partition, { key: Buffer.from('key'), value: Buffer.from(text) });
  }

  /** Forgets what lies before, as retention does. */
  truncate(partition: number): void {
    this.#starts.set(partition, this.#end(partition));
    this.#logs.set(partition, []);
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  async describe(topic: string): Promise<TopicDescription> {
    this.#check('describe');
    if (this.leaders.size === 0) throw new KafkaFailure('missing', `no ${topic}`);
    return { leaders: new Map(this.leaders) };
  }

  setting(_topic: string, name: string): Promise<string | undefined> {
    return Promise.resolve(this.settings.get(name));
  }

  async create(spec: TopicSpec): Promise<void> {
    this.#check('create');
    this.created.push(spec);
    for (let partition = 0; partition < spec.partitions; partition++) this.leaders.set(partition, 1);
  }

  address(): Promise<string | undefined> {
    return Promise.resolve('broker:9092');
  }

  async ready(broker: number): Promise<void> {
    this.#check('ready', broker);
  }

  async latestOffsets(broker: number, _topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    this.#check('latestOffsets', broker);
    return new Map(partitions.map((partition) => [partition, this.#end(partition)]));
  }

  async fetch(broker: number, request: FetchRequest): Promise<readonly FetchedPartition[]> {
    this.#check('fetch', broker);
    for (const { partition } of request.positions) {
      if (this.leaders.get(partition) !== broker) throw new KafkaFailure('leader', `${broker} does not lead ${partition}`);
    }
    const first = this.#answer(request);
    if (request.maxWaitMs === 0 || (first.some(({ records }) => records.length > 0) && !this.hangs)) return first;
    await new Promise<void>((resolve, reject) => {
      const waiting = { broker, wake: (failure?: KafkaFailure) => (failure === undefined ? resolve() : reject(failure)) };
      this.#waiting.add(waiting);
      if (!this.hangs) setTimeout(resolve, 20);
    });
    return this.#answer(request);
  }

  async produce(broker: number, _topic: string, batches: readonly PartitionBatch[]): Promise<void> {
    this.#check('produce', broker);
    this.produced.push(batches);
    await this.gate;
    for (const { partition, records } of batches) for (const record of records) this.#append(partition, record);
  }

  isThrottled(): boolean {
    return false;
  }

  cut(broker: number): Promise<void> {
    this.cuts.push(broker);
    this.#wake(broker, new KafkaFailure('connection', 'cut'));
    return Promise.resolve();
  }

  renew(): Promise<void> {
    this.renewals++;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #append(partition: number, { key, value }: { readonly key: Buffer; readonly value: Buffer | null }): void {
    const log = this.#logs.get(partition) ?? [];
    log.push({ offset: String(this.#end(partition)), key, value });
    this.#logs.set(partition, log);
    if (!this.hangs) this.#wake();
  }

  #wake(broker?: number, failure?: KafkaFailure): void {
    for (const waiting of [...this.#waiting]) {
      if (broker !== undefined && waiting.broker !== broker) continue;
      this.#waiting.delete(waiting);
      waiting.wake(failure);
    }
  }

  #end(partition: number): number {
    return (this.#starts.get(partition) ?? 0) + (this.#logs.get(partition)?.length ?? 0);
  }

  #answer({ positions }: FetchRequest): FetchedPartition[] {
    return positions.map(({ partition, offset }) => {
      if (offset < (this.#starts.get(partition) ?? 0)) throw new KafkaFailure('outOfRange', 'gone', { partition });
      const records = (this.#logs.get(partition) ?? []).filter((record) => Number(record.offset) >= offset);
      return { partition, highWatermark: this.#end(partition), records };
    });
  }

  #check(call: Call, broker?: number): void {
    const spoilt = this.#spoilt.find((one) => one.call === call && one.times > 0 && (one.broker === undefined || one.broker === broker));
    if (spoilt === undefined) return;
    spoilt.times--;
    throw spoilt.failure;
  }
}
