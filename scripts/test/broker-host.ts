/** The one NATS and the one Kafka of a jest run: started when the first suite asks, used by all, gone with the run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaBroker, natsBroker } from '../brokers/index.ts';
import type { Broker } from '../brokers/index.ts';

/** What a suite is told about a shared broker. */
export interface SharedBroker {
  readonly source: string;
  readonly version: string;
  readonly addresses: readonly string[];
}

export interface BrokerHost {
  readonly url: string;
  /** Where suites note what they found, for each other and for the closing report. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Workers are processes that come and go, so the brokers belong to the process that leads the run and is asked over HTTP. */
export async function startBrokerHost(): Promise<BrokerHost> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-run-'));
  const started = new Map<string, Promise<Broker>>();
  const answer = async (service: string): Promise<SharedBroker> => {
    const broker = started.get(service) ?? (service === 'nats' ? natsBroker() : kafkaBroker());
    started.set(service, broker);
    const { source, version } = await broker;
    const urls = (broker as Promise<{ urls?: readonly string[]; brokers?: readonly string[] }>).then(
      (one) => one.urls ?? one.brokers ?? [],
    );
    const shared = { source, version, addresses: await urls };
    writeFileSync(join(folder, `${service}.used.json`), JSON.stringify(shared));
    return shared;
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const end = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answer((request.url ?? '').slice(1)).then(
      (shared) => end(200, shared),
      (error: unknown) => end(503, { error: error instanceof Error ? error.message : String(error) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Whoever forgets to close it must not hang for it.
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.allSettled([...started.values()].map(async (broker) => (await broker).close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
