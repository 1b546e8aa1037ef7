/** Real Kafka brokers in KRaft mode on free ports of 127.0.0.1, one or a cluster of three. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { explain } from './availability.ts';
import type { BrokerNeeds } from './availability.ts';
import { brokerOf, foreignMember, keeperFor, serverMember, startAll } from './broker.ts';
import type { Broker } from './broker.ts';
import { runCommand } from './command.ts';
import { startDocker } from './docker.ts';
import { findKafka } from './kafka-source.ts';
import type { KafkaPrograms } from './kafka-source.ts';
import { freePorts, greeting } from './ports.ts';
import { Server } from './server.ts';

export interface KafkaBrokerOptions extends BrokerNeeds {
  /** 0 unless said, so that a test's consumer groups form at once; 3000 is what users have. */
  readonly groupInitialRebalanceDelayMs?: number;
  /** More lines for each properties file: `message.max.bytes`, … */
  readonly properties?: Readonly<Record<string, string>>;
  /** The folder for data and logs of servers that stay when this process ends; without it they end with us. */
  readonly background?: string;
}

export interface KafkaBroker extends Broker {
  /** `host:port` of every member: what a client is given. */
  readonly brokers: string[];
}

const readyTimeoutMs = 60_000;
const formatTimeoutMs = 60_000;

export async function kafkaBroker(options: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const found = await findKafka({ ...options, own: ownOf(options) });
  if (!found.available) throw new Error(explain('Kafka', found));
  if (found.source === 'address') return withBrokers(existing(found.brokers, found.version));
  if (found.source === 'docker') {
    const env = { QUORATE_KAFKA_REBALANCE_DELAY_MS: String(options.groupInitialRebalanceDelayMs ?? 0) };
    return withBrokers(await startDocker('kafka', { ...options, env }));
  }
  return withBrokers(await startServers(found, options));
}

/** The rebalance delay is the one setting that compose.yaml takes. */
function ownOf({ own, properties, groupInitialRebalanceDelayMs }: KafkaBrokerOptions): BrokerNeeds['own'] {
  if (properties !== undefined) return 'process';
  return own ?? groupInitialRebalanceDelayMs !== undefined;
}

function existing(brokers: readonly string[], version: string): Broker {
  const members = brokers.map((address) => foreignMember(address, 'QUORATE_KAFKA_BROKERS'));
  return brokerOf({ source: 'address', version, members, dataDir: '', close: () => Promise.resolve() });
}

function withBrokers(broker: Broker): KafkaBroker {
  return Object.assign(broker, { brokers: broker.members.map((member) => member.address) });
}

interface Ports {
  readonly client: number;
  readonly controller: number;
}

async function startServers(found: KafkaPrograms, options: KafkaBrokerOptions): Promise<Broker> {
  const size = options.cluster ?? 1;
  const dataDir = options.background ?? mkdtempSync(join(tmpdir(), 'quorate-kafka-'));
  const numbers = await freePorts(size * 2);
  const all = Array.from({ length: size }, (_, index): Ports => {
    const [client = 0, controller = 0] = numbers.slice(index * 2);
    return { client, controller };
  });
  const keeper = keeperFor(dataDir, options.background !== undefined);
  const clusterId = newClusterId();
  const files = await Promise.all(all.map((_, index) => format(found, { index, all, dataDir, clusterId, options })));
  const servers = files.map((file, index) => {
    const [command, ...args] = found.server;
    const folder = join(dataDir, `k${index + 1}`);
    return new Server({
      command,
      args: [...args, file],
      // For the scripts on a PATH; java itself takes its flags as arguments.
      env: { KAFKA_HEAP_OPTS: '-Xmx384m', LOG_DIR: join(folder, 'logs') },
      logFile: join(folder, 'server.log'),
      probe: () => serves(all[index]?.client ?? 0, { nodeId: index + 1, size }),
      readyTimeoutMs,
      keeper,
    });
  });
  const close = async (): Promise<void> => {
    // Their data goes away with them, so there is nothing to wait for in an orderly shutdown.
    await Promise.all(servers.map((server) => server.kill()));
    await keeper?.finish();
  };
  await startAll(servers).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const members = servers.map((server, index) => serverMember(`127.0.0.1:${all[index]?.client}`, server));
  return brokerOf({ source: found.source, version: found.version, members, dataDir, close });
}

interface Format {
  readonly index: number;
  readonly all: readonly Ports[];
  readonly dataDir: string;
  readonly clusterId: string;
  readonly options: KafkaBrokerOptions;
}

/** Writes one server's properties and gives its folder the cluster's identity, as KRaft wants before the first start. */
async function format(found: KafkaPrograms, of: Format): Promise<string> {
  const folder = join(of.dataDir, `k${of.index + 1}`);
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const file = join(folder, 'server.properties');
  writeFileSync(file, properties(of, join(folder, 'data')));
  const [command, ...args] = found.storage;
  const env = { LOG_DIR: join(folder, 'logs') };
  await runCommand(command, [...args, 'format', '-t', of.clusterId, '-c', file], { env, timeoutMs: formatTimeoutMs });
  return file;
}

function properties({ index, all, options }: Format, logDir: string): string {
  const ports = all[index];
  if (!ports) throw new Error(`no ports for server ${index}`);
  const clustered = all.length > 1;
  const replicas = clustered ? '3' : '1';
  const inSync = clustered ? '2' : '1';
  const lines: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    'controller.quorum.voters': all.map((one, at) => `${at + 1}@127.0.0.1:${one.controller}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.client}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logDir,
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': String(options.groupInitialRebalanceDelayMs ?? 0),
    'auto.create.topics.enable': 'false',
    ...(clustered ? { 'min.insync.replicas': '2', 'default.replication.factor': '3' } : {}),
    ...options.properties,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** 16 bytes as Kafka writes them; one that began with a dash would be read as an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** The broker answers, knows a controller and itself, and, when it starts with others, sees a majority. */
async function serves(port: number, { nodeId, size }: { readonly nodeId: number; readonly size: number }): Promise<void> {
  await greeting('127.0.0.1', port, { timeoutMs: 1_000, silent: true });
  const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 }, requestTimeout: 2_000 });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    if (controller === null || controller < 0) throw new Error('no controller is elected yet');
    if (!brokers.some((broker) => broker.nodeId === nodeId)) throw new Error(`broker ${nodeId} is not registered yet`);
    if (brokers.length <= size / 2) throw new Error(`only ${brokers.length} of ${size} brokers are registered`);
  } finally {
    await admin.disconnect();
  }
}
