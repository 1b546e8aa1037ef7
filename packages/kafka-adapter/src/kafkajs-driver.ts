/**
 * kafkajs as a driver, by the handle of `kafkajs-cluster.ts`. Requests go to brokers directly: the producer and consumer of
 * kafkajs, and the retries of its cluster, would hold frames back for longer than they are worth.
 */
import type { KafkaClient } from './client.ts';
import type { FetchedPartition, FetchRequest, KafkaDriver, PartitionBatch, TopicDescription, TopicSpec } from './driver.ts';
import { KafkaFailure } from './failure.ts';
import { KafkajsAdmin, settingIn } from './kafkajs-admin.ts';
import { takeHandle } from './kafkajs-cluster.ts';
import type { KafkajsBroker, KafkajsFetched, KafkajsHandle, KafkajsMetadata } from './kafkajs-cluster.ts';
import { cut, isThrottled, requestConnectionOf, tune } from './kafkajs-connection.ts';
import { failureOf, translated } from './kafkajs-failure.ts';

const leaderAcknowledges = 1;
const readUncommitted = 0;
const latest = -1;
const produceTimeoutMs = 5_000;
const responseBytesMax = 16_777_216;
const topicResource = 2;
const groupType = 0;
const transactionType = 1;

export class KafkajsDriver implements KafkaDriver {
  readonly #kafka: KafkaClient;
  readonly #admin: KafkajsAdmin;
  readonly #brokers = new Map<number, KafkajsBroker>();
  readonly #addresses = new Map<number, string>();
  readonly #readying = new Map<number, Promise<void>>();
  #handle: KafkajsHandle | undefined;
  #isClosed = false;

  constructor(kafka: KafkaClient) {
    this.#kafka = kafka;
    this.#admin = new KafkajsAdmin(kafka);
  }

  async connect(): Promise<void> {
    this.#handle = await this.#newHandle(() => this.#isClosed);
  }

  async renew(isWanted: () => boolean): Promise<void> {
    const handle = await this.#newHandle(() => this.#isClosed || !isWanted());
    const old = this.#handle;
    const oldBrokers = [...this.#brokers.values()];
    this.#handle = handle;
    this.#brokers.clear();
    await Promise.all(oldBrokers.map((broker) => cut(broker, closedFailure())));
    if (old !== undefined) await disconnect(old);
  }

  async describe(topic: string): Promise<TopicDescription> {
    const { brokers, topicMetadata } = await this.#metadata(topic);
    await this.#noticeMoves(brokers);
    const partitions = topicMetadata.find((one) => one.topic === topic)?.partitionMetadata ?? [];
    return { leaders: new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader])) };
  }

  async setting(topic: string, name: string): Promise<string | undefined> {
    const broker = await this.#anyBroker(topic);
    return settingIn(broker.describeConfigs({ resources: [{ type: topicResource, name: topic, configNames: [name] }] }), name);
  }

  async create(spec: TopicSpec): Promise<void> {
    try {
      await this.#admin.create(spec);
    } finally {
      await this.#admin.close();
    }
  }

  async address(): Promise<string | undefined> {
    for (const address of this.#addresses.values()) return address;
    try {
      return await this.#admin.address();
    } finally {
      await this.#admin.close();
    }
  }

  /** For requests that this port has no word for: connected, so that two at once do not open it twice. */
  async broker(id: number): Promise<KafkajsBroker> {
    await this.ready(id);
    return this.#broker(id);
  }

  /**
   * The broker that looks after a group's offsets or a transactional id. Asked of one broker after the other: the cluster's own search
   * ends at the first that is down, and keeps a missing right to itself.
   */
  async coordinator(kind: 'group' | 'transaction', id: string): Promise<KafkajsBroker> {
    let failure = closedFailure();
    for (const known of [...this.#brokers.keys()]) {
      try {
        const broker = await this.broker(known);
        const asked = { groupId: id, coordinatorType: kind === 'group' ? groupType : transactionType };
        const { coordinator } = await translated(broker.findGroupCoordinator(asked));
        return await this.broker(coordinator.nodeId);
      } catch (error) {
        failure = failureOf(error);
        if (failure.kind === 'denied') break;
      }
    }
    throw failure;
  }

  ready(id: number): Promise<void> {
    let readying = this.#readying.get(id);
    if (readying === undefined) {
      readying = this.#makeReady(id).finally(() => this.#readying.delete(id));
      this.#readying.set(id, readying);
    }
    return readying;
  }

  async latestOffsets(id: number, topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const broker = await this.#broker(id);
    const asked = partitions.map((partition) => ({ partition, timestamp: latest }));
    const { responses } = await translated(broker.listOffsets({ isolationLevel: readUncommitted, topics: [{ topic, partitions: asked }] }));
    return new Map(responses.flatMap((response) => response.partitions.map(({ partition, offset }) => [partition, Number(offset)])));
  }

  async fetch(id: number, request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const broker = this.#brokers.get(id) ?? (await this.#broker(id));
    const partitions = request.positions.map(({ partition, offset }) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: request.partitionBytesMax,
    }));
    const { responses } = await translated(
      broker.fetch({
        replicaId: -1,
        isolationLevel: readUncommitted,
        maxWaitTime: request.maxWaitMs,
        minBytes: 1,
        maxBytes: responseBytesMax,
        topics: [{ topic: request.topic, partitions }],
      }),
    );
    tune(broker);
    return responses.flatMap((response) => response.partitions.map(fetchedPartition));
  }

  async produce(id: number, topic: string, batches: readonly PartitionBatch[]): Promise<void> {
    const broker = this.#brokers.get(id);
    // Two requests at once on a lost connection would open it twice.
    if (broker === undefined || requestConnectionOf(broker)?.isConnected() === false) {
      throw new KafkaFailure('connection', `The connection to broker ${id} is lost`);
    }
    const partitions = batches.map(({ partition, records }) => ({ partition, firstSequence: 0, messages: [...records] }));
    await translated(broker.produce({ acks: leaderAcknowledges, timeout: produceTimeoutMs, topicData: [{ topic, partitions }] }));
  }

  isThrottled(id: number): boolean {
    const broker = this.#brokers.get(id);
    return broker !== undefined && isThrottled(broker);
  }

  async cut(id: number): Promise<void> {
    const broker = this.#brokers.get(id);
    if (broker !== undefined) await cut(broker, new KafkaFailure('connection', `The connection to broker ${id} was cut`));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const handle = this.#handle;
    this.#handle = undefined;
    await Promise.all([...this.#brokers.values()].map((broker) => cut(broker, closedFailure())));
    this.#brokers.clear();
    await this.#admin.close();
    if (handle !== undefined) await disconnect(handle);
  }

  /** Connected; rejects where nobody wants it any more by then. */
  async #newHandle(isUnwanted: () => boolean): Promise<KafkajsHandle> {
    const handle = takeHandle(this.#kafka);
    if (handle === undefined) throw new KafkaFailure('refused', 'This client gives no cluster to a partition assigner.');
    await translated(handle.consumer.connect());
    if (!isUnwanted()) return handle;
    await disconnect(handle);
    throw closedFailure();
  }

  async #makeReady(id: number): Promise<void> {
    const broker = await this.#broker(id);
    await translated(broker.connect());
    const connection = requestConnectionOf(broker);
    if (connection?.isConnected() === false) await translated(connection.connect());
    tune(broker);
  }

  /** From whichever broker answers, so that one that is down does not hide where the others lead. */
  async #metadata(topic: string): Promise<KafkajsMetadata> {
    if (this.#brokers.size === 0) return translated((await this.#anyBroker(topic)).metadata([topic]));
    let failure = closedFailure();
    for (const id of [...this.#brokers.keys()]) {
      try {
        await this.ready(id);
        return await translated((await this.#broker(id)).metadata([topic]));
      } catch (error) {
        failure = failureOf(error);
        if (failure.kind !== 'connection') throw failure;
      }
    }
    throw failure;
  }

  async #anyBroker(topic: string): Promise<KafkajsBroker> {
    for (const broker of this.#brokers.values()) return broker;
    const { cluster } = this.#open();
    await translated(cluster.addTargetTopic(topic));
    let failure = closedFailure();
    for (const id of cluster.getNodeIds()) {
      try {
        return await this.#broker(Number(id));
      } catch (error) {
        failure = failureOf(error);
      }
    }
    throw failure;
  }

  async #broker(id: number): Promise<KafkajsBroker> {
    const known = this.#brokers.get(id);
    if (known !== undefined) return known;
    const handle = this.#open();
    const broker = await translated(handle.cluster.findBroker({ nodeId: String(id) }));
    if (this.#handle !== handle) throw closedFailure();
    tune(broker);
    this.#brokers.set(id, broker);
    return broker;
  }

  /** A broker that came back under another address is another broker to kafkajs, which has to look for it. */
  async #noticeMoves(brokers: KafkajsMetadata['brokers']): Promise<void> {
    let moved = false;
    for (const { nodeId, host, port } of brokers) {
      const address = `${host}:${port}`;
      const before = this.#addresses.get(nodeId);
      this.#addresses.set(nodeId, address);
      if (before === undefined || before === address) continue;
      moved = true;
      this.#brokers.delete(nodeId);
    }
    if (moved) await translated(this.#open().cluster.refreshMetadata());
  }

  #open(): KafkajsHandle {
    if (this.#handle === undefined) throw closedFailure();
    return this.#handle;
  }
}

/** Not by the consumer: its `disconnect` reports to the user's logger that a consumer has stopped, and nobody started one. */
async function disconnect({ cluster }: KafkajsHandle): Promise<void> {
  await cluster.disconnect().catch(() => undefined);
}

function closedFailure(): KafkaFailure {
  return new KafkaFailure('connection', 'The connections of this channel are closed');
}

function fetchedPartition({ partition, highWatermark, messages }: KafkajsFetched): FetchedPartition {
  return { partition, highWatermark: Number(highWatermark), records: messages };
}
