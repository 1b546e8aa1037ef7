/** A store in JetStream whose server is killed under its writes: each is repeated until it is answered, and lands once. */
import { randomUUID } from 'node:crypto';
import type { MemberRecord } from '@quorate/core/adapter';
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { jetstreamStorage } from '../../src/index.ts';
import { streamClients } from '../consumer/stream-world.ts';

const patienceMs = 120_000;

describeWithNats(
  'a store in JetStream whose server is killed',
  () => {
    test.each(streamClients)(
      'keeps every append that it acknowledged, once, and goes on with the restarted server ($client, 2 starts)',
      async ({ connect }) => {
        const broker = await natsBroker({ own: true });
        const connection = await connect({ servers: broker.url });
        try {
          const seat = { group: `seat ${randomUUID()}`, node: 'a' };
          const storage = jetstreamStorage(connection, { ...seat, writeTimeoutMs: 60_000 });
          await storage.load(() => 'first');
          const ballot = { round: 1, node: 'a', incarnation: 'i', run: 1 };
          const votes = Array.from({ length: 300 }, (_, slot): MemberRecord => ({ type: 'voted', slot: slot + 1, ballot, value: null }));
          const appends = votes.map((vote) => Promise.resolve(storage.append([vote])));
          await appends[20];
          await broker.kill();
          await broker.start();
          await Promise.all(appends);
          const { memory } = await jetstreamStorage(connection, seat).load(() => 'another');
          expect(memory?.replica?.votes.map(({ slot }) => slot)).toEqual(votes.map((_, index) => index + 1));
        } finally {
          await connection.close();
          await broker.close();
        }
      },
      patienceMs,
    );
  },
  { own: true },
);
