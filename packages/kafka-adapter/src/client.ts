/**
 * The parts of kafkajs 2.2 that this package uses, by structure: a user's `Kafka` fits, whichever copy of kafkajs made it, and
 * nothing of kafkajs is imported.
 */

/** A `new Kafka({ … })` of the user. Consumers, producers and admins made from it are ours and are closed by us; it is not. */
export interface KafkaClient {
  consumer(options: KafkaConsumerOptions): KafkaConsumer;
  producer(options: KafkaProducerOptions): KafkaProducer;
  admin(): KafkaAdmin;
}

export interface KafkaConsumerOptions {
  readonly groupId: string;
  readonly partitionAssigners: ((given: { readonly cluster: unknown }) => GroupAssigner)[];
  readonly allowAutoTopicCreation: boolean;
  readonly readUncommitted?: boolean;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly maxBytesPerPartition?: number;
  readonly maxWaitTimeInMs?: number;
  readonly sessionTimeout?: number;
  readonly heartbeatInterval?: number;
  readonly retry?: { readonly retries: number; restartOnFailure(error: Error): Promise<boolean> };
}

export interface GroupAssigner {
  readonly name: string;
  readonly version: number;
  assign(group: { readonly members: readonly { readonly memberId: string }[] }): Promise<{ memberId: string; memberAssignment: Buffer }[]>;
  protocol(subscription: { readonly topics: readonly string[] }): { name: string; metadata: Buffer };
}

export interface KafkaConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(subscription: { topics: string[]; fromBeginning: boolean }): Promise<void>;
  run(options: { autoCommit: boolean; eachBatch(payload: { readonly batch: KafkaBatch }): Promise<void> }): Promise<void>;
  on(event: 'consumer.crash', listener: (event: KafkaCrash) => void): unknown;
  on(event: 'consumer.fetch', listener: () => void): unknown;
}

export interface KafkaBatch {
  readonly partition: number;
  readonly messages: readonly KafkaRecord[];
}

export interface KafkaRecord {
  /** A decimal number. */
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface KafkaCrash {
  readonly payload: { readonly error: Error };
}

export interface KafkaProducerOptions {
  readonly allowAutoTopicCreation: boolean;
  readonly retry: { readonly retries: number };
  readonly createPartitioner: () => (given: { readonly message: { readonly partition?: number } }) => number;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(request: {
    topic: string;
    acks: number;
    timeout: number;
    messages: { partition: number; key: Buffer; value: Buffer | null }[];
  }): Promise<unknown>;
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  createTopics(request: {
    waitForLeaders: boolean;
    topics: { topic: string; numPartitions: number; replicationFactor: number; configEntries: { name: string; value: string }[] }[];
  }): Promise<boolean>;
  fetchTopicMetadata(request: { topics: string[] }): Promise<{
    topics: { name: string; partitions: { partitionId: number; leader: number }[] }[];
  }>;
  describeCluster(): Promise<{ brokers: { host: string; port: number }[] }>;
  describeConfigs(request: {
    includeSynonyms: boolean;
    resources: { type: number; name: string; configNames: string[] }[];
  }): Promise<{ resources: { configEntries: { configName: string; configValue: string }[] }[] }>;
  deleteGroups(groupIds: string[]): Promise<unknown>;
}
