/** Owned consumers on a real Kafka whose partitions Quorate hands out: three processes' worth in one, each with clients of its own. */
import { isQuorateError, join, memoryBus, memoryTransport } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { Kafka, logLevel } from 'kafkajs';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { ownedConsumer } from '../../src/index.ts';
import type { OwnedConsumer, OwnedConsumerEvent, OwnedConsumerOptions, OwnedMessagePayload } from '../../src/index.ts';
import { KafkaRig, numbers, until } from './kafka-rig.ts';

const timing = { heartbeatMs: 20, electionTimeoutMs: 150 };
/** Short where a test waits for the end of a lease, and beyond the pauses of a busy machine where none is to end. */
const sessionTtlMs = { short: 2_000, long: 20_000 } as const;
const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];

interface Handled {
  readonly node: Name;
  readonly partition: number;
  readonly offset: number;
  readonly token: number;
}

describeWithKafka('owned consumers in one group', (kafka) => {
  const count = 6;
  let rig: KafkaRig;
  let bus: ReturnType<typeof memoryBus>;
  let members: Map<Name, Quorate>;
  let consumers: Map<Name, OwnedConsumer>;
  let handled: Handled[];
  let events: (OwnedConsumerEvent & { readonly node: Name })[];

  beforeEach(async () => {
    rig = new KafkaRig(kafka.brokers);
    await rig.open(count);
    bus = memoryBus();
    members = new Map();
    consumers = new Map();
    handled = [];
    events = [];
  });
  afterEach(async () => {
    bus.heal();
    await Promise.all([...members.values()].map((quorate) => quorate.close({ timeoutMs: 2_000 })));
    await Promise.all([...consumers.values()].map((consumer) => consumer.stop()));
    await rig.close();
  });

  async function form(ttl: keyof typeof sessionTtlMs): Promise<void> {
    const transport = memoryTransport({ bus, timing: { ...timing, sessionTtlMs: sessionTtlMs[ttl] } });
    const joined = await Promise.all(names.map((node) => join({ group: 'g', node, voters: [...names], transport, firstFounding: true })));
    for (const [index, node] of names.entries()) members.set(node, joined[index] as Quorate);
  }

  const quorateOf = (node: Name) => members.get(node) as Quorate;

  async function start(
    node: Name,
    work: (payload: OwnedMessagePayload) => Promise<void> = () => Promise.resolve(),
    options: Partial<OwnedConsumerOptions> = {},
  ): Promise<OwnedConsumer> {
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const onEvent = (event: OwnedConsumerEvent) => events.push({ ...event, node });
    const consumer = ownedConsumer(quorateOf(node), client, {
      groupId: rig.groupId,
      topics: [rig.topic],
      fromBeginning: true,
      onEvent,
      ...options,
    });
    consumers.set(node, consumer);
    await consumer.run({
      eachMessage: async (payload) => {
        const { partition, message, token } = payload;
        await work(payload);
        handled.push({ node, partition, offset: Number(message.offset), token });
      },
    });
    return consumer;
  }

  const mine = (node: Name) => quorateOf(node).partitions(rig.groupId, { count }).mine.length;
  const settled = (loads: Partial<Record<Name, number>>) =>
    until(() => Object.entries(loads).every(([node, load]) => mine(node as Name) === load), `the split ${JSON.stringify(loads)}`);
  const offsetsOf = (partition: number) => handled.filter((one) => one.partition === partition).map(({ offset }) => offset);

  test.each(['plain', 'fenced'] as const)(
    'hand over drained while members join and leave: nothing lost, nothing doubled, in order (3 members, 6 partitions, %s commits)',
    async (commit) => {
      await form('long');
      const work = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
      let sent = 0;
      let isOver = false;
      const sending = (async () => {
        while (!isOver) {
          await Promise.all(numbers(0, count).map((partition) => rig.send(numbers(sent, sent + 5), partition)));
          sent += 5;
        }
      })();
      await start('a', work, { commit });
      await settled({ a: 6 });
      const b = await start('b', work, { commit });
      await settled({ a: 3, b: 3 });
      await start('c', work, { commit });
      await settled({ a: 2, b: 2, c: 2 });
      await b.stop();
      await settled({ a: 3, c: 3 });
      await start('b', work, { commit });
      await settled({ a: 2, b: 2, c: 2 });
      isOver = true;
      await sending;
      await until(() => handled.length >= sent * count, 'all messages');
      for (const partition of numbers(0, count)) expect(offsetsOf(partition).filter((offset, index) => offset !== index)).toEqual([]);
      // Tokens only ever rise: an owner's later messages never carry an older one.
      for (const partition of numbers(0, count)) {
        const tokens = handled.filter((one) => one.partition === partition).map(({ token }) => token);
        expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
      }
      // A slow machine may find a short lease too short for a commit; nobody is ever taken for an older owner.
      const refused = events.filter((event) => event.type === 'commitFailed' && !isQuorateError(event.error, 'LEASE_LOST'));
      expect([...refused, ...events.filter(({ type }) => type === 'handlerFailed')]).toEqual([]);
    },
    120_000,
  );

  test('is followed at its last commit when its lease runs out, and commits nothing after that (2 members)', async () => {
    await form('short');
    await rig.send(numbers(0, 10));
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    let token = 0;
    await start('a', async ({ partition, message, token: own }) => {
      if (partition !== 0 || message.offset !== '4') return;
      await until(async () => (await rig.committed()).offset === '4');
      token = own;
      await stuck;
    });
    await until(() => offsetsOf(0).length === 4);
    await rig.send([0], 1);
    await until(() => token > 0);
    await start('b');
    bus.disconnect('a');
    await until(() => offsetsOf(0).filter((offset) => offset === 9).length === 1, 'the end of partition 0');
    const byB = handled.filter(({ node, partition }) => node === 'b' && partition === 0);
    expect(byB.map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(byB.every((one) => one.token > token)).toBe(true);
    await until(async () => (await rig.committed()).offset === '10');
    const { metadata } = await rig.committed();
    release();
    await until(() => handled.some(({ node, partition, offset }) => node === 'a' && partition === 0 && offset === 4));
    await consumers.get('a')?.stop();
    expect(await rig.committed()).toEqual({ offset: '10', metadata });
    expect(handled.some(({ node, partition, offset }) => node === 'a' && partition === 0 && offset > 4)).toBe(false);
  }, 120_000);

  test('are refused by `run` where they cannot take part: two under one name, or a weight that is none (1 member)', async () => {
    await form('long');
    await start('a');
    await expect(start('a')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(start('b', undefined, { weight: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(start('b', undefined, { drainTimeoutMs: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(events.filter(({ type }) => type === 'crashed')).toEqual([]);
    await start('b');
    await settled({ a: 3, b: 3 });
  });

  test('own what a topic has grown by, without a restart, and skip nothing that came before they did (2 members)', async () => {
    await form('long');
    const options = { metadataMaxAgeMs: 2_000, fromBeginning: false };
    await start('a', undefined, options);
    await start('b', undefined, options);
    await settled({ a: 3, b: 3 });
    await rig.admin.createPartitions({ topicPartitions: [{ topic: rig.topic, count: 8 }] });
    const producer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: rig.topic, messages: [{ value: 'new', partition: 7 }] });
    await producer.disconnect();
    await settled({ a: 4, b: 4 });
    await until(() => offsetsOf(7).length === 1);
    const origins = events.flatMap((event) => (event.type === 'started' && event.partition >= 6 ? [event.from] : []));
    expect(origins.filter((from) => from !== 'grown' && from !== 'commit')).toEqual([]);
  }, 120_000);
});
