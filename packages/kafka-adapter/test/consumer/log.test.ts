/** What stands in a log besides plain messages, and what happens to logs. On a real Kafka. */
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';
import { compress, decompress } from './snappy.ts';

describeConsumer('the log under an owned consumer', (rig) => {
  test('skips aborted transactions and markers, and goes on behind them (1 owner)', async () => {
    await rig().open();
    const transactional = rig().kafka.producer({ transactionalId: rig().groupId, maxInFlightRequests: 1, idempotent: true });
    await transactional.connect();
    const transact = async (value: string, end: 'commit' | 'abort') => {
      const transaction = await transactional.transaction();
      await transaction.send({ topic: rig().topic, messages: [{ value: `${value}1` }, { value: `${value}2` }] });
      await transaction[end]();
    };
    await transact('a', 'commit');
    await transact('b', 'abort');
    await rig().send(['c']);
    await transact('d', 'abort');
    await transact('e', 'commit');
    await transactional.disconnect();
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.value))) });
    partitions.grant(0, 1);
    await until(() => seen.length === 5);
    expect(seen).toEqual(['a1', 'a2', 'c', 'e1', 'e2']);
    // Thirteen records, markers included.
    await until(async () => (await rig().committed()).offset === '13');
  });

  test('reads compressed batches, from the middle of one on (1 owner)', async () => {
    await rig().open();
    await rig().producer.send({
      topic: rig().topic,
      compression: CompressionTypes.GZIP,
      messages: numbers(0, 20).map((value) => ({ value: String(value) })),
    });
    await rig().admin.setOffsets({ groupId: rig().groupId, topic: rig().topic, partitions: [{ partition: 0, offset: '15' }] });
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.value))) });
    partitions.grant(0, 1);
    await until(() => seen.length === 5);
    expect(seen).toEqual(['15', '16', '17', '18', '19']);
  });

  test('notices that the topic has grown, and reads what is new (1 owner)', async () => {
    await rig().open(1);
    const { consumer, partitions, events } = rig().process({ metadataMaxAgeMs: 50 });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ partition, message }) => Promise.resolve(void seen.push(`${partition} ${message.offset}`)) });
    partitions.grant(0, 1);
    await rig().admin.createPartitions({ topicPartitions: [{ topic: rig().topic, count: 3 }] });
    await until(() => events.some(({ type }) => type === 'grown'));
    expect(partitions.resizes).toEqual([3]);
    partitions.grant(2, 2);
    const producer = rig().kafka.producer();
    await producer.connect();
    await producer.send({ topic: rig().topic, messages: [{ value: 'new', partition: 2 }] });
    await producer.disconnect();
    await until(() => seen.includes('2 0'));
  });

  test('goes on at the first message there is when those before it were deleted (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    await rig().admin.deleteTopicRecords({ topic: rig().topic, partitions: [{ partition: 0, offset: '6' }] });
    const { consumer, partitions, events } = rig().process({ fromBeginning: false });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 2, `#1;${rig().topic}=2`);
    await until(() => seen.length === 4);
    expect(seen).toEqual(['6', '7', '8', '9']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'relocated', from: '2', to: '6' }));
  });
});

describeConsumer(
  'the codecs of an owned consumer',
  (rig) => {
    test('decodes with codecs that the user has registered, and keeps what it cannot decode in its partition (1 owner, 2 partitions)', async () => {
      await rig().open(2);
      const before = CompressionCodecs[CompressionTypes.Snappy];
      let isReadable = false;
      CompressionCodecs[CompressionTypes.Snappy] = () => ({
        compress: ({ buffer }: { readonly buffer: Buffer }) => Promise.resolve(compress(buffer)),
        decompress: (buffer: Buffer) =>
          isReadable ? Promise.resolve(decompress(buffer)) : Promise.reject(new Error('no such codec here')),
      });
      const messages = [{ value: 'compressed', partition: 0 }];
      await rig().producer.send({ topic: rig().topic, compression: CompressionTypes.Snappy, messages });
      await rig().send(numbers(0, 5), 1);
      const { consumer, partitions, events } = rig().process();
      const seen: string[] = [];
      await consumer.run({
        eachMessage: ({ partition, message }) => Promise.resolve(void seen.push(`${partition} ${String(message.value)}`)),
      });
      partitions.grant(0, 1);
      partitions.grant(1, 2);
      await until(() => events.some((event) => event.type === 'fetchFailed' && event.partition === 0));
      await rig().send(numbers(5, 8), 1);
      await until(() => seen.length === 8);
      expect(seen).toEqual(numbers(0, 8).map((at) => `1 ${at}`));
      isReadable = true;
      await until(() => seen.includes('0 compressed'));
      CompressionCodecs[CompressionTypes.Snappy] = before;
    });
  },
  ['kafkajs'],
);
