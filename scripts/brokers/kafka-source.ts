/** Where a Kafka broker can be had: addresses, the PATH, docker, or Maven Central. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFirst } from './availability.ts';
import type { Availability, BrokerNeeds, Found, Source } from './availability.ts';
import { cachedFolder } from './cache.ts';
import { findIn, findOnPath, runCommand } from './command.ts';
import { dockerSource } from './docker.ts';
import type { DockerFound } from './docker.ts';
import { greeting } from './ports.ts';

export const kafkaVersion = '4.1.0';
/** Kafka logs through SLF4J and dies at start without something behind it. */
const log4jVersion = '2.24.3';
const fetchTimeoutMs = 10 * 60_000;

export interface KafkaAddresses extends Found {
  readonly source: 'address';
  readonly brokers: readonly string[];
}

/** How to run its two programs; each takes the path of a properties file last. */
export interface KafkaPrograms extends Found {
  readonly source: 'path' | 'fetched';
  readonly server: readonly [command: string, ...args: string[]];
  readonly storage: readonly [command: string, ...args: string[]];
}
export type KafkaFound = KafkaAddresses | KafkaPrograms | DockerFound;

export function findKafka(needs: BrokerNeeds = {}): Promise<KafkaFound | Extract<Availability, { available: false }>> {
  const sources: Source<KafkaFound>[] = [];
  const addresses = process.env['QUORATE_KAFKA_BROKERS'];
  if (addresses && !needs.own && needs.cluster !== 3)
    sources.push({ name: 'address', decisive: true, find: () => fromAddresses(addresses) });
  sources.push({ name: 'path', find: fromPath });
  sources.push(dockerSource('kafka', needs));
  sources.push({ name: 'fetched', find: () => fetched(needs) });
  return findFirst(sources);
}

async function fromAddresses(addresses: string): Promise<KafkaAddresses> {
  const brokers = addresses
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const reached = brokers.map(async (address) => {
    const { hostname, port } = new URL(`kafka://${address}`);
    await greeting(hostname, Number(port || 9092), { timeoutMs: 5_000, silent: true });
  });
  await Promise.any(reached).catch((error: AggregateError) => {
    throw new Error(`QUORATE_KAFKA_BROKERS is set, but ${error.errors.map((one: Error) => one.message).join('; ')}`);
  });
  return { available: true, source: 'address', detail: addresses, version: 'unknown', brokers };
}

async function fromPath(): Promise<KafkaPrograms> {
  const server = findOnPath('kafka-server-start', 'kafka-server-start.sh');
  const storage = findOnPath('kafka-storage', 'kafka-storage.sh');
  if (!server || !storage) throw new Error('no kafka-server-start and kafka-storage (nor with .sh) on the PATH');
  const said = await runCommand(server, ['--version'], { timeoutMs: 30_000 });
  const version = /\d+\.\d+\.\d+/.exec(said)?.[0] ?? 'unknown';
  return { available: true, source: 'path', detail: server, version, server: [server], storage: [storage] };
}

async function fetched(needs: BrokerNeeds): Promise<KafkaPrograms> {
  const java = findJava();
  await runCommand(java, ['-version'], { timeoutMs: 30_000 });
  const libs = await cachedFolder(`kafka-${kafkaVersion}`, async (folder) => {
    if (needs.fetch === false) throw new Error('not fetched yet');
    const maven = findOnPath('mvn');
    if (!maven) throw new Error('`mvn` is not on the PATH, so Kafka cannot be fetched');
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, projectFile());
    mkdirSync(join(folder, 'libs'));
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'libs')}`];
    await runCommand(maven, args, { cwd: folder, timeoutMs: fetchTimeoutMs });
  });
  const classPath = ['-cp', `${join(libs, 'libs')}/*`];
  // Small and quick to start: a test's broker lives for seconds.
  const flags = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return {
    available: true,
    source: 'fetched',
    detail: libs,
    version: kafkaVersion,
    server: [java, ...flags, ...classPath, 'kafka.Kafka'],
    storage: [java, ...flags, ...classPath, 'kafka.tools.StorageTool'],
  };
}

function findJava(): string {
  const home = process.env['JAVA_HOME'];
  const java = (home ? findIn([join(home, 'bin')], 'java') : undefined) ?? findOnPath('java');
  if (!java) throw new Error('no java on the PATH or in JAVA_HOME');
  return java;
}

function projectFile(): string {
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    '<modelVersion>4.0.0</modelVersion>',
    '<groupId>quorate</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>',
    '<dependencies>',
    dependency('org.apache.kafka', 'kafka_2.13', kafkaVersion),
    dependency('org.apache.logging.log4j', 'log4j-core', log4jVersion),
    dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', log4jVersion),
    '</dependencies>',
    '</project>',
    '',
  ].join('\n');
}
