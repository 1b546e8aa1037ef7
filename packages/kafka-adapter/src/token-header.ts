/** The token on the message path of Kafka: two record headers that an owner's producer sets and a consumer's fence reads. */
import { readStamp, resourceHeader, tokenHeader, writeStamp } from '@quorate/core/adapter';
import type { TokenStamp } from '@quorate/core/adapter';

/** Headers as kafkajs takes and gives them. */
export interface KafkaHeaders {
  [name: string]: Buffer | string | (Buffer | string)[] | undefined;
}

export interface KafkaHeadersHolder {
  readonly headers?: KafkaHeaders;
}

/** A message as kafkajs's producer takes it. */
export interface StampableMessage extends KafkaHeadersHolder {
  readonly value: Buffer | string | null;
}

/**
 * The messages with the stamp of their owner, for `producer.send({ topic, messages: stampKafka(messages, { resource, token }) })`.
 * They are copies. A stamp that is there already, for instance of a message that is passed on, is replaced.
 *
 * The records of one resource must go to one partition, or the partition must be part of the resource: a consumer reads
 * partitions in no order, and would drop what a former owner sent in good time.
 *
 * @throws QuorateError `INVALID_OPTIONS` where the resource or the token is none.
 */
export function stampKafka<M extends StampableMessage>(messages: readonly M[], owned: TokenStamp): Stamped<M>[];
export function stampKafka<M extends StampableMessage>(message: M, owned: TokenStamp): Stamped<M>;
export function stampKafka(messages: StampableMessage | readonly StampableMessage[], owned: TokenStamp): unknown {
  const { resource, token } = writeStamp(owned);
  const stamp = { [resourceHeader]: resource, [tokenHeader]: token };
  const stamped = (message: StampableMessage): StampableMessage => ({ ...message, headers: { ...message.headers, ...stamp } });
  return isList(messages) ? messages.map(stamped) : stamped(messages);
}

export type Stamped<M> = M & { readonly headers: KafkaHeaders };

/** The stamp of a consumed message, or `undefined` where there is none, half of one, or two. Never throws. */
export function tokenOfKafka({ headers }: KafkaHeadersHolder): TokenStamp | undefined {
  return readStamp(textOf(headers?.[resourceHeader]), textOf(headers?.[tokenHeader]));
}

/** A header that comes twice says nothing. */
function textOf(value: KafkaHeaders[string]): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

function isList(messages: StampableMessage | readonly StampableMessage[]): messages is readonly StampableMessage[] {
  return Array.isArray(messages);
}
