/**
 * `@platformatic/kafka` as a driver of owned consumers, by its low-level requests. Two sets of connections: brokers answer what
 * comes on one in order, and a commit is not to wait behind a long poll.
 */
import { KafkaFailure } from '../failure.ts';
import { byTopic } from './by-topic.ts';
import type {
  CommittedOffset,
  ConsumerDriver,
  ConsumerFetch,
  FencedOffsets,
  FencingProducer,
  FetchOutcome,
  GroupMember,
  Leaders,
  OffsetToCommit,
  TopicPartition,
} from './consumer-driver.ts';
import type {
  CommitTopic,
  FetchedTopic,
  PlatformaticConnection,
  PlatformaticConnections,
  PlatformaticModule,
  PlatformaticOptions,
  PlatformaticRequests,
} from './platformatic-client.ts';
import { failureOfCode, platformaticFailure } from './platformatic-failure.ts';
import { fetchedMessagesOf } from './platformatic-records.ts';

const readCommittedLevel = 1;
const latest = -1n;
const earliest = -2n;
const transactionTimeoutMs = 30_000;
const groupKey = 0;
const transactionKey = 1;
/** Since this version topics are named by their ids; brokers have it since Kafka 3.1. */
const fetchVersionMin = 13;

type RequestName = keyof PlatformaticRequests;
type Send = (connection: PlatformaticConnection, ...args: readonly unknown[]) => Promise<unknown>;

/** @param platformatic The whole module: `import * as platformatic from '@platformatic/kafka'`. */
export function platformaticDriver(platformatic: PlatformaticModule, options: PlatformaticOptions): ConsumerDriver {
  return new PlatformaticDriver(platformatic, options);
}

class PlatformaticDriver implements ConsumerDriver {
  readonly #module: PlatformaticModule;
  readonly #newConnections: () => PlatformaticConnections;
  #fetches: PlatformaticConnections;
  #others: PlatformaticConnections;
  #isClosed = false;
  readonly #sends = new Map<RequestName, Send>();
  readonly #coordinators = new Map<string, number>();
  #topicIds = new Map<string, string>();
  #topicNames = new Map<string, string>();

  constructor(platformatic: PlatformaticModule, options: PlatformaticOptions) {
    this.#module = platformatic;
    const own = { ...options, groupId: 'quorate', retries: 0 };
    this.#newConnections = () => new platformatic.Consumer(own);
    this.#fetches = this.#newConnections();
    this.#others = this.#newConnections();
  }

  /** Once more where it was closed: a consumer may be stopped and run again. */
  async connect(): Promise<void> {
    if (this.#isClosed) {
      this.#isClosed = false;
      this.#fetches = this.#newConnections();
      this.#others = this.#newConnections();
    }
    await translated(this.#others.listApis());
  }

  async leaders(topics: readonly string[]): Promise<Leaders> {
    const found = await translated(this.#others.metadata({ topics: [...topics], forceUpdate: true, autocreateTopics: false }));
    const leaders = new Map<string, ReadonlyMap<number, number>>();
    for (const topic of topics) {
      const described = found.topics.get(topic);
      if (described === undefined) throw new KafkaFailure('missing', `There is no topic ${topic}`);
      leaders.set(topic, new Map(Array.from(described.partitions, (partition, index) => [index, partition?.leader ?? -1])));
      this.#topicIds.set(topic, described.id);
      this.#topicNames.set(described.id, topic);
    }
    return leaders;
  }

  async fetch(broker: number, request: ConsumerFetch): Promise<readonly FetchOutcome[]> {
    const { maxWaitMs, minBytes, maxBytes, partitionBytesMax, positions } = request;
    const topics = byTopic(positions, ({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: offset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: partitionBytesMax,
    })).map(({ topic, partitions }) => ({ topicId: this.#topicIds.get(topic) ?? '', partitions }));
    const args: PlatformaticRequests['Fetch']['args'] = [maxWaitMs, minBytes, maxBytes, readCommittedLevel, 0, -1, topics, [], ''];
    try {
      const { responses } = await this.#send(this.#fetches, broker, 'Fetch', args);
      return this.#outcomes(positions, responses);
    } catch (error) {
      const responses = answerIn(error);
      if (responses !== undefined) return this.#outcomes(positions, responses);
      const failure = platformaticFailure(error);
      const [only] = positions;
      if (failure.kind === 'connection' || only === undefined) throw failure;
      // Not an answer that could be read, a codec that is lacking for one: halves are asked until the partition is found.
      if (positions.length === 1) return [{ type: 'failure', topic: only.topic, partition: only.partition, failure }];
      const middle = positions.length >> 1;
      const first = await this.fetch(broker, { ...request, maxWaitMs: 0, positions: positions.slice(0, middle) });
      return [...first, ...(await this.fetch(broker, { ...request, maxWaitMs: 0, positions: positions.slice(middle) }))];
    }
  }

  async edge(broker: number, { topic, partition }: TopicPartition, edge: 'earliest' | 'latest'): Promise<bigint> {
    const timestamp = edge === 'earliest' ? earliest : latest;
    const asked = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
    const { topics } = await this.#send(this.#others, broker, 'ListOffsets', [-1, readCommittedLevel, asked]);
    const offset = topics[0]?.partitions[0]?.offset;
    if (offset === undefined)
      throw new KafkaFailure('leader', `Broker ${broker} gave no ${edge} offset of ${topic} ${partition}`, { partition });
    return offset;
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => partition).map(({ topic, partitions: asked }) => ({
      name: topic,
      partitionIndexes: asked,
    }));
    const { groups } = await this.#coordinated(groupKey, groupId, 'OffsetFetch', [
      [{ groupId, memberId: null, memberEpoch: -1, topics }],
      true,
    ]);
    return (groups[0]?.topics ?? []).flatMap(({ name, partitions: found }) =>
      found.map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: name,
        partition: partitionIndex,
        offset: committedOffset < 0n ? undefined : committedOffset,
        metadata: metadata ?? '',
      })),
    );
  }

  async commit(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    await this.#coordinated(groupKey, groupId, 'OffsetCommit', [groupId, -1, '', null, topicsOf(offsets)]);
  }

  async members(groupId: string): Promise<readonly GroupMember[]> {
    const { groups } = await this.#coordinated(groupKey, groupId, 'DescribeGroups', [[groupId], false]);
    return groups.flatMap(({ members }) => members.map(({ clientId, clientHost }) => ({ clientId, host: clientHost })));
  }

  async fence(transactionalId: string): Promise<FencingProducer> {
    const args: PlatformaticRequests['InitProducerId']['args'] = [transactionalId, transactionTimeoutMs, -1n, -1];
    const { producerId, producerEpoch } = await this.#coordinated(transactionKey, transactionalId, 'InitProducerId', args);
    return { transactionalId, producerId: String(producerId), epoch: producerEpoch };
  }

  async commitFenced({ producer, groupId, offsets }: FencedOffsets): Promise<void> {
    const { transactionalId: id, epoch } = producer;
    const producerId = BigInt(producer.producerId);
    await this.#coordinated(transactionKey, id, 'AddOffsetsToTxn', [id, producerId, epoch, groupId]);
    await this.#coordinated(groupKey, groupId, 'TxnOffsetCommit', [id, groupId, producerId, epoch, -1, '', null, topicsOf(offsets)]);
    await this.#coordinated(transactionKey, id, 'EndTxn', [id, producerId, epoch, true]);
  }

  isThrottled(): boolean {
    return false;
  }

  async cut(broker: number): Promise<void> {
    for (const connections of [this.#fetches, this.#others]) {
      const connected = await connections.connectToBrokers([broker]).catch(() => undefined);
      await connected
        ?.get(broker)
        ?.close()
        .catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#fetches, this.#others].map((connections) => connections.close(true).catch(() => undefined)));
  }

  #outcomes(positions: ConsumerFetch['positions'], topics: readonly FetchedTopic[]): readonly FetchOutcome[] {
    const asked = new Map(positions.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]));
    return topics.flatMap(({ topicId, partitions }) => {
      const topic = this.#topicNames.get(topicId) ?? '';
      return partitions.flatMap((fetched): readonly FetchOutcome[] => {
        const at = { topic, partition: fetched.partitionIndex };
        const from = asked.get(`${topic} ${fetched.partitionIndex}`);
        if (from === undefined) return [];
        if (fetched.errorCode === 0) return [fetchedMessagesOf(at, from, fetched)];
        const message = `The broker answered with error ${fetched.errorCode} for ${topic} ${at.partition}`;
        return [{ ...at, type: 'failure', failure: failureOfCode(fetched.errorCode, message) }];
      });
    });
  }

  async #coordinated<Name extends RequestName>(
    keyType: number,
    id: string,
    name: Name,
    args: PlatformaticRequests[Name]['args'],
  ): Promise<PlatformaticRequests[Name]['answer']> {
    const key = `${keyType} ${id}`;
    try {
      const broker = this.#coordinators.get(key) ?? (await this.#findCoordinator(keyType, id));
      this.#coordinators.set(key, broker);
      return await this.#send(this.#others, broker, name, args);
    } catch (error) {
      this.#coordinators.delete(key);
      const failure = platformaticFailure(error);
      // A coordinator says so of a topic that it has not heard of yet.
      throw failure.kind === 'missing' ? new KafkaFailure('coordinator', failure.message, { cause: failure.cause }) : failure;
    }
  }

  async #findCoordinator(keyType: number, id: string): Promise<number> {
    const [connection] = (await translated(this.#others.connectToBrokers([]))).values();
    if (connection === undefined) throw new KafkaFailure('connection', 'No broker can be reached');
    const send = await this.#sendOf('FindCoordinator');
    const { coordinators } = (await translated(send(connection, keyType, [id]))) as PlatformaticRequests['FindCoordinator']['answer'];
    const broker = coordinators[0]?.nodeId ?? -1;
    if (broker < 0) throw new KafkaFailure('coordinator', `${id} has no coordinator for now`);
    return broker;
  }

  /** Rejects with the client's own error: the answer may be in it. */
  async #send<Name extends RequestName>(
    connections: PlatformaticConnections,
    broker: number,
    name: Name,
    args: PlatformaticRequests[Name]['args'],
  ): Promise<PlatformaticRequests[Name]['answer']> {
    const send = await this.#sendOf(name);
    const connection = (await connections.connectToBrokers([broker])).get(broker);
    if (connection === undefined) throw new KafkaFailure('connection', `Broker ${broker} is not part of the cluster for now`);
    return send(connection, ...args);
  }

  /** The newest version of a request that both the brokers and the client know. */
  async #sendOf(name: RequestName): Promise<Send> {
    const known = this.#sends.get(name);
    if (known !== undefined) return known;
    const range = (await translated(this.#others.listApis())).find((api) => api.name === name);
    const lowest = name === 'Fetch' ? fetchVersionMin : (range?.minVersion ?? 0);
    for (let version = range?.maxVersion ?? -1; version >= lowest; version--) {
      const send = sendIn(Reflect.get(this.#module, `${name[0]?.toLowerCase()}${name.slice(1)}V${version}`));
      if (send === undefined) continue;
      this.#sends.set(name, send);
      return send;
    }
    throw new KafkaFailure('refused', `These brokers and this version of @platformatic/kafka have no ${name} request in common`);
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw platformaticFailure(error);
  }
}

function topicsOf(offsets: readonly OffsetToCommit[]): CommitTopic[] {
  return byTopic(offsets, ({ partition, offset, metadata }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  })).map(({ topic, partitions }) => ({ name: topic, partitions }));
}

/** An answer in which some partition has an error comes as an error with the whole answer in it. */
function answerIn(error: unknown): readonly FetchedTopic[] | undefined {
  if (typeof error !== 'object' || error === null || !('response' in error)) return undefined;
  const { response } = error as { readonly response?: PlatformaticRequests['Fetch']['answer'] };
  return response?.errorCode === 0 ? response.responses : undefined;
}

function sendIn(given: unknown): Send | undefined {
  if (typeof given !== 'object' || given === null || !('api' in given) || typeof given.api !== 'function') return undefined;
  const send: unknown = Reflect.get(given.api, 'async');
  return typeof send === 'function' ? (send as Send) : undefined;
}
