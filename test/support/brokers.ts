/** Suites that need a real broker: they run where one can be had, and elsewhere say loudly why they did not. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { explain } from '../../scripts/brokers/availability.ts';
import type { Availability } from '../../scripts/brokers/availability.ts';
import type { SharedBroker } from '../../scripts/test/broker-host.ts';

/** The shared nats-server of this run. It may be read in tests and hooks only: a suite is declared before anything runs. */
export interface SharedNats {
  readonly url: string;
  readonly urls: readonly string[];
  readonly version: string;
}

/** The shared Kafka broker of this run; as `SharedNats`. */
export interface SharedKafka {
  readonly brokers: string[];
  readonly version: string;
}

export interface SuiteOptions {
  /**
   * The suite starts brokers of its own (`natsBroker`, `kafkaBroker`), so none is shared with it. `true`: it starts, stops and kills
   * single ones, as docker can too. `'process'`: it configures them, wants three, or reads a process id, as only a process of this
   * machine gives.
   */
  readonly own?: boolean | 'process';
}

const root = resolve(__dirname, '..', '..');
/** Building a server or pulling an image the first time is slow. */
const findTimeoutMs = 15 * 60_000;
const startTimeoutMs = 5 * 60_000;

export function describeWithNats(name: string, suite: (nats: SharedNats) => void, options: SuiteOptions = {}): void {
  describeWith('nats', 'NATS', name, options, (shared) =>
    suite({
      get url() {
        return shared().addresses[0] ?? '';
      },
      get urls() {
        return shared().addresses;
      },
      get version() {
        return shared().version;
      },
    }),
  );
}

export function describeWithKafka(name: string, suite: (kafka: SharedKafka) => void, options: SuiteOptions = {}): void {
  describeWith('kafka', 'Kafka', name, options, (shared) =>
    suite({
      get brokers() {
        return [...shared().addresses];
      },
      get version() {
        return shared().version;
      },
    }),
  );
}

type Service = 'nats' | 'kafka';

function describeWith(
  service: Service,
  title: string,
  name: string,
  options: SuiteOptions,
  suite: (shared: () => SharedBroker) => void,
): void {
  const own = options.own ?? false;
  const availability = find(service, own);
  const required = process.env['QUORATE_REQUIRE_BROKERS'] === '1';
  if (!availability.available && !required) {
    process.stderr.write(`\n*** SKIPPED: ${name}\n${explain(title, availability)}\n`);
    describe.skip(name, () => suite(notStarted));
    return;
  }
  describe(name, () => {
    let shared: SharedBroker | undefined;
    beforeAll(async () => {
      if (!availability.available) throw new Error(`${explain(title, availability)}\nQUORATE_REQUIRE_BROKERS=1 makes this a failure.`);
      if (!own) shared = await askHost(service);
    }, startTimeoutMs);
    suite(() => shared ?? notStarted());
  });
}

function notStarted(): never {
  throw new Error('the address of a shared broker can be read in tests and hooks only, and not in a suite of { own: true }');
}

async function askHost(service: Service): Promise<SharedBroker> {
  const host = process.env['QUORATE_TEST_HOST'];
  if (!host) throw new Error('QUORATE_TEST_HOST is not set: run jest with the project’s jest.config.js');
  const response = await fetch(`${host}/${service}`);
  const body = (await response.json()) as SharedBroker & { readonly error?: string };
  if (!response.ok) throw new Error(body.error ?? `the broker host answered ${response.status}`);
  return body;
}

/** A suite cannot await before it is declared, so the search runs in a process of its own; a run searches once. */
function find(service: Service, own: boolean | 'process'): Availability {
  const folder = process.env['QUORATE_TEST_FOLDER'];
  const kind = own === 'process' ? own : own ? 'own' : 'any';
  const file = folder ? join(folder, `${service}.${kind}.found.json`) : undefined;
  if (file && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Availability;
  const args = ['-C', 'quorate-source', '-r', 'ts-node/register', 'scripts/brokers/find.ts', service, kind];
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: findTimeoutMs });
  if (file) {
    // The other worker may be looking at the same moment: it finds the whole file or none.
    writeFileSync(`${file}.${process.pid}`, printed);
    renameSync(`${file}.${process.pid}`, file);
  }
  return JSON.parse(printed) as Availability;
}
