/** What a user is told when the brokers refuse an owned consumer: which rights are needed, and on what. */
import { QuorateError } from '@quorate/core/adapter';
import { KafkaFailure, sentence } from '../failure.ts';

export interface ConsumerOf {
  readonly groupId: string;
  readonly topics: readonly string[];
}

/** Everything that is no failure of Kafka, a user's own error for one, as it is. */
export function asConsumerError(error: unknown, { groupId, topics }: ConsumerOf): unknown {
  if (!(error instanceof KafkaFailure)) return error;
  const happened = sentence(error.message);
  const details = { groupId, topics };
  if (error.kind !== 'denied') {
    const message = `The partitions of ${topics.join(', ')} cannot be consumed: ${happened}`;
    return new QuorateError('TRANSPORT_FAILED', message, { cause: error, details });
  }
  const rights = `Read and Describe on ${topics.join(', ')} and on group ${groupId}`;
  const fenced = 'Write and Describe on its transactional ids where commits are fenced';
  return new QuorateError('TRANSPORT_DENIED', `${happened} Needed: ${rights}; ${fenced}.`, { cause: error.cause ?? error, details });
}
