/** The store in JetStream against the conformance suite, on both client generations and on three servers. */
import { storageConformance } from '@quorate/core/adapter';
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { streamClients } from '../consumer/stream-world.ts';
import type { StreamConnection } from '../consumer/stream-world.ts';
import { storePlace } from './store-places.ts';

const patienceMs = 120_000;
const settings = [
  ...streamClients.map(({ client, connect }) => ({ client, connect, servers: 1 as const })),
  ...streamClients.slice(0, 1).map(({ client, connect }) => ({ client, connect, servers: 3 as const })),
];

describeWithNats(
  'the store in JetStream',
  () => {
    describe.each(settings)('$client, $servers server(s)', ({ connect, servers }) => {
      let broker: NatsBroker;
      let connection: StreamConnection;
      beforeAll(async () => {
        broker = await natsBroker({ own: true, cluster: servers });
        connection = await connect({ servers: [...broker.urls] });
      }, patienceMs);
      afterAll(async () => {
        await connection.close();
        await broker.close();
      }, patienceMs);

      const subject = { place: async () => storePlace(connection), secondProcess: 'fences', canDie: true, canDamage: true } as const;
      for (const { name, run } of storageConformance(subject)) test(name, run, patienceMs);
    });
  },
  { own: true },
);
