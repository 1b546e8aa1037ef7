/**
 * Kafka as an arbiter. A partition takes every record and orders all of them alike for all readers; each record says at which position it
 * is to count, and it does only if just so many count before it. `docs/decisions/0018`.
 */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import type { Arbiter } from '@quorate/core/adapter';
import { pause, within } from '../back-off.ts';
import type { KafkaClient } from '../client.ts';
import type { TopicSpec } from '../driver.ts';
import { asQuorateError, KafkaFailure } from '../failure.ts';
import { KafkajsDriver } from '../kafkajs-driver.ts';
import { failureOf, translated } from '../kafkajs-failure.ts';
import { readTopic } from '../store/read-topic.ts';
import { ensureTopic, whileSettling } from '../topic.ts';
import { checkFoundingTopic, foundingTopic } from './founding-topic.ts';

const partition = 0;
const allReplicas = -1;
const produceTimeoutMs = 5_000;
/** A broker that does not answer is taken for hung. */
const answerWithinMs = 8_000;
const landedWithinMs = 10_000;
const lookAgainMs = 20;
const never = new AbortController().signal;

export interface KafkaArbiterOptions {
  readonly kafka: KafkaClient;
  readonly group: string;
  readonly replicationFactor: number | undefined;
}

/** What a reader makes of the log up to its end. */
interface Reading {
  readonly records: readonly Uint8Array[];
  /** The offset after the last record that was read, whether that counted or not. */
  readonly end: bigint;
}

export class KafkaArbiter implements Arbiter {
  readonly #options: KafkaArbiterOptions;
  readonly #spec: TopicSpec;
  #driver: Promise<KafkajsDriver> | undefined;

  constructor(options: KafkaArbiterOptions) {
    this.#options = options;
    this.#spec = foundingTopic(options.group, options.replicationFactor);
  }

  async read(): Promise<readonly Uint8Array[]> {
    return this.#guarded(async () => (await this.#read()).records);
  }

  append(position: number, record: Uint8Array): Promise<boolean> {
    return this.#guarded(async (driver) => {
      if ((await this.#read()).records.length !== position) return false;
      const offset = await this.#produce(driver, position, record);
      const found = (await this.#readPast(offset)).records[position];
      return found !== undefined && Buffer.compare(found, record) === 0;
    });
  }

  async close(): Promise<void> {
    const driver = this.#driver;
    this.#driver = undefined;
    await driver?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }

  /** A failure lets go of the connections, so that the next call starts with new ones. */
  async #guarded<T>(work: (driver: KafkajsDriver) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#driver ??= this.#open()));
    } catch (error) {
      await this.close();
      throw asQuorateError(isQuorateError(error) ? error : failureOf(error), this.#spec.topic);
    }
  }

  async #open(): Promise<KafkajsDriver> {
    const driver = new KafkajsDriver(this.#options.kafka);
    try {
      await driver.connect();
      await ensureTopic(driver, this.#spec, never);
      await checkFoundingTopic(driver, this.#spec.topic);
      return driver;
    } catch (error) {
      await driver.close();
      throw error;
    }
  }

  async #read(): Promise<Reading> {
    const { topic } = this.#spec;
    const records: Uint8Array[] = [];
    let end = 0n;
    const first = await readTopic({
      kafka: this.#options.kafka,
      topic,
      onMessage: ({ key, value, offset }) => {
        end = BigInt(offset) + 1n;
        if (value !== null && key?.toString() === String(records.length)) records.push(value);
      },
    });
    if (first === 0n) return { records, end };
    const happened = `Topic ${topic} begins at offset ${first}: records of it were deleted.`;
    throw new QuorateError('ARBITER_CORRUPT', happened, { details: { topic, first: String(first) } });
  }

  /** A broker that does not lead the partition any more, and does not know it yet, may show less than what was acknowledged. */
  async #readPast(offset: bigint): Promise<Reading> {
    const deadlineMs = performance.now() + landedWithinMs;
    for (;;) {
      const reading = await this.#read();
      if (reading.end > offset) return reading;
      if (performance.now() > deadlineMs) throw new KafkaFailure('leader', `What was written to ${this.#spec.topic} is not to be read`);
      await pause(lookAgainMs, never);
    }
  }

  /** Resolves to its offset. Made once: a record that landed unnoticed counts or not by its position, as any other. */
  async #produce(driver: KafkajsDriver, position: number, record: Uint8Array): Promise<bigint> {
    const { topic } = this.#spec;
    const message = { key: Buffer.from(String(position)), value: Buffer.from(record.buffer, record.byteOffset, record.byteLength) };
    const partitions = [{ partition, firstSequence: 0, messages: [message] }];
    return whileSettling(never, async () => {
      const leader = (await driver.describe(topic)).leaders.get(partition) ?? -1;
      if (leader < 0) throw new KafkaFailure('leader', `Topic ${topic} has no leader`);
      const broker = await driver.broker(leader);
      const produced = translated(broker.produce({ acks: allReplicas, timeout: produceTimeoutMs, topicData: [{ topic, partitions }] }));
      const late = (): KafkaFailure => new KafkaFailure('connection', 'The broker does not answer a write');
      return offsetIn(await within(answerWithinMs, produced, late));
    });
  }
}

/** Of the one record that was produced. */
function offsetIn(answer: unknown): bigint {
  const { topics } = answer as { readonly topics?: readonly { readonly partitions?: readonly { readonly baseOffset?: string }[] }[] };
  const offset = topics?.[0]?.partitions?.[0]?.baseOffset;
  if (offset === undefined) throw new KafkaFailure('refused', 'The client does not say where a record was written');
  return BigInt(offset);
}
