/** What owned consumers read on NATS that others wrote: names of durables, subjects of acknowledgements, answers of the JetStream API. */
import { isQuorateError } from '../../packages/core/src/errors.ts';
import { isToken } from '../../packages/core/src/partition/token-stamp.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { arrivalOf } from '../../packages/nats-adapter/src/consumer/delivery.ts';
import { EpochNames, refuseIfStale } from '../../packages/nats-adapter/src/consumer/epoch.ts';
import { answerOf } from '../../packages/nats-adapter/src/jetstream/jetstream-api.ts';
import { refusedByApi } from '../../packages/nats-adapter/src/jetstream/request-failure.ts';
import type { NatsReceivedHeaders } from '../../packages/nats-adapter/src/jetstream/stream-connection.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { mutateBytes, oddNumbers, oddTexts, oneOf } from './mutation.ts';

export function natsDecoders(): readonly Decoder[] {
  return [
    { name: 'durable-names', reads: 'names of durables, of ours and of others', input: namesInput, read: readNames },
    { name: 'ack-subject', reads: 'what arrives at the inbox of a pull', input: arrivalInput, read: readArrival },
    { name: 'jetstream-answer', reads: 'answers of the JetStream API', input: answerInput, read: readAnswer },
  ];
}

const epochs = new EpochNames('billing', 3);

function namesInput(random: Random): Uint8Array {
  const number = (): unknown => (random.below(2) === 0 ? random.below(100) : oneOf(random, [...oddNumbers, '007', '9'.repeat(30)]));
  const name = (): string => `billing_3_${String(number())}${random.below(2) === 0 ? '' : `_${String(number())}`}`;
  const text = Array.from({ length: 1 + random.below(4) }, () => (random.below(4) === 0 ? oneOf(random, oddTexts) : name())).join('\n');
  return random.below(4) === 0 ? mutateBytes(Buffer.from(text), Buffer.from(text), random) : Buffer.from(text);
}

function readNames(bytes: Uint8Array): Reading {
  const names = Buffer.from(bytes).toString().split('\n');
  const read = epochs.among(names);
  if (read.length === 0) return 'refused';
  return () => {
    for (const { name, token, restart } of read) {
      must(names.includes(name), 'a name was read that was not given');
      must(isToken(token) && Number.isSafeInteger(restart), `${name} was read as the epoch ${token}, ${restart}`);
      must(epochs.of({ token, restart }).name === name, `${name} was read as the epoch of another name`);
    }
    const newest = Math.max(...read.map(({ token }) => token));
    refuseIfStale(read, { partition: 3, token: newest });
  };
}

function arrivalInput(random: Random): Uint8Array {
  const number = (): unknown => (random.below(3) > 0 ? random.below(1_000) : oneOf(random, [...oddNumbers, '', ' 1', '0x10', '1e3', 'x']));
  const domain = random.below(2) === 0 ? ['hub', 'ACC'] : [];
  const numbers = Array.from({ length: 5 }, number);
  const tokens = ['$JS', 'ACK', ...domain, 'orders', 'billing_3_7', ...numbers, ...(domain.length > 0 ? ['r4nd'] : [])];
  const subject = tokens.slice(0, random.below(6) === 0 ? random.below(tokens.length) : undefined).join('.');
  return random.below(4) === 0 ? mutateBytes(Buffer.from(subject), Buffer.from(subject), random) : Buffer.from(subject);
}

function readArrival(bytes: Uint8Array): Reading {
  const headers = { code: bytes.length % 500, description: 'Consumer Deleted' } as NatsReceivedHeaders;
  const arrival = arrivalOf({ subject: 'orders.1', data: bytes, headers, reply: Buffer.from(bytes).toString() });
  if (arrival.type !== 'delivery') return 'refused';
  const { message, consumerSequence } = arrival.delivery;
  return () => {
    for (const number of [message.sequence, message.deliveries, consumerSequence]) {
      must(Number.isSafeInteger(number) && number > 0, `${number} was read for a place in a stream`);
    }
    must(Number.isFinite(message.storedAtMs) && message.storedAtMs >= 0, `${message.storedAtMs} was read for a time`);
  };
}

const oddAnswers = [
  'null',
  '[]',
  '"x"',
  '7',
  '',
  '{}',
  '{"error":null}',
  '{"error":7}',
  '{"error":{}}',
  '{"error":{"code":"x","err_code":[]}}',
];

function answerInput(random: Random): Uint8Array {
  const refusal = { code: oneOf(random, oddNumbers), err_code: 10_059, description: oneOf(random, oddTexts) };
  const names = { total: oneOf(random, oddNumbers), consumers: oddTexts };
  const answer = random.below(2) === 0 ? names : { ...names, error: random.below(4) === 0 ? null : refusal };
  const text = random.below(4) === 0 ? oneOf(random, oddAnswers) : JSON.stringify(answer);
  return random.below(3) === 0 ? mutateBytes(Buffer.from(text), Buffer.from(text), random) : Buffer.from(text);
}

function readAnswer(bytes: Uint8Array): Reading {
  try {
    const { error } = answerOf<object>('CONSUMER.NAMES.orders', bytes);
    if (error !== undefined) must(isQuorateError(refusedByApi('CONSUMER.NAMES.orders', error, 'orders')), 'a refusal is no error of ours');
  } catch (error) {
    if (!isQuorateError(error, 'TRANSPORT_FAILED')) throw error;
    return 'refused';
  }
  return () => undefined;
}
