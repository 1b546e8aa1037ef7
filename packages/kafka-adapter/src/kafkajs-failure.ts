/** The errors of kafkajs as failures: told apart by `type` and `name`, through the wrappers that its retries put around them. */
import { KafkaFailure } from './failure.ts';
import type { FailureKind } from './failure.ts';

/** By the broker's error code, which kafkajs calls `type`. */
const kindOfType: Readonly<Record<string, FailureKind>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'missing',
  OFFSET_OUT_OF_RANGE: 'outOfRange',
  MESSAGE_TOO_LARGE: 'tooLarge',
  RECORD_LIST_TOO_LARGE: 'tooLarge',
  TOPIC_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
  GROUP_AUTHORIZATION_FAILED: 'denied',
  SASL_AUTHENTICATION_FAILED: 'denied',
  UNKNOWN: 'leader',
  LEADER_NOT_AVAILABLE: 'leader',
  NOT_LEADER_FOR_PARTITION: 'leader',
  REPLICA_NOT_AVAILABLE: 'leader',
  FENCED_LEADER_EPOCH: 'leader',
  UNKNOWN_LEADER_EPOCH: 'leader',
  OFFSET_NOT_AVAILABLE: 'leader',
  KAFKA_STORAGE_ERROR: 'leader',
  NOT_CONTROLLER: 'leader',
  REQUEST_TIMED_OUT: 'leader',
  CORRUPT_MESSAGE: 'leader',
  NOT_ENOUGH_REPLICAS: 'leader',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'leader',
  GROUP_LOAD_IN_PROGRESS: 'coordinator',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'coordinator',
  NOT_COORDINATOR_FOR_GROUP: 'coordinator',
  CONCURRENT_TRANSACTIONS: 'coordinator',
  UNSTABLE_OFFSET_COMMIT: 'coordinator',
  UNKNOWN_MEMBER_ID: 'members',
  ILLEGAL_GENERATION: 'members',
  REBALANCE_IN_PROGRESS: 'members',
  INVALID_PRODUCER_EPOCH: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  TRANSACTION_COORDINATOR_FENCED: 'fenced',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'denied',
  BROKER_NOT_AVAILABLE: 'connection',
  NETWORK_EXCEPTION: 'connection',
};

/** By the class of kafkajs, where the error did not come from a broker. */
const kindOfName: Readonly<Record<string, FailureKind>> = {
  KafkaJSConnectionError: 'connection',
  KafkaJSConnectionClosedError: 'connection',
  KafkaJSRequestTimeoutError: 'connection',
  KafkaJSTimeout: 'connection',
  KafkaJSLockTimeout: 'connection',
  KafkaJSBrokerNotFound: 'connection',
  KafkaJSMetadataNotLoaded: 'connection',
  KafkaJSTopicMetadataNotLoaded: 'connection',
  KafkaJSGroupCoordinatorNotFound: 'connection',
  KafkaJSSASLAuthenticationError: 'denied',
};

interface KafkajsError extends Error {
  readonly type?: unknown;
  readonly partition?: unknown;
  readonly errors?: unknown;
}

/** Awaits a promise of kafkajs and turns its rejection into a `KafkaFailure`. */
export async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw failureOf(error);
  }
}

export function failureOf(error: unknown): KafkaFailure {
  if (error instanceof KafkaFailure) return error;
  for (const inner of chainOf(error)) {
    const kind = (typeof inner.type === 'string' ? kindOfType[inner.type] : undefined) ?? kindOfName[inner.name];
    if (kind === undefined) continue;
    const partition = typeof inner.partition === 'number' ? inner.partition : undefined;
    return new KafkaFailure(kind, inner.message, { cause: error, partition });
  }
  return new KafkaFailure('refused', error instanceof Error ? error.message : String(error), { cause: error });
}

/** True for an error of this type in the chain: what `createTopics` says of a topic that is already there, for one. */
export function hasType(error: unknown, ...types: readonly string[]): boolean {
  return chainOf(error).some(({ type }) => typeof type === 'string' && types.includes(type));
}

/** The error, its causes, and the members of an aggregate. */
function chainOf(error: unknown, depth = 0): readonly KafkajsError[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const { errors } = error as KafkajsError;
  const members = Array.isArray(errors) ? errors : [];
  return [error, ...[error.cause, ...members].flatMap((inner) => chainOf(inner, depth + 1))];
}
