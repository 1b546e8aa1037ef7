/** Stamps on records: what is written and read, and a former owner's late record that `fence` drops at a consumer of a real broker. */
import { randomUUID } from 'node:crypto';
import { fence, join } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaMessage, Producer } from 'kafkajs';
import { firstValueFrom, Subject, take, toArray } from 'rxjs';
import { describeWithKafka } from '../../../test/support/brokers.ts';
import { kafkaTransport, stampKafka, tokenOfKafka } from '../src/index.ts';
import type { StampableMessage } from '../src/index.ts';
import { makeTopic } from './made-topic.ts';

const owned = { resource: 'orders/12', token: 895226734673921 };

test('stamps one message or many, and leaves them as they were (2 messages)', () => {
  const plain = { key: 'k', value: 'v' };
  const withHeaders = { value: null, headers: { trace: 't', 'quorate-token': '1' } };
  const stamp = { 'quorate-resource': 'orders/12', 'quorate-token': '895226734673921' };
  expect(stampKafka(plain, owned)).toEqual({ key: 'k', value: 'v', headers: stamp });
  expect(stampKafka<StampableMessage>([plain, withHeaders], owned)).toEqual([
    { key: 'k', value: 'v', headers: stamp },
    { value: null, headers: { trace: 't', ...stamp } },
  ]);
  expect([plain, withHeaders.headers['quorate-token']]).toEqual([{ key: 'k', value: 'v' }, '1']);
});

test('reads what it stamped, as text or as bytes', () => {
  expect(tokenOfKafka(stampKafka({ value: 'v' }, owned))).toEqual(owned);
  const headers = { 'quorate-resource': Buffer.from('gr%C3%B6%C3%9Fe'), 'quorate-token': Buffer.from('7') };
  expect(tokenOfKafka({ headers })).toEqual({ resource: 'größe', token: 7 });
});

test.each([
  [undefined],
  [{}],
  [{ 'quorate-token': '7' }],
  [{ 'quorate-resource': 'a' }],
  [{ 'quorate-resource': 'a', 'quorate-token': ['7', '8'] }],
  [{ 'quorate-resource': 'a', 'quorate-token': Buffer.of(255, 254) }],
  [{ 'quorate-resource': 'a', 'quorate-token': undefined }],
])('reads no stamp from the headers %j', (headers) => {
  expect(tokenOfKafka({ headers })).toBeUndefined();
});

test('refuses to stamp what is no token', () => {
  expect(() => stampKafka({ value: 'v' }, { resource: 'a', token: NaN })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
});

describeWithKafka('a fence behind a Kafka topic', (shared) => {
  let kafka: Kafka;
  let producer: Producer;
  let quorate: Quorate;
  beforeAll(async () => {
    kafka = new Kafka({ brokers: shared.brokers, logLevel: logLevel.NOTHING });
    producer = kafka.producer();
    await producer.connect();
    const transport = kafkaTransport(kafka);
    quorate = await join({ group: `fence-${randomUUID()}`, node: 'a', voters: ['a'], transport, firstFounding: true });
  }, 60_000);
  afterAll(async () => {
    await quorate?.close({ timeoutMs: 2_000 });
    await producer?.disconnect();
  });

  test('drops what a former owner sends late, and passes what the new one sends (2 owners, 1 consumer)', async () => {
    const topic = `fence-${randomUUID()}`;
    const admin = kafka.admin();
    await admin.connect();
    await makeTopic(admin, topic, 1);
    await admin.disconnect();
    const send = (token: number, value: string) =>
      producer.send({ topic, messages: [stampKafka({ key: 'k', value }, { resource: 'orders/12', token })] });

    const former = await quorate.lock('orders/12').run(({ token }) => token);
    const present = await quorate.lock('orders/12').run(({ token }) => token);
    await send(former, 'in time');
    await send(present, 'by the new owner');
    await send(former, 'late');
    await producer.send({ topic, messages: [{ value: 'by nobody' }] });
    await send(present, 'last');

    const received = new Subject<KafkaMessage>();
    const dropped: string[] = [];
    const onStale = ({ value }: KafkaMessage, { verdict }: { readonly verdict: string }) => dropped.push(`${String(value)}: ${verdict}`);
    const kept = firstValueFrom(received.pipe(fence({ stamp: tokenOfKafka, onStale }), take(3), toArray()));
    const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => received.next(message) });

    expect((await kept).map(({ value }) => String(value))).toEqual(['in time', 'by the new owner', 'last']);
    expect(dropped).toEqual(['late: stale', 'by nobody: unfenced']);
    await consumer.disconnect();
  });
});
