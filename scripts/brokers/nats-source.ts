/** Where a nats-server can be had: an address, the PATH, docker, or the Go module proxy. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findFirst } from './availability.ts';
import type { Availability, BrokerNeeds, Found, Source } from './availability.ts';
import { cachedFolder } from './cache.ts';
import { findOnPath, runCommand } from './command.ts';
import { dockerSource } from './docker.ts';
import type { DockerFound } from './docker.ts';
import { greeting } from './ports.ts';

export const natsServerVersion = '2.15.2';
const goModule = 'github.com/nats-io/nats-server/v2';
const fetchTimeoutMs = 10 * 60_000;

export interface NatsAddress extends Found {
  readonly source: 'address';
  readonly urls: readonly string[];
}
export interface NatsBinary extends Found {
  readonly source: 'path' | 'fetched';
  readonly binary: string;
}
export type NatsFound = NatsAddress | NatsBinary | DockerFound;

export function findNats(needs: BrokerNeeds = {}): Promise<NatsFound | Extract<Availability, { available: false }>> {
  const sources: Source<NatsFound>[] = [];
  const url = process.env['QUORATE_NATS_URL'];
  if (url && !needs.own && needs.cluster !== 3) sources.push({ name: 'address', decisive: true, find: () => fromAddress(url) });
  sources.push({ name: 'path', find: fromPath });
  sources.push(dockerSource('nats', needs));
  sources.push({ name: 'fetched', find: () => fetched(needs) });
  return findFirst(sources);
}

async function fromAddress(addresses: string): Promise<NatsAddress> {
  const urls = addresses.split(',').map((address) => (address.includes('://') ? address.trim() : `nats://${address.trim()}`));
  const greetings = urls.map((url) => {
    const { hostname, port } = new URL(url);
    return greeting(hostname, Number(port || 4222), { timeoutMs: 5_000 });
  });
  const line = await Promise.any(greetings).catch((error: AggregateError) => {
    throw new Error(`QUORATE_NATS_URL is set, but ${error.errors.map((one: Error) => one.message).join('; ')}`);
  });
  return { available: true, source: 'address', detail: addresses, version: versionInGreeting(line), urls };
}

/** A server says `INFO {json}` to whoever connects. */
function versionInGreeting(line: string): string {
  const info = JSON.parse(line.slice(line.indexOf('{'))) as { version?: string };
  return info.version ?? 'unknown';
}

async function fromPath(): Promise<NatsBinary> {
  const binary = findOnPath('nats-server');
  if (!binary) throw new Error('no nats-server on the PATH');
  return { available: true, source: 'path', detail: binary, version: await versionOf(binary), binary };
}

async function fetched(needs: BrokerNeeds): Promise<NatsBinary> {
  const folder = await cachedFolder(`nats-server-${natsServerVersion}`, async (target) => {
    if (needs.fetch === false) throw new Error('not fetched yet');
    const go = findOnPath('go');
    if (!go) throw new Error('`go` is not on the PATH, so nats-server cannot be built');
    const bin = join(target, 'bin');
    mkdirSync(bin);
    await runCommand(go, ['install', `${goModule}@v${natsServerVersion}`], {
      env: { GOBIN: bin, GO111MODULE: 'on' },
      timeoutMs: fetchTimeoutMs,
    });
  });
  const binary = join(folder, 'bin', 'nats-server');
  return { available: true, source: 'fetched', detail: binary, version: await versionOf(binary), binary };
}

async function versionOf(binary: string): Promise<string> {
  const line = await runCommand(binary, ['--version'], { timeoutMs: 10_000 });
  return /v?(\d+\.\d+\.\d+\S*)/.exec(line)?.[1] ?? 'unknown';
}
