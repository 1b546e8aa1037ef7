/** A topic, a group, a producer and the consumers of one test on a real Kafka, and waiting for what they do. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Admin, Producer } from 'kafkajs';
import { ownedConsumer } from '../../src/index.ts';
import type { ConsumerDriver, OwnedConsumer, OwnedConsumerEvent, OwnedConsumerOptions } from '../../src/index.ts';
import { KafkajsConsumerDriver } from '../../src/consumer/kafkajs-consumer-driver.ts';
import { makeTopic } from '../made-topic.ts';
import { StandInPartitions } from './stand-in-partitions.ts';

const withinMs = 40_000;

/** One process: its consumer, what it was told and what it told. */
export interface Process {
  readonly partitions: StandInPartitions;
  readonly consumer: OwnedConsumer;
  readonly events: OwnedConsumerEvent[];
}

export type NewDriver = (brokers: readonly string[]) => ConsumerDriver;

export class KafkaRig {
  readonly topic = `orders-${randomUUID()}`;
  readonly groupId = `billing-${randomUUID()}`;
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly #newDriver: NewDriver | undefined;
  readonly brokers: readonly string[];
  readonly #processes: Process[] = [];

  constructor(brokers: readonly string[], newDriver?: NewDriver) {
    this.brokers = brokers;
    this.#newDriver = newDriver;
    this.kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    this.admin = this.kafka.admin();
    this.producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  }

  async open(partitions = 1): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()]);
    await makeTopic(this.admin, this.topic, partitions);
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map(({ consumer }) => consumer.stop()));
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]);
  }

  process(options: Partial<OwnedConsumerOptions> = {}, clientId?: string): Process {
    const partitions = new StandInPartitions();
    const events: OwnedConsumerEvent[] = [];
    const consumer = ownedConsumer(partitions, this.#newDriver?.(this.brokers) ?? this.#client(clientId), {
      groupId: this.groupId,
      topics: [this.topic],
      fromBeginning: true,
      onEvent: (event) => events.push(event),
      ...options,
    });
    const started = { partitions, consumer, events };
    this.#processes.push(started);
    return started;
  }

  /** What owned consumers ask their client through. */
  driver(): ConsumerDriver {
    return this.#newDriver?.(this.brokers) ?? new KafkajsConsumerDriver(this.kafka);
  }

  #client(clientId: string | undefined): Kafka {
    return clientId === undefined ? this.kafka : new Kafka({ brokers: [...this.brokers], clientId, logLevel: logLevel.NOTHING });
  }

  async send(values: readonly (string | number)[], partition = 0, topic = this.topic): Promise<void> {
    await this.producer.send({ topic, messages: values.map((value) => ({ value: String(value), partition })) });
  }

  /** The group's commit; −1 for none. */
  async committed(partition = 0, topic = this.topic): Promise<{ readonly offset: string; readonly metadata: string | null }> {
    const topics = await this.admin.fetchOffsets({ groupId: this.groupId, topics: [topic] });
    const found = topics[0]?.partitions.find((one) => one.partition === partition);
    return { offset: found?.offset ?? '-1', metadata: found?.metadata ?? null };
  }
}

/** Resolves once it holds; generous, for machines that are busy with other things. */
export async function until(holds: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`${what} did not come about`);
    await pause(10);
  }
}

/** From inclusively, to exclusively. */
export function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
