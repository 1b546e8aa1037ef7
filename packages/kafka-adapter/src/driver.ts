/**
 * The driver port: what the transport asks of a Kafka client. kafkajs is served by `kafkajs-driver.ts`; a client with low-level
 * `fetch` and `produce` requests needs only another implementation of this. Every rejection is a `KafkaFailure`.
 */
import type { KafkaRecord } from './client.ts';

export interface TopicSpec {
  readonly topic: string;
  /** −1 for the broker's default. */
  readonly partitions: number;
  /** −1 for the broker's default; left out, up to three brokers. */
  readonly replicationFactor?: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Those of the settings without which the topic is not to be created; the others are dropped where a policy forbids them. */
  readonly essentialSettings: readonly string[];
  /** For a topic that must keep what it acknowledged: `min.insync.replicas`, where it gets more replicas than that. */
  readonly insyncReplicasMin?: number;
}

export interface TopicDescription {
  /** The id of the leading broker by partition; −1 where there is none. */
  readonly leaders: ReadonlyMap<number, number>;
}

export interface TopicAdmin {
  /** Fresh, never from a cache. Rejects with `missing` where there is no such topic. */
  describe(topic: string): Promise<TopicDescription>;
  /** The value of a topic's setting, the broker's default included; undefined where this client may not see it. */
  setting(topic: string, name: string): Promise<string | undefined>;
  /** Resolves too when the topic exists already. */
  create(spec: TopicSpec): Promise<void>;
  /** `host:port` of a broker, for commands in messages; undefined where none is known. */
  address(): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface FetchRequest {
  readonly topic: string;
  /** How long the broker may wait for something to arrive. */
  readonly maxWaitMs: number;
  readonly partitionBytesMax: number;
  readonly positions: readonly { readonly partition: number; readonly offset: number }[];
}

export interface FetchedPartition {
  readonly partition: number;
  /** The offset after the last record that readers may see. */
  readonly highWatermark: number;
  /** May begin before the offset asked for: brokers send whole batches. */
  readonly records: readonly KafkaRecord[];
}

export interface ProducedRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface PartitionBatch {
  readonly partition: number;
  readonly records: readonly ProducedRecord[];
}

export interface KafkaDriver extends TopicAdmin {
  connect(): Promise<void>;
  /** Resolves once a produce can be sent to the broker without connecting first. */
  ready(broker: number): Promise<void>;
  latestOffsets(broker: number, topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** One at a time for each broker, on a connection that `produce` does not share. */
  fetch(broker: number, request: FetchRequest): Promise<readonly FetchedPartition[]>;
  /** Acknowledged by the leader alone, without retries. Sent in the order of the calls. */
  produce(broker: number, topic: string, batches: readonly PartitionBatch[]): Promise<void>;
  /** Whether requests to the broker wait because it asked for that (a quota). */
  isThrottled(broker: number): boolean;
  /** Drops the connections to a broker; whatever waits on them rejects with `connection`. */
  cut(broker: number): Promise<void>;
  /** Starts over with new connections, from the addresses the user gave; keeps what it has where they are no longer wanted by then. */
  renew(isWanted: () => boolean): Promise<void>;
}
