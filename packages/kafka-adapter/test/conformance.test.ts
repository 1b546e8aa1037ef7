/** The Kafka transport against the conformance suite, by both ways of reading, over a broker that the suite may kill. */
import { transportConformance } from '@quorate/core/adapter';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaBroker } from '../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../test/support/brokers.ts';
import { kafkaTransport } from '../src/index.ts';

describeWithKafka(
  'the Kafka transport',
  () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await kafkaBroker({ own: true });
    }, 120_000);
    afterAll(() => broker.close());

    const interruption = { begin: () => broker.kill(), end: () => broker.start() };
    for (const read of ['handle', 'group'] as const) {
      describe(`read by ${read}`, () => {
        const connect = async () => {
          const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
          return { transport: kafkaTransport(kafka, { read }) };
        };
        for (const { name, run } of transportConformance({ connect, interruption, deadlineMs: 45_000 })) test(name, run, 150_000);
      });
    }
  },
  { own: true },
);
