/** Real nats-servers with JetStream on free ports of 127.0.0.1, one or a cluster of three. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from './availability.ts';
import type { BrokerNeeds } from './availability.ts';
import { brokerOf, foreignMember, keeperFor, serverMember, startAll } from './broker.ts';
import type { Broker } from './broker.ts';
import { startDocker } from './docker.ts';
import { findNats } from './nats-source.ts';
import type { NatsAddress, NatsBinary } from './nats-source.ts';
import { freePorts, greeting } from './ports.ts';
import { Server } from './server.ts';

export interface NatsBrokerOptions extends BrokerNeeds {
  /** More lines for the configuration file of each server: `max_payload: 1024`, an `authorization` block, … */
  readonly config?: string;
  /** The folder for data and logs of servers that stay when this process ends; without it they end with us. */
  readonly background?: string;
}

export interface NatsBroker extends Broker {
  /** Of the first member. */
  readonly url: string;
  /** Of every member: what a client of a cluster is given. */
  readonly urls: readonly string[];
}

const readyTimeoutMs = 20_000;

export async function natsBroker(options: NatsBrokerOptions = {}): Promise<NatsBroker> {
  const found = await findNats({ ...options, own: options.config === undefined ? options.own : 'process' });
  if (!found.available) throw new Error(explain('NATS', found));
  if (found.source === 'address') return existing(found);
  if (found.source === 'docker') return withUrls(await startDocker('nats', options));
  return withUrls(await startServers(found, options));
}

/** The URLs stay as they were given: they may carry a user and a password, which `natsLogin` gives to a client. */
function existing({ urls, version }: NatsAddress): NatsBroker {
  const members = urls.map((url) => foreignMember(new URL(url).host, 'QUORATE_NATS_URL'));
  const broker = brokerOf({ source: 'address', version, members, dataDir: '', close: () => Promise.resolve() });
  return Object.assign(broker, { url: urls[0] ?? '', urls });
}

function withUrls(broker: Broker): NatsBroker {
  const urls = broker.members.map((member) => `nats://${member.address}`);
  return Object.assign(broker, { url: urls[0] ?? '', urls });
}

interface Ports {
  readonly client: number;
  readonly route: number;
  readonly monitor: number;
}

async function startServers(found: NatsBinary, options: NatsBrokerOptions): Promise<Broker> {
  const size = options.cluster ?? 1;
  const dataDir = options.background ?? mkdtempSync(join(tmpdir(), 'quorate-nats-'));
  mkdirSync(dataDir, { recursive: true });
  const numbers = await freePorts(size * 3);
  const all = Array.from({ length: size }, (_, index): Ports => {
    const [client = 0, route = 0, monitor = 0] = numbers.slice(index * 3);
    return { client, route, monitor };
  });
  const keeper = keeperFor(dataDir, options.background !== undefined);
  const servers = all.map((ports, index) => {
    const folder = join(dataDir, `n${index + 1}`);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'server.conf');
    writeFileSync(file, configuration(index, all, folder, options.config));
    const logFile = join(folder, 'server.log');
    return new Server({ command: found.binary, args: ['-c', file], logFile, probe: () => serves(ports), readyTimeoutMs, keeper });
  });
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await keeper?.finish();
  };
  await startAll(servers).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const members = servers.map((server, index) => serverMember(`127.0.0.1:${all[index]?.client}`, server));
  return brokerOf({ source: found.source, version: found.version, members, dataDir, close });
}

function configuration(index: number, all: readonly Ports[], folder: string, extra = ''): string {
  const ports = all[index];
  if (!ports) throw new Error(`no ports for server ${index}`);
  const lines = [
    `server_name: n${index + 1}`,
    `listen: "127.0.0.1:${ports.client}"`,
    `http: "127.0.0.1:${ports.monitor}"`,
    `jetstream { store_dir: ${JSON.stringify(folder)} }`,
  ];
  if (all.length > 1) {
    const routes = all.map((one) => `"nats://127.0.0.1:${one.route}"`).join(', ');
    lines.push(`cluster { name: quorate, listen: "127.0.0.1:${ports.route}", routes: [${routes}] }`);
  }
  return [...lines, extra, ''].join('\n');
}

/** Clients are greeted, and JetStream is up: in a cluster that means its own leader is elected. */
async function serves(ports: Ports): Promise<void> {
  await greeting('127.0.0.1', ports.client, { timeoutMs: 1_000 });
  const response = await fetch(`http://127.0.0.1:${ports.monitor}/healthz`, { signal: AbortSignal.timeout(1_000) });
  if (!response.ok) throw new Error(`health check answered ${response.status}`);
}
