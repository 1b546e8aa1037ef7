/** The store in Kafka against the conformance suite, on one broker and on three. */
import { storageConformance } from '@quorate/core/adapter';
import { kafkaBroker } from '../../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { storePlace } from './store-places.ts';

const patienceMs = 180_000;

describeWithKafka(
  'the store in Kafka',
  () => {
    describe.each([1, 3] as const)('%d broker(s)', (size) => {
      let broker: KafkaBroker;
      beforeAll(async () => {
        broker = await kafkaBroker({ own: true, cluster: size });
      }, patienceMs);
      afterAll(() => broker.close(), patienceMs);

      const subject = { place: async () => storePlace(broker.brokers), secondProcess: 'fences', canDie: true, canDamage: true } as const;
      for (const { name, run } of storageConformance(subject)) test(name, run, patienceMs);
    });
  },
  { own: 'process' },
);
