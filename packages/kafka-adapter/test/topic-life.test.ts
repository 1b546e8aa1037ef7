/** What else happens to a topic: frames of earlier lives, other writers, too few partitions, deletion. On a real Kafka. */
import { randomUUID } from 'node:crypto';
import { isQuorateError } from '@quorate/core/adapter';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { describeWithKafka } from '../../../test/support/brokers.ts';
import { kafkaTransport } from '../src/index.ts';
import { makeTopic } from './made-topic.ts';
import { RecordedChannel } from './recorded-channel.ts';

describeWithKafka('the topic of a group', (kafka) => {
  let admin: Admin;
  beforeAll(async () => {
    admin = client().admin();
    await admin.connect();
  });
  afterAll(() => admin.disconnect());

  const client = () => new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
  const voters = ['a', 'b'];
  const open = (group: string, node: string) => RecordedChannel.open(kafkaTransport(client()), { group, node, voters });
  const topicOf = (group: string) => `quorate.${group}.paxos`;

  test('opens at the end of 100,000 frames of an earlier life and shows none of them (2 voters)', async () => {
    const group = randomUUID();
    const earlier = await open(group, 'a');
    await earlier.channel.close();
    const producer = client().producer();
    await producer.connect();
    const messages = Array.from({ length: 5_000 }, (_, index) => ({
      partition: 0,
      key: 'stale',
      value: `stale frame ${index} ${'x'.repeat(100)}`,
    }));
    for (let round = 0; round < 20; round++) await producer.send({ topic: topicOf(group), acks: 1, messages });
    await producer.disconnect();
    const [a, b] = await Promise.all([open(group, 'a'), open(group, 'b')]);
    await b.until(
      () => b.texts.includes('fresh'),
      () => a.send({ type: 'all' }, 'fresh'),
    );
    expect(b.texts.filter((text) => text !== 'fresh')).toEqual([]);
    // Records that are not Quorate's would have been reported, had they been read.
    expect(b.events).toEqual([]);
    await Promise.all([a.channel.close(), b.channel.close()]);
  });

  test('ignores what others write to it and says so (2 voters)', async () => {
    const group = randomUUID();
    const [a, b] = await Promise.all([open(group, 'a'), open(group, 'b')]);
    const producer = client().producer();
    await producer.connect();
    await producer.send({
      topic: topicOf(group),
      messages: [
        { partition: 0, key: 'order-7', value: 'an order' },
        { partition: 0, value: null },
      ],
    });
    await producer.disconnect();
    await b.until(() => b.events.length > 0);
    a.send({ type: 'all' }, 'a frame');
    await b.until(() => b.texts.includes('a frame'));
    expect(b.texts).toEqual(['a frame']);
    expect(b.events).toEqual([expect.objectContaining({ type: 'warning', code: 'FOREIGN_RECORD' })]);
    await Promise.all([a.channel.close(), b.channel.close()]);
  });

  test('is created with short retention, its partitions, and the settings that keep frames flowing (1 voter)', async () => {
    const group = randomUUID();
    const a = await open(group, 'a');
    const { topics } = await admin.fetchTopicMetadata({ topics: [topicOf(group)] });
    expect(topics[0]?.partitions).toHaveLength(25);
    const names = ['cleanup.policy', 'retention.ms', 'message.timestamp.type', 'min.insync.replicas'];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topicOf(group), configNames: names }],
    });
    const settings = Object.fromEntries(
      (resources[0]?.configEntries ?? []).map(({ configName, configValue }) => [configName, configValue]),
    );
    expect(settings).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': '600000',
      'message.timestamp.type': 'LogAppendTime',
      'min.insync.replicas': '1',
    });
    await a.channel.close();
  });

  test('is refused where it has too few partitions (1 voter)', async () => {
    const group = randomUUID();
    await makeTopic(admin, topicOf(group), 3);
    const error: unknown = await open(group, 'a').then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isQuorateError(error, 'INVALID_OPTIONS')).toBe(true);
    expect(String(error)).toContain(`--alter --topic ${topicOf(group)} --partitions 25`);
  });

  test('is made again when somebody deletes it under open channels (2 voters)', async () => {
    const group = randomUUID();
    const [a, b] = await Promise.all([open(group, 'a'), open(group, 'b')]);
    await b.until(
      () => b.texts.includes('before'),
      () => a.send({ type: 'all' }, 'before'),
    );
    await admin.deleteTopics({ topics: [topicOf(group)] });
    await a.until(
      () => a.statuses.includes('disconnected'),
      () => a.send({ type: 'all' }, 'meanwhile'),
    );
    for (const one of [a, b]) await one.until(() => one.channel.status === 'connected');
    await b.until(
      () => b.texts.includes('after'),
      () => a.send({ type: 'all' }, 'after'),
    );
    await a.until(
      () => a.texts.includes('back'),
      () => b.send({ type: 'node', node: 'a' }, 'back'),
    );
    await Promise.all([a.channel.close(), b.channel.close()]);
  });

  test('is read without a consumer group, and a group of its own is gone after close (1 voter)', async () => {
    const group = randomUUID();
    const groupsOf = async () => (await admin.listGroups()).groups.filter(({ groupId }) => groupId.includes(group)).length;
    const byHandle = await open(group, 'a');
    expect(await groupsOf()).toBe(0);
    const byGroup = await RecordedChannel.open(kafkaTransport(client(), { read: 'group' }), { group, node: 'b', voters });
    expect(await groupsOf()).toBe(1);
    await byGroup.until(
      () => byGroup.texts.includes('x'),
      () => byHandle.send({ type: 'all' }, 'x'),
    );
    await byGroup.channel.close();
    expect(await groupsOf()).toBe(0);
    await byHandle.channel.close();
  });

  test('reaches a process that was started with other voters (2 processes)', async () => {
    const group = randomUUID();
    const a = await open(group, 'a');
    const odd = await RecordedChannel.open(kafkaTransport(client()), { group, node: 'b', voters: ['0', 'a', 'b'] });
    await a.until(
      () => a.texts.includes('hello'),
      () => odd.send({ type: 'all' }, 'hello'),
    );
    a.send({ type: 'node', node: 'b' }, 'your voters differ');
    await odd.until(() => odd.texts.includes('your voters differ'));
    await Promise.all([a.channel.close(), odd.channel.close()]);
  });

  test('leaves the user of the same client alone (1 voter, 1 producer)', async () => {
    const shared = client();
    const topic = `orders-${randomUUID()}`;
    await makeTopic(admin, topic, 1);
    const producer = shared.producer();
    await producer.connect();
    const a = await RecordedChannel.open(kafkaTransport(shared), { group: randomUUID(), node: 'a' });
    await producer.send({ topic, messages: [{ value: 'one' }] });
    await a.channel.close();
    const [sent] = await producer.send({ topic, messages: [{ value: 'two' }] });
    expect(sent?.errorCode).toBe(0);
    await producer.disconnect();
  });
});
