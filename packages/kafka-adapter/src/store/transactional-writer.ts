/**
 * One producer that writes one partition, each write a transaction: whole or not at all, on all replicas in sync, and refused by the
 * broker once another producer has begun under the same id. Kafka's KIP-98; the safety rules 19 and 20.
 */
import { pause, within } from '../back-off.ts';
import { KafkaFailure } from '../failure.ts';
import type { KafkajsBroker, KafkajsTransaction } from '../kafkajs-cluster.ts';
import type { KafkajsDriver } from '../kafkajs-driver.ts';
import { failureOf, hasType, translated } from '../kafkajs-failure.ts';

export interface StoredRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface TransactionalWriterOptions {
  readonly driver: KafkajsDriver;
  readonly topic: string;
  readonly transactionalId: string;
  /** For one write, repeated attempts included. */
  readonly writeTimeoutMs: number;
}

const partition = 0;
const allReplicas = -1;
const produceTimeoutMs = 5_000;
/** A broker that does not answer is taken for hung, long before the client would. */
const answerWithinMs = 8_000;
/** The coordinator is still at the end of the transaction before: a matter of milliseconds. */
const concurrentPauseMs = 2;
const retryPauseMs = 50;
/** The coordinator must not give a transaction up before its writer does. */
const transactionSlackMs = 30_000;
const sequences = 2 ** 31;

/**
 * 1. After `begin`, no write of an earlier producer of this id can land any more, and none is undecided.
 * 2. Steps whose answer did not come are repeated as they were: the broker knows a repeated batch by its sequence, and a repeated end of
 *    a transaction by its state.
 */
export class TransactionalWriter {
  readonly #options: TransactionalWriterOptions;
  #producer: KafkajsTransaction | undefined;
  #sequence = 0;
  #coordinator: KafkajsBroker | undefined;
  #leader: number | undefined;
  readonly #ending = new AbortController();

  constructor(options: TransactionalWriterOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    const { transactionalId, writeTimeoutMs } = this.#options;
    const transactionTimeout = writeTimeoutMs + transactionSlackMs;
    this.#producer = undefined;
    const { producerId, producerEpoch } = await this.#persist(() =>
      this.#coordinated((broker) => broker.initProducerId({ transactionalId, transactionTimeout })),
    );
    this.#producer = { transactionalId, producerId, producerEpoch };
    this.#sequence = 0;
  }

  /** Each batch is small enough for the topic. Rejects with `fenced`; after any other failure nobody knows whether it landed. */
  async write(batches: readonly (readonly StoredRecord[])[]): Promise<void> {
    const transaction = this.#producer;
    if (transaction === undefined) throw new KafkaFailure('refused', 'This producer has not begun');
    const { topic } = this.#options;
    const deadlineMs = this.#deadlineMs();
    const topics = [{ topic, partitions: [partition] }];
    await this.#persist(() => this.#coordinated((broker) => broker.addPartitionsToTxn({ ...transaction, topics })), deadlineMs);
    for (const batch of batches) {
      await this.#persist(() => this.#produce(transaction, batch), deadlineMs);
      this.#sequence = (this.#sequence + batch.length) % sequences;
    }
    await this.#persist(() => this.#coordinated((broker) => broker.endTxn({ ...transaction, transactionResult: true })), deadlineMs);
  }

  /** What is under way fails; whether it landed is not known. */
  end(): void {
    this.#ending.abort();
  }

  async #produce(transaction: KafkajsTransaction, batch: readonly StoredRecord[]): Promise<void> {
    const { driver, topic } = this.#options;
    this.#leader ??= await this.#findLeader();
    const partitions = [{ partition, firstSequence: this.#sequence, messages: [...batch] }];
    const request = { acks: allReplicas, timeout: produceTimeoutMs, ...transaction, topicData: [{ topic, partitions }] };
    try {
      const broker = await driver.broker(this.#leader);
      await this.#answered(this.#leader, translated(broker.produce(request)));
    } catch (error) {
      // It landed at an earlier attempt.
      if (hasType(failureOf(error).cause, 'DUPLICATE_SEQUENCE_NUMBER')) return;
      this.#leader = undefined;
      throw error;
    }
  }

  async #findLeader(): Promise<number> {
    const { driver, topic } = this.#options;
    const leader = (await driver.describe(topic)).leaders.get(partition) ?? -1;
    if (leader < 0) throw new KafkaFailure('leader', `Topic ${topic} has no leader`);
    return leader;
  }

  async #coordinated<T>(work: (broker: KafkajsBroker) => Promise<T>): Promise<T> {
    const { driver, transactionalId } = this.#options;
    try {
      this.#coordinator ??= await driver.coordinator('transaction', transactionalId);
      return await this.#answered(undefined, translated(work(this.#coordinator)));
    } catch (error) {
      if (!isConcurrent(error)) this.#coordinator = undefined;
      throw error;
    }
  }

  /** Connections to a broker that hangs are cut, or the next attempt would wait behind this one. */
  async #answered<T>(broker: number | undefined, work: Promise<T>): Promise<T> {
    const late = new KafkaFailure('connection', 'The broker does not answer a write');
    try {
      return await within(answerWithinMs, work, () => late);
    } catch (error) {
      if (error === late && broker !== undefined) await this.#options.driver.cut(broker);
      throw error;
    }
  }

  #deadlineMs(): number {
    return performance.now() + this.#options.writeTimeoutMs;
  }

  async #persist<T>(step: () => Promise<T>, deadlineMs = this.#deadlineMs()): Promise<T> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        const failure = failureOf(error);
        const isPassing = failure.kind === 'connection' || failure.kind === 'leader' || failure.kind === 'coordinator';
        if (!isPassing || this.#ending.signal.aborted || performance.now() > deadlineMs) throw failure;
        await pause(isConcurrent(failure) ? concurrentPauseMs : retryPauseMs, this.#ending.signal);
      }
    }
  }
}

function isConcurrent(error: unknown): boolean {
  return hasType(error instanceof KafkaFailure ? error.cause : error, 'CONCURRENT_TRANSACTIONS');
}
