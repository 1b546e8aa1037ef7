/** Kafka as an arbiter: the conformance suite on one broker and on three, and what is refused. */
import { randomUUID } from 'node:crypto';
import { arbiterConformance, encodeName } from '@quorate/core/adapter';
import type { Arbiter, ArbiterPlace } from '@quorate/core/adapter';
import { Partitioners } from 'kafkajs';
import { kafkaBroker } from '../../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { kafkaTransport } from '../../src/index.ts';
import { kafkaOf } from '../store/store-places.ts';

const patienceMs = 180_000;

function arbiterOf(brokers: readonly string[], group: string): Arbiter {
  const arbiter = kafkaTransport(kafkaOf(brokers)).arbiter?.({ group });
  if (!arbiter) throw new Error('no arbiter');
  return arbiter;
}

function topicOf(group: string): string {
  return `quorate.${encodeName(group)}.founding`;
}

async function loseBeginning(brokers: readonly string[], group: string, of: 'the first record' | 'all records'): Promise<void> {
  const admin = kafkaOf(brokers).admin();
  await admin.connect();
  try {
    await admin.fetchTopicOffsets(topicOf(group));
    await admin.deleteTopicRecords({
      topic: topicOf(group),
      partitions: [{ partition: 0, offset: of === 'the first record' ? '1' : '-1' }],
    });
  } finally {
    await admin.disconnect();
  }
}

describeWithKafka(
  'Kafka as an arbiter',
  () => {
    describe.each([1, 3] as const)('%d broker(s)', (size) => {
      let broker: KafkaBroker;
      beforeAll(async () => {
        broker = await kafkaBroker({ own: true, cluster: size });
      }, patienceMs);
      afterAll(() => broker.close(), patienceMs);

      const place = async (): Promise<ArbiterPlace> => {
        const group = `gruppe ${randomUUID()}`;
        return { open: () => arbiterOf(broker.brokers, group), loseBeginning: (of) => loseBeginning(broker.brokers, group, of) };
      };
      for (const { name, run } of arbiterConformance({ place, canLose: true })) test(name, run, patienceMs);

      test(
        'takes no record that comes late for a position that is taken (1 process, a zombie)',
        async () => {
          const group = randomUUID();
          const arbiter = arbiterOf(broker.brokers, group);
          await arbiter.append(0, Uint8Array.of(1));
          const producer = kafkaOf(broker.brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
          await producer.connect();
          await producer.send({ topic: topicOf(group), messages: [{ key: '0', value: 'zombie' }] });
          await producer.disconnect();
          await expect(arbiter.append(1, Uint8Array.of(2))).resolves.toBe(true);
          expect((await arbiter.read()).map((record) => [...record])).toEqual([[1], [2]]);
          await arbiter.close();
        },
        patienceMs,
      );

      test(
        'refuses a topic that forgets, and one of more partitions (1 process)',
        async () => {
          for (const [numPartitions, name, value, says] of [
            [1, 'retention.ms', '3600000', /`retention.ms=3600000` and needs -1/],
            [1, 'cleanup.policy', 'compact', /`cleanup.policy=compact` and needs delete/],
            [2, 'retention.ms', '-1', /2 partitions, and needs one/],
          ] as const) {
            const group = randomUUID();
            const admin = kafkaOf(broker.brokers).admin();
            await admin.connect();
            await admin.createTopics({
              waitForLeaders: true,
              topics: [{ topic: topicOf(group), numPartitions, configEntries: [{ name, value }] }],
            });
            await admin.disconnect();
            const arbiter = arbiterOf(broker.brokers, group);
            await expect(arbiter.read()).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringMatching(says) as string });
            await arbiter.close();
          }
        },
        patienceMs,
      );
    });
  },
  { own: 'process' },
);
