/**
 * kafkajs as a driver of owned consumers, by the same handle as the transport: its brokers take fetches and commits without any
 * group. What the consumer of kafkajs does to a fetched batch is done here.
 */
import type { KafkaClient } from '../client.ts';
import { KafkaFailure } from '../failure.ts';
import type { KafkajsBroker, KafkajsFetched, KafkajsOffsets, KafkajsRecord } from '../kafkajs-cluster.ts';
import { tune } from '../kafkajs-connection.ts';
import { KafkajsDriver } from '../kafkajs-driver.ts';
import { failureOf, hasType, translated } from '../kafkajs-failure.ts';
import { byTopic } from './by-topic.ts';
import type {
  CommittedOffset,
  ConsumerDriver,
  ConsumerFetch,
  FencedOffsets,
  FencingProducer,
  FetchedMessages,
  FetchOutcome,
  GroupMember,
  Leaders,
  OffsetToCommit,
  TopicPartition,
} from './consumer-driver.ts';
import { endOfBatches } from './kafkajs-batch-ends.ts';
import { controlOf, readCommitted } from './read-committed.ts';
import type { RawRecord } from './read-committed.ts';

const isolationReadCommitted = 1;
const latest = -1;
const earliest = -2;
const withoutGeneration = { groupGenerationId: -1, memberId: '' };
/** A transaction only ever holds one commit of offsets. */
const transactionTimeoutMs = 30_000;
/** After so many look-ups in a row without an answer the connections are made anew, from the addresses the user gave. */
const silencesBeforeRenewal = 12;

export class KafkajsConsumerDriver implements ConsumerDriver {
  readonly #connections: KafkajsDriver;
  readonly #coordinators = new Map<string, Promise<KafkajsBroker>>();
  #silences = 0;

  constructor(kafka: KafkaClient) {
    this.#connections = new KafkajsDriver(kafka);
  }

  connect(): Promise<void> {
    return this.#connections.connect();
  }

  async leaders(topics: readonly string[]): Promise<Leaders> {
    try {
      const leaders = new Map<string, ReadonlyMap<number, number>>();
      for (const topic of topics) leaders.set(topic, (await this.#connections.describe(topic)).leaders);
      this.#silences = 0;
      return leaders;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'connection' && ++this.#silences % silencesBeforeRenewal === 0) await this.#renew();
      throw failure;
    }
  }

  /** kafkajs rejects a whole answer for the sake of one partition: halves are asked then, until the one is found. */
  async fetch(broker: number, request: ConsumerFetch): Promise<readonly FetchOutcome[]> {
    const { positions } = request;
    try {
      const outcomes = await this.#fetchTogether(broker, request);
      const passed: FetchOutcome[] = [];
      for (const outcome of outcomes) passed.push(outcome.isStuck ? await this.#passEmpty(broker, request, outcome) : outcome);
      return passed;
    } catch (error) {
      const failure = failureOf(error);
      const [only] = positions;
      if (failure.kind === 'connection' || only === undefined) throw failure;
      if (positions.length === 1) return [{ type: 'failure', topic: only.topic, partition: only.partition, failure }];
      const middle = positions.length >> 1;
      const first = await this.fetch(broker, { ...request, maxWaitMs: 0, positions: positions.slice(0, middle) });
      return [...first, ...(await this.fetch(broker, { ...request, maxWaitMs: 0, positions: positions.slice(middle) }))];
    }
  }

  async edge(id: number, { topic, partition }: TopicPartition, edge: 'earliest' | 'latest'): Promise<bigint> {
    const broker = await this.#connections.broker(id);
    const asked = [{ topic, partitions: [{ partition, timestamp: edge === 'earliest' ? earliest : latest }] }];
    const { responses } = await translated(broker.listOffsets({ isolationLevel: isolationReadCommitted, topics: asked }));
    const offset = responses[0]?.partitions[0]?.offset;
    if (offset === undefined)
      throw new KafkaFailure('leader', `Broker ${id} gave no ${edge} offset of ${topic} ${partition}`, { partition });
    return BigInt(offset);
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#coordinated('group', groupId, async (broker) => {
      const topics = byTopic(partitions, ({ partition }) => ({ partition }));
      const { responses } = await broker.offsetFetch({ groupId, topics });
      return responses.flatMap(({ topic, partitions: found }) =>
        found.map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: BigInt(offset) < 0n ? undefined : BigInt(offset),
          metadata: metadata ?? '',
        })),
      );
    });
  }

  commit(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    return this.#coordinated('group', groupId, async (broker) => {
      await broker.offsetCommit({ groupId, ...withoutGeneration, topics: topicsOf(offsets) });
    });
  }

  members(groupId: string): Promise<readonly GroupMember[]> {
    return this.#coordinated('group', groupId, async (broker) => {
      const { groups } = await broker.describeGroups({ groupIds: [groupId] });
      return groups.flatMap(({ members }) => members.map(({ clientId, clientHost }) => ({ clientId, host: clientHost })));
    });
  }

  fence(transactionalId: string): Promise<FencingProducer> {
    return this.#coordinated('transaction', transactionalId, async (broker) => {
      const { producerId, producerEpoch } = await broker.initProducerId({ transactionalId, transactionTimeout: transactionTimeoutMs });
      return { transactionalId, producerId, epoch: producerEpoch };
    });
  }

  async commitFenced({ producer, groupId, offsets }: FencedOffsets): Promise<void> {
    const { transactionalId, producerId, epoch: producerEpoch } = producer;
    const transaction = { transactionalId, producerId, producerEpoch };
    const inTransaction = (work: (broker: KafkajsBroker) => Promise<unknown>) => this.#coordinated('transaction', transactionalId, work);
    await inTransaction((broker) => broker.addOffsetsToTxn({ ...transaction, groupId }));
    await this.#coordinated('group', groupId, (broker) => broker.txnOffsetCommit({ ...transaction, groupId, topics: topicsOf(offsets) }));
    await inTransaction((broker) => broker.endTxn({ ...transaction, transactionResult: true }));
  }

  isThrottled(broker: number): boolean {
    return this.#connections.isThrottled(broker);
  }

  cut(broker: number): Promise<void> {
    return this.#connections.cut(broker);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #fetchTogether(id: number, { maxWaitMs, minBytes, maxBytes, partitionBytesMax, positions }: ConsumerFetch): Promise<Fetched[]> {
    const broker = await this.#connections.broker(id);
    const topics = byTopic(positions, ({ partition, offset }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: partitionBytesMax,
    }));
    const { responses } = await translated(
      broker.fetch({ replicaId: -1, isolationLevel: isolationReadCommitted, maxWaitTime: maxWaitMs, minBytes, maxBytes, topics }),
    );
    tune(broker);
    const asked = new Map(positions.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]));
    return responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.flatMap((fetched) => {
        const from = asked.get(`${topic} ${fetched.partition}`);
        return from === undefined ? [] : [fetchedMessages(topic, fetched, from)];
      }),
    );
  }

  /** There is something to read, and nothing came of it: either there was no room for it, or it is a batch without records. */
  async #passEmpty(id: number, request: ConsumerFetch, outcome: Fetched): Promise<FetchOutcome> {
    const positions = request.positions.filter(({ topic, partition }) => topic === outcome.topic && partition === outcome.partition);
    const broker = await this.#connections.broker(id);
    let alone: Fetched | undefined;
    const end = await endOfBatches(broker, async () => {
      [alone] = await this.#fetchTogether(id, { ...request, maxWaitMs: 0, positions });
    });
    if (alone === undefined || !alone.isStuck || end === undefined || end <= alone.nextOffset) return alone ?? outcome;
    return { ...alone, nextOffset: end };
  }

  async #coordinated<T>(kind: 'group' | 'transaction', id: string, work: (broker: KafkajsBroker) => Promise<T>): Promise<T> {
    const key = `${kind} ${id}`;
    const finding = this.#coordinators.get(key) ?? this.#connections.coordinator(kind, id);
    this.#coordinators.set(key, finding);
    try {
      return await work(await finding);
    } catch (error) {
      if (this.#coordinators.get(key) === finding) this.#coordinators.delete(key);
      throw asGroupFailure(error);
    }
  }

  async #renew(): Promise<void> {
    this.#coordinators.clear();
    await this.#connections.renew(() => true).catch(() => undefined);
  }
}

/** Only for a partition does "no such topic" mean that; a coordinator says so of a topic that it has not heard of yet. */
function asGroupFailure(error: unknown): KafkaFailure {
  if (hasType(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return new KafkaFailure('coordinator', failureOf(error).message, { cause: error });
  return failureOf(error);
}

function topicsOf(offsets: readonly OffsetToCommit[]): KafkajsOffsets[] {
  return byTopic(offsets, ({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata }));
}

interface Fetched extends FetchedMessages {
  /** There is something at the offset, and nothing was decoded of it. */
  readonly isStuck: boolean;
}

function fetchedMessages(topic: string, fetched: KafkajsFetched, from: bigint): Fetched {
  const records = fetched.messages.map(rawRecord);
  const aborted = (fetched.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
    producerId,
    firstOffset: BigInt(firstOffset),
  }));
  return {
    type: 'messages',
    topic,
    partition: fetched.partition,
    messages: readCommitted(records, { from, aborted }),
    nextOffset: offsetAfter(fetched.messages.at(-1), from),
    isStuck: fetched.messages.length === 0 && BigInt(fetched.lastStableOffset ?? fetched.highWatermark) > from,
    highWatermark: BigInt(fetched.highWatermark),
  };
}

/** A batch may end with offsets whose records were compacted away. */
function offsetAfter(last: KafkajsRecord | undefined, from: bigint): bigint {
  if (last === undefined) return from;
  const { batchContext, offset } = last;
  const end = batchContext === undefined ? BigInt(offset) : BigInt(batchContext.firstOffset) + BigInt(batchContext.lastOffsetDelta);
  return end + 1n > from ? end + 1n : from;
}

function rawRecord(record: KafkajsRecord): RawRecord {
  const { offset, key, batchContext, isControlRecord = false } = record;
  return {
    offset: BigInt(offset),
    producerId: batchContext?.producerId ?? '-1',
    isTransactional: batchContext?.inTransaction ?? false,
    control: controlOf(isControlRecord, key),
    message: { ...record, headers: record.headers ?? {} },
  };
}
