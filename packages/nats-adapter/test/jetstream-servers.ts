/** Tests of what is kept in JetStream: on both client generations, and on three servers. */
import { natsBroker } from '../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../scripts/brokers/index.ts';
import { streamClients } from './consumer/stream-world.ts';
import type { StreamConnection } from './consumer/stream-world.ts';

export const patienceMs = 120_000;
const settings = [
  ...streamClients.map(({ client, connect }) => ({ client, connect, servers: 1 as const })),
  ...streamClients.slice(0, 1).map(({ client, connect }) => ({ client, connect, servers: 3 as const })),
];

/** `connected` gives the connection of the setting once its servers run, so it is for the inside of a test. */
export function describeOnServers(tests: (connected: () => StreamConnection, servers: 1 | 3) => void): void {
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

    tests(() => connection, servers);
  });
}
