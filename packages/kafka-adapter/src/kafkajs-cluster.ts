/**
 * The handle: kafkajs gives the factories of a consumer's `partitionAssigners` its `Cluster`, whose brokers fetch and produce
 * without any group. Taken from a consumer that never joins one.
 */
import type { KafkaClient, KafkaConsumer } from './client.ts';

export interface KafkajsHandle {
  readonly consumer: KafkaConsumer;
  readonly cluster: KafkajsCluster;
}

export interface KafkajsCluster {
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  getNodeIds(): readonly (number | string)[];
  findBroker(node: { nodeId: string }): Promise<KafkajsBroker>;
  disconnect(): Promise<void>;
}

export interface KafkajsBroker {
  connect(): Promise<void>;
  metadata(topics: string[]): Promise<KafkajsMetadata>;
  describeConfigs(request: {
    resources: { type: number; name: string; configNames: string[] }[];
  }): Promise<{ resources: { configEntries: { configName: string; configValue: string }[] }[] }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: { partitions: { partition: number; offset: string }[] }[] }>;
  fetch(request: {
    replicaId: number;
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: KafkajsFetched[] }[] }>;
  produce(request: {
    acks: number;
    timeout: number;
    transactionalId?: string;
    producerId?: string;
    producerEpoch?: number;
    topicData: {
      topic: string;
      partitions: { partition: number; firstSequence: number; messages: { key: Buffer; value: Buffer | null }[] }[];
    }[];
  }): Promise<unknown>;
  /** `coordinatorType` 0 for groups, 1 for transactions. */
  findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<{ coordinator: { nodeId: number } }>;
  offsetFetch(request: { groupId: string; topics: { topic: string; partitions: { partition: number }[] }[] }): Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string; metadata: string | null }[] }[];
  }>;
  offsetCommit(request: { groupId: string; groupGenerationId: number; memberId: string; topics: KafkajsOffsets[] }): Promise<unknown>;
  describeGroups(request: { groupIds: string[] }): Promise<{ groups: { members: { clientId: string; clientHost: string }[] }[] }>;
  initProducerId(request: { transactionalId: string; transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(request: KafkajsTransaction & { topics: { topic: string; partitions: number[] }[] }): Promise<unknown>;
  addOffsetsToTxn(request: KafkajsTransaction & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(request: KafkajsTransaction & { groupId: string; topics: KafkajsOffsets[] }): Promise<unknown>;
  endTxn(request: KafkajsTransaction & { transactionResult: boolean }): Promise<unknown>;
}

export interface KafkajsOffsets {
  readonly topic: string;
  readonly partitions: { partition: number; offset: string; metadata: string }[];
}

export interface KafkajsTransaction {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface KafkajsMetadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly { topic: string; partitionMetadata: readonly { partitionId: number; leader: number }[] }[];
}

export interface KafkajsFetched {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?: readonly { producerId: string; firstOffset: string }[] | null;
  readonly messages: readonly KafkajsRecord[];
}

/** Records in the message format before Kafka 0.11 belong to no batch. */
export interface KafkajsRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly attributes: number;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly isControlRecord?: boolean;
  readonly batchContext?: {
    readonly firstOffset: string;
    readonly lastOffsetDelta: number;
    readonly producerId: string;
    readonly inTransaction: boolean;
  };
}

const clusterMethods = ['addTargetTopic', 'refreshMetadata', 'getNodeIds', 'findBroker', 'disconnect'];

/** Opens no connection. Undefined where the client hands out no cluster, as wrappers of kafkajs may not. */
export function takeHandle(kafka: KafkaClient): KafkajsHandle | undefined {
  let given: unknown;
  const consumer = kafka.consumer({
    // Required by kafkajs and never sent to a broker: this consumer neither subscribes nor runs.
    groupId: 'quorate',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        given = cluster;
        return {
          name: 'none',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return isCluster(given) ? { consumer, cluster: given } : undefined;
}

function isCluster(given: unknown): given is KafkajsCluster {
  if (typeof given !== 'object' || given === null) return false;
  return clusterMethods.every((name) => typeof Reflect.get(given, name) === 'function');
}
