/** Owned consumers whose partitions Quorate itself hands out: three processes' worth in one, each with a connection of its own. */
import { join, memoryBus, memoryTransport } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { connect, RetentionPolicy } from 'nats';
import type { NatsConnection } from 'nats';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { natsLogin } from '../../../../scripts/brokers/nats-login.ts';
import { natsPartitionOf, ownedConsumer, ownedSubscription } from '../../src/index.ts';
import type { MessageContext, OwnedConsumer, OwnedConsumerEvent, OwnedConsumerOptions } from '../../src/index.ts';
import { combinations, numbered, streamClients, until } from './stream-world.ts';
import type { StreamConnection } from './stream-world.ts';

const timing = { heartbeatMs: 20, electionTimeoutMs: 150, sessionTtlMs: 2_000 };
const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];
const count = 6;

interface Handled {
  readonly node: Name;
  readonly partition: number;
  readonly sequence: number;
  readonly token: number;
}

let streams = 0;

describeWithNats('owned consumers in one group', (nats) => {
  let bus: ReturnType<typeof memoryBus>;
  let members: Map<Name, Quorate>;
  let connections: StreamConnection[];
  let admin: NatsConnection;
  let stream: string;
  let handled: Handled[];
  let events: (OwnedConsumerEvent & { readonly node: Name })[];
  let consumers: Map<Name, OwnedConsumer>;

  beforeEach(async () => {
    bus = memoryBus();
    const transport = memoryTransport({ bus, timing });
    const joined = await Promise.all(names.map((node) => join({ group: 'g', node, voters: [...names], transport, firstFounding: true })));
    members = new Map(names.map((node, index) => [node, joined[index] as Quorate]));
    admin = await connect(natsLogin(nats.url));
    streams += 1;
    [stream, connections, handled, events, consumers] = [`Q${process.pid}x${streams}`, [], [], [], new Map()];
  });
  afterEach(async () => {
    bus.heal();
    await Promise.all([...consumers.values()].map((consumer) => consumer.stop()));
    await Promise.all([...members.values()].map((quorate) => quorate.close({ timeoutMs: 2_000 })));
    await (await admin.jetstreamManager()).streams.delete(stream).catch(() => undefined);
    await Promise.all([...connections, admin].map((connection) => connection.close()));
  });

  const quorateOf = (node: Name): Quorate => members.get(node) as Quorate;

  async function start(
    node: Name,
    client: (typeof streamClients)[number]['connect'],
    work: (context: MessageContext) => Promise<void> | void = () => undefined,
    options: Partial<OwnedConsumerOptions> = {},
  ): Promise<OwnedConsumer> {
    const connection = await client(natsLogin(nats.url));
    connections.push(connection);
    const consumer = ownedConsumer(quorateOf(node), connection, {
      stream,
      name: 'workers',
      count,
      settleMs: 20,
      filter: (partition) => `${stream}.${partition}.>`,
      onEvent: (event) => events.push({ ...event, node }),
      ...options,
    });
    consumers.set(node, consumer);
    void consumer.run(async (context) => {
      await work(context);
      const { partition, token, message } = context;
      handled.push({ node, partition, token, sequence: message.sequence });
    });
    return consumer;
  }

  const mine = (node: Name): readonly number[] => quorateOf(node).partitions('workers', { count }).mine;
  const settled = (loads: Partial<Record<Name, number>>): Promise<void> =>
    until(() => Object.entries(loads).every(([node, load]) => mine(node as Name).length === load));
  const taken = (): number => events.filter(({ type }) => type === 'durableTaken').length;
  const keyOf = (partition: number): string => numbered(1_000).find((key) => natsPartitionOf(key, count) === partition) ?? '';
  const sequencesOf = (partition: number): number[] => handled.filter((one) => one.partition === partition).map(({ sequence }) => sequence);
  const rising = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

  describe.each(combinations)('$retention, $client', ({ retention, connect: client }) => {
    const policy = { limits: RetentionPolicy.Limits, interest: RetentionPolicy.Interest, workqueue: RetentionPolicy.Workqueue }[retention];

    beforeEach(async () => {
      const manager = await admin.jetstreamManager();
      // The server places each key; nobody here does.
      const subject_transform = { src: `${stream}.*`, dest: `${stream}.{{partition(${count},1)}}.{{wildcard(1)}}` };
      await manager.streams.add({ name: stream, subjects: [`${stream}.*`], retention: policy, subject_transform });
    });

    async function publish(rounds: number): Promise<void> {
      for (let round = 0; round < rounds; round += 1) {
        for (let partition = 0; partition < count; partition += 1)
          await admin.jetstream().publish(`${stream}.${keyOf(partition)}`, String(round));
      }
    }

    test('lose nothing, double nothing and keep the order while members join and leave (3 members, 6 partitions)', async () => {
      await start('a', client);
      await settled({ a: 6 });
      await until(() => taken() === 6);
      const publishing = publish(60);
      await start('b', client);
      await settled({ a: 3, b: 3 });
      await start('c', client);
      await settled({ a: 2, b: 2, c: 2 });
      await consumers.get('a')?.stop();
      await settled({ a: 0, b: 3, c: 3 });
      await publishing;
      await until(() => handled.length >= 60 * count);
      for (let partition = 0; partition < count; partition += 1) {
        const sequences = sequencesOf(partition);
        expect(sequences).toHaveLength(60);
        expect(sequences).toEqual(rising(sequences));
      }
      expect(events.filter(({ type }) => type === 'partitionFailed')).toEqual([]);
    });

    test('repeat at most max_ack_pending per partition, in order, when a member is cut off and its leases run out (3 members)', async () => {
      const maxAckPending = 2;
      for (const node of names) await start(node, client, () => undefined, { maxAckPending });
      await settled({ a: 2, b: 2, c: 2 });
      await until(() => names.every((node) => events.filter((event) => event.node === node && event.type === 'durableTaken').length >= 2));
      const before = mine('c');
      const publishing = publish(80);
      await until(() => handled.length > 10 * count);
      bus.disconnect('c');
      await until(() => mine('a').length + mine('b').length === count);
      await publishing;
      await until(() => new Set(handled.map(({ sequence }) => sequence)).size === 80 * count);
      for (const partition of before) {
        const [early, late] = [handled.filter((one) => one.node === 'c'), handled.filter((one) => one.node !== 'c')].map((ones) =>
          ones.filter((one) => one.partition === partition).map(({ sequence }) => sequence),
        ) as [number[], number[]];
        expect([early, late]).toEqual([rising(early), rising(late)]);
        expect(early.filter((sequence) => late.includes(sequence)).length).toBeLessThanOrEqual(maxAckPending);
      }
    });
  });

  test('owned subscriptions have one subscriber for each subject while members join (3 members, 6 partitions)', async () => {
    const texts: string[] = [];
    const subscriptions = [];
    for (const node of names) {
      const connection = (await streamClients[0]?.connect(natsLogin(nats.url))) as StreamConnection;
      connections.push(connection);
      const subscription = ownedSubscription(quorateOf(node), connection, {
        name: 'ticks',
        count,
        settleMs: 20,
        subject: (partition) => `${stream}.ticks.${partition}`,
      });
      subscriptions.push(subscription);
      void subscription.run(({ message }) => void texts.push(message.subject));
    }
    await until(() => names.every((node) => quorateOf(node).partitions('ticks', { count }).mine.length === 2));
    await Promise.all(connections.map((connection) => connection.flush()));
    // The first may have been asked for before the last handler was started.
    await Promise.all(connections.map((connection) => connection.flush()));
    for (let partition = 0; partition < count; partition += 1) admin.publish(`${stream}.ticks.${partition}`);
    await admin.flush();
    await until(() => texts.length >= count);
    expect(texts.sort()).toEqual(numbered(count).map((partition) => `${stream}.ticks.${partition}`));
    await Promise.all(subscriptions.map((subscription) => subscription.stop()));
  });
});
