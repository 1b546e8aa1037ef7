/**
 * The driver port of owned consumers: what they ask of a Kafka client. Requests go to the brokers that lead or coordinate, and no
 * consumer group is ever joined. Every rejection is a `KafkaFailure`.
 */
import type { KafkaFailure } from '../failure.ts';
import type { ConsumedMessage } from './payload.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface FetchPosition extends TopicPartition {
  readonly offset: bigint;
}

export interface ConsumerFetch {
  /** How long the broker may wait for something to arrive. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionBytesMax: number;
  readonly positions: readonly FetchPosition[];
}

export interface FetchedMessages extends TopicPartition {
  readonly type: 'messages';
  /** Committed ones at or after the offset asked for; neither control records nor those of aborted transactions. */
  readonly messages: readonly ConsumedMessage[];
  /** Where to go on: behind everything that was looked at, whether it was shown or not. */
  readonly nextOffset: bigint;
  readonly highWatermark: bigint;
}

export interface FetchRefused extends TopicPartition {
  readonly type: 'failure';
  readonly failure: KafkaFailure;
}

/** By partition, so that what is wrong with one is kept to itself. */
export type FetchOutcome = FetchedMessages | FetchRefused;

export interface CommittedOffset extends TopicPartition {
  /** Undefined where the group has committed none. */
  readonly offset: bigint | undefined;
  readonly metadata: string;
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: bigint;
  readonly metadata: string;
}

export interface GroupMember {
  readonly clientId: string;
  readonly host: string;
}

/** A transactional producer that has fenced those before it of the same id. */
export interface FencingProducer {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly epoch: number;
}

export interface FencedOffsets {
  readonly producer: FencingProducer;
  readonly groupId: string;
  readonly offsets: readonly OffsetToCommit[];
}

/** The brokers' ids by partition, −1 where there is no leader, by topic. */
export type Leaders = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface ConsumerDriver {
  connect(): Promise<void>;
  /** Fresh, never from a cache. Rejects with `missing` where one of the topics does not exist. */
  leaders(topics: readonly string[]): Promise<Leaders>;
  /** One at a time for each broker. Rejects only where nothing was answered. */
  fetch(broker: number, request: ConsumerFetch): Promise<readonly FetchOutcome[]>;
  /** The first offset there is, or the one after the last that readers of committed records may see. */
  edge(broker: number, at: TopicPartition, edge: 'earliest' | 'latest'): Promise<bigint>;
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /** As a client without a group does, by generation −1. Rejects with `members` while the group has any. */
  commit(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void>;
  members(groupId: string): Promise<readonly GroupMember[]>;
  /** Fences every producer that had this id, and ends what it left open. */
  fence(transactionalId: string): Promise<FencingProducer>;
  /** In one transaction. Rejects with `fenced` once a newer producer has the id. */
  commitFenced(request: FencedOffsets): Promise<void>;
  /** Whether requests to the broker wait because it asked for that (a quota). */
  isThrottled(broker: number): boolean;
  /** Drops the connections to a broker; whatever waits on them rejects with `connection`. */
  cut(broker: number): Promise<void>;
  close(): Promise<void>;
}
