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
  }): Promise<{ responses: { partitions: KafkajsFetched[] }[] }>;
  produce(request: {
    acks: number;
    timeout: number;
    topicData: {
      topic: string;
      partitions: { partition: number; firstSequence: number; messages: { key: Buffer; value: Buffer | null }[] }[];
    }[];
  }): Promise<unknown>;
}

export interface KafkajsMetadata {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topicMetadata: readonly { topic: string; partitionMetadata: readonly { partitionId: number; leader: number }[] }[];
}

export interface KafkajsFetched {
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: readonly { offset: string; key: Buffer | null; value: Buffer | null }[];
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
