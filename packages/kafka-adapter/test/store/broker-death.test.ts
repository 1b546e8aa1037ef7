/** A store in Kafka whose broker is killed under its writes: each is repeated until it is answered, and lands once. */
import { randomUUID } from 'node:crypto';
import type { MemberRecord } from '@quorate/core/adapter';
import { kafkaBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { kafkaStorage } from '../../src/index.ts';
import { kafkaOf } from './store-places.ts';

const patienceMs = 240_000;

describeWithKafka(
  'a store in Kafka whose broker is killed',
  () => {
    test(
      'keeps every append that it acknowledged, once, and goes on with the restarted broker (2 starts)',
      async () => {
        const broker = await kafkaBroker({ own: true });
        const seat = { group: `seat ${randomUUID()}`, node: 'a' };
        const [storage, next] = [1, 2].map(() => kafkaStorage(kafkaOf(broker.brokers), { ...seat, writeTimeoutMs: 120_000 }));
        try {
          await storage?.load(() => 'first');
          const ballot = { round: 1, node: 'a', incarnation: 'i', run: 1 };
          const votes = Array.from({ length: 60 }, (_, slot): MemberRecord => ({ type: 'voted', slot: slot + 1, ballot, value: null }));
          const appends = votes.map((vote) => Promise.resolve(storage?.append([vote])));
          await appends[20];
          await broker.kill();
          await broker.start();
          await Promise.all(appends);
          const loaded = await next?.load(() => 'another');
          expect(loaded?.memory?.replica?.votes.map(({ slot }) => slot)).toEqual(votes.map((_, index) => index + 1));
        } finally {
          await Promise.all([storage?.close?.(), next?.close?.()]);
          await broker.close();
        }
      },
      patienceMs,
    );
  },
  { own: true },
);
