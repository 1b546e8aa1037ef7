/** `pnpm brokers up|down|status [nats] [kafka] [--cluster 3] [--json]`: real brokers that stay up until they are told to go. */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { findKafka } from './kafka-source.ts';
import { kafkaBroker } from './kafka.ts';
import { findNats } from './nats-source.ts';
import { natsBroker } from './nats.ts';
import type { Broker } from './broker.ts';
import type { ServiceName } from './docker.ts';
import { aliveCount, dataFolder, endBroker, readState, writeState } from './state.ts';
import type { Running, RunningBroker } from './state.ts';

const services: readonly ServiceName[] = ['nats', 'kafka'];
const usage = 'usage: brokers up|down|status [nats] [kafka] [--cluster 3] [--json]';

interface Request {
  readonly services: readonly ServiceName[];
  readonly cluster: 1 | 3;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, cluster: { type: 'string', default: '1' } },
  });
  const [verb = '', ...names] = positionals;
  if (values.cluster !== '1' && values.cluster !== '3') throw new Error(`--cluster is 1 or 3\n${usage}`);
  const chosen = services.filter((service) => names.length === 0 || names.includes(service));
  if (names.some((name) => !services.some((service) => service === name))) throw new Error(usage);
  const request: Request = { services: chosen, cluster: values.cluster === '3' ? 3 : 1 };
  const say = (text: string): void => console.log(text);
  const running = await act(verb, request, say);
  for (const line of exportLines(running)) say(line);
  if (values.json) printJson({ ok: true, command: `brokers ${verb}`, env: environmentOf(running), ...running });
}

async function act(verb: string, request: Request, say: (text: string) => void): Promise<Running> {
  switch (verb) {
    case 'up':
      return up(request, say);
    case 'down':
      return down(request, say);
    case 'status':
      return status(request, say);
    default:
      throw new Error(usage);
  }
}

async function up(request: Request, say: (text: string) => void): Promise<Running> {
  const running: Running = withoutTheDead(readState());
  for (const service of request.services) {
    const before = running[service];
    if (before) say(`${service}: already up at ${before.addresses.join(', ')}`);
    else {
      running[service] = recordOf(await start(service, request.cluster));
      say(`${service}: ${describe(running[service])}`);
    }
    writeState(running);
  }
  return running;
}

function start(service: ServiceName, cluster: 1 | 3): Promise<Broker> {
  const background = dataFolder(service);
  rmSync(background, { recursive: true, force: true });
  return service === 'nats' ? natsBroker({ cluster, background }) : kafkaBroker({ cluster, background });
}

async function down(request: Request, say: (text: string) => void): Promise<Running> {
  const running = { ...readState() };
  for (const service of request.services) {
    const broker = running[service];
    if (broker) await endBroker(service, broker);
    say(`${service}: ${broker ? 'stopped' : 'was not up'}`);
    delete running[service];
    writeState(running);
  }
  return running;
}

/** Looks, and fetches nothing: where a broker would come from is told only as far as that is known without. */
async function status(request: Request, say: (text: string) => void): Promise<Running> {
  const state = readState();
  const running = withoutTheDead(state);
  for (const service of request.services) {
    const broker = running[service];
    if (broker) say(`${service}: ${describe(broker)}`);
    else if (state[service]) say(`${service}: is recorded as up, but its process is gone; \`pnpm brokers up ${service}\` starts it again`);
    else say(`${service}: not up; ${await origin(service)}`);
  }
  return running;
}

async function origin(service: ServiceName): Promise<string> {
  const needs = { fetch: false };
  const found = service === 'nats' ? await findNats(needs) : await findKafka(needs);
  if (found.available) return `would come from ${found.source} (${found.detail}, version ${found.version})`;
  return `would be fetched, because: ${found.reasons.join('; ')}`;
}

function withoutTheDead(state: Running): Running {
  return Object.fromEntries(Object.entries(state).filter(([, broker]) => aliveCount(broker) > 0));
}

function recordOf(broker: Broker): RunningBroker {
  const addresses = broker.members.map((member) => member.address);
  return { source: broker.source, version: broker.version, addresses, pids: broker.pids, dataDir: broker.dataDir };
}

function describe(broker: RunningBroker): string {
  const alive = aliveCount(broker);
  const part = alive < broker.addresses.length ? `, ${alive} of ${broker.addresses.length} servers alive` : '';
  const pids = broker.pids.length > 0 ? `, pid ${broker.pids.join(', ')}` : '';
  return `${broker.version} (${broker.source}) at ${broker.addresses.join(', ')}${pids}${part}`;
}

function environmentOf(running: Running): Record<string, string> {
  const env: Record<string, string> = {};
  if (running.nats) env['QUORATE_NATS_URL'] = running.nats.addresses.map((address) => `nats://${address}`).join(',');
  if (running.kafka) env['QUORATE_KAFKA_BROKERS'] = running.kafka.addresses.join(',');
  return env;
}

function exportLines(running: Running): string[] {
  return Object.entries(environmentOf(running)).map(([name, value]) => `export ${name}=${value}`);
}

program(main);
