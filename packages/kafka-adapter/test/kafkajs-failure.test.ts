/** Errors of kafkajs as failures, through the wrappers that its retries put around them. */
import { KafkaJSAggregateError, KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { KafkaFailure } from '../src/failure.ts';
import { failureOf, hasType } from '../src/kafkajs-failure.ts';

const protocolError = (type: string) =>
  new KafkaJSProtocolError(Object.assign(new Error(`says ${type}`), { type, code: 1, retriable: true }));

test.each([
  ['UNKNOWN_TOPIC_OR_PARTITION', 'missing'],
  ['NOT_LEADER_FOR_PARTITION', 'leader'],
  ['LEADER_NOT_AVAILABLE', 'leader'],
  ['TOPIC_AUTHORIZATION_FAILED', 'denied'],
  ['OFFSET_OUT_OF_RANGE', 'outOfRange'],
  ['MESSAGE_TOO_LARGE', 'tooLarge'],
  ['POLICY_VIOLATION', 'refused'],
])('%s is %p', (type, kind) => {
  expect(failureOf(protocolError(type)).kind).toBe(kind);
});

test('finds the reason under "number of retries exceeded" and within an aggregate', () => {
  const reason = new KafkaJSConnectionError('connect ECONNREFUSED');
  expect(failureOf(new KafkaJSNumberOfRetriesExceeded(reason, { retryCount: 5, retryTime: 1 })).kind).toBe('connection');
  const denied = new KafkaJSAggregateError('Topic creation errors', [protocolError('TOPIC_AUTHORIZATION_FAILED')]);
  expect(failureOf(denied)).toMatchObject({ kind: 'denied', message: 'says TOPIC_AUTHORIZATION_FAILED' });
  expect(hasType(denied, 'TOPIC_AUTHORIZATION_FAILED')).toBe(true);
  expect(hasType(denied, 'TOPIC_ALREADY_EXISTS')).toBe(false);
});

test('keeps what it cannot name, cycles included', () => {
  const loop = new Error('loop');
  loop.cause = loop;
  expect(failureOf(loop)).toMatchObject({ kind: 'refused', message: 'loop' });
  expect(failureOf('text')).toMatchObject({ kind: 'refused', message: 'text' });
  const failure = new KafkaFailure('denied', 'no');
  expect(failureOf(failure)).toBe(failure);
});
