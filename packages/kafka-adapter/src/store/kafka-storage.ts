/** A voter's memory in Kafka: a pod without a disk comes back as the voter it was. `docs/decisions/0014`. */
import { logStorage, QuorateError } from '@quorate/core/adapter';
import type { Storage } from '@quorate/core/adapter';
import type { KafkaClient } from '../client.ts';
import { KafkaLog } from './kafka-log.ts';
import { storeTopic, storeTopicName } from './store-topic.ts';

export interface KafkaStorageOptions {
  /** As given to `join`. */
  readonly group: string;
  /** As given to `join`: a name that the next process of this seat has too. */
  readonly node: string;
  /** Replicas of the topic, where it is made here. Default: as many as there are brokers, up to 3. */
  readonly replicationFactor?: number;
  /** How long a write is repeated while brokers are away. Then nobody knows whether it landed, and the voter stops. Default 30 000 ms. */
  readonly writeTimeoutMs?: number;
}

export const kafkaStorageDefaults = { writeTimeoutMs: 30_000 } as const;

/**
 * Keeps what a voter must remember in a compacted topic of its own, `quorate.<group>.store.<node>`, by a transactional producer. The
 * process that starts last on a seat has it; the one before it is refused by the broker at its next write and stops with
 * STORAGE_IN_USE, within seconds. The user needs Read, Write, Describe and DescribeConfigs on the topic, Create where it is to be made
 * here, and Write and Describe on the transactional id of the same name. Throws `INVALID_NAME` and `INVALID_OPTIONS`.
 */
export function kafkaStorage(kafka: KafkaClient, options: KafkaStorageOptions): Storage {
  const { group, node, replicationFactor, writeTimeoutMs = kafkaStorageDefaults.writeTimeoutMs } = options;
  checkWhole('writeTimeoutMs', writeTimeoutMs, 1);
  if (replicationFactor !== undefined) checkWhole('replicationFactor', replicationFactor, -1);
  const spec = storeTopic(storeTopicName(group, node), replicationFactor);
  return logStorage(new KafkaLog({ kafka, spec, writeTimeoutMs }));
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${value}, not a whole number of at least ${least}.`);
}
