/** The NATS transport against the conformance suite, on both client generations and on the two together. */
import { transportConformance } from '@quorate/core/adapter';
import { natsBroker } from '../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../test/support/brokers.ts';
import { natsTransport } from '../src/index.ts';
import { generations } from './clients.ts';
import type { ClientGeneration } from './clients.ts';

const suites = [
  ...generations.map((generation) => ({ name: generation.name, clients: [generation] })),
  { name: 'both generations in one group', clients: generations },
];

describeWithNats(
  'the NATS transport',
  () => {
    let broker: NatsBroker;
    beforeAll(async () => {
      broker = await natsBroker({ own: true });
    });
    afterAll(() => broker.close());

    for (const { name, clients } of suites) {
      describe(name, () => {
        let connections = 0;
        const connect = () => connectBy(clients[connections++ % clients.length]!);
        // The server is killed, not asked to leave: no client hears a word of it.
        const interruption = { begin: () => broker.kill(), end: () => broker.start() };
        for (const { name, run } of transportConformance({ connect, interruption, canCloseConnection: true })) test(name, run);
      });
    }

    async function connectBy(generation: ClientGeneration) {
      const connection = await generation.connect({ servers: broker.url });
      return { transport: natsTransport(connection), check: () => connection.flush(), close: () => connection.close() };
    }
  },
  { own: true },
);
