/** A soak: three voters under all the lock traffic that they can bear, for as long as is asked, and what they keep meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { memoryTransport } from '@quorate/core';
import { freshGroup } from '../bench/workers.ts';
import { kafkaBroker, natsBroker } from '../brokers/index.ts';
import type { Carrier } from '../processes/carrier.ts';
import { ChildProcess } from '../processes/child-process.ts';
import type { Keeping } from '../processes/keeping.ts';
import { SoakNode } from './soak-node.ts';
import type { Traffic } from './soak-node.ts';
import { folderBytes } from './store-size.ts';
import type { Courses, Sample } from './verdict.ts';
import { coursesOf, isFlat } from './verdict.ts';
import type { SoakCommands } from './worker-program.ts';

export const brokers = ['nats', 'kafka', 'memory'] as const;
export const stores = ['memory', 'lmdb', 'jetstream', 'kafka'] as const;

export interface SoakOptions {
  readonly broker: (typeof brokers)[number];
  readonly storage: (typeof stores)[number];
  readonly seconds: number;
  /** Loops of each voter. */
  readonly loops: number;
  readonly slotsKept?: number | undefined;
  readonly onProgress: (text: string) => void;
}

export interface SoakResult {
  /** Nothing failed, nothing grew, and the log had been filled before that was looked at. */
  readonly flat: boolean;
  /** False where no voter had forgotten any of its log in as much time again: then it was still growing to what it keeps. */
  readonly settled: boolean;
  readonly broker: string;
  readonly storage: string;
  readonly processes: number;
  readonly seconds: number;
  readonly cycles: number;
  readonly cyclesPerSecond: number;
  /** Slots chosen while it was looked at. */
  readonly slotsChosen: number;
  /** Of each voter. */
  readonly samples: number;
  readonly voters: Readonly<Record<string, Courses>>;
  readonly failures: readonly string[];
}

const voters = ['v1', 'v2', 'v3'];
const samplesWanted = 60;
const sampleEveryMsMin = 1_000;
/** Code is compiled, and caches grow to their size: not the growth that is looked for. At least this part of the time, and at most all of it. */
const warmUpPart = 0.1;

/** A voter, wherever it is. */
interface Soaked {
  start(loops: number): Promise<void>;
  sample(storeBytes: number | null): Promise<Sample>;
  cyclesSoFar(): Promise<number>;
  stop(): Promise<Traffic>;
  leave(): Promise<void>;
}

interface Stage {
  readonly processes: number;
  readonly members: ReadonlyMap<string, Soaked>;
  /** Null where there is no store, or none on this machine. */
  storeBytes(voter: string): number | null;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { broker, storage } = options;
  if ((storage === 'jetstream' && broker !== 'nats') || (storage === 'kafka' && broker !== 'kafka')) {
    throw new Error(`--storage ${storage} lies in the broker of --broker ${storage === 'kafka' ? 'kafka' : 'nats'}`);
  }
  const folder = storage === 'lmdb' ? mkdtempSync(join(tmpdir(), 'quorate-soak-')) : undefined;
  try {
    return await (broker === 'memory' ? inOneProcess(options, folder) : inProcesses(options, broker, folder));
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function inProcesses(options: SoakOptions, name: 'nats' | 'kafka', folder: string | undefined): Promise<SoakResult> {
  const { storage, slotsKept } = options;
  const broker = name === 'nats' ? await natsBroker() : await kafkaBroker();
  const carrier: Carrier = 'urls' in broker ? { type: 'nats', urls: broker.urls } : { type: 'kafka', brokers: broker.brokers };
  const children = new Map<string, ChildProcess<SoakCommands>>();
  try {
    const program = join(__dirname, 'worker-program.ts');
    for (const voter of voters) children.set(voter, await ChildProcess.start<SoakCommands>({ program, name: voter }));
    const group = freshGroup('soak');
    const keeping = keepingOf(storage, carrier, folder);
    await Promise.all([...children].map(([node, child]) => child.request('join', { carrier, group, node, voters, keeping, slotsKept })));
    const members = new Map([...children].map(([node, child]) => [node, overIpc(child)]));
    const ofBroker = storage === 'jetstream' || storage === 'kafka' ? broker.dataDir : '';
    const storeBytes = (voter: string): number | null => {
      if (folder !== undefined) return folderBytes(join(folder, voter));
      return ofBroker === '' ? null : folderBytes(ofBroker);
    };
    return await run(options, { processes: children.size, members, storeBytes });
  } finally {
    await Promise.all([...children.values()].map((child) => child.end()));
    await broker.close();
  }
}

async function inOneProcess(options: SoakOptions, folder: string | undefined): Promise<SoakResult> {
  const transport = memoryTransport();
  const group = freshGroup('soak');
  const keeping: Keeping | undefined = folder === undefined ? undefined : { type: 'lmdb', folder };
  const { slotsKept } = options;
  const opened = await Promise.all(voters.map((node) => SoakNode.open(transport, { group, node, voters, keeping, slotsKept })));
  const members = new Map(opened.map((node, index) => [voters[index] ?? '', here(node)]));
  const storeBytes = (voter: string): number | null => (folder === undefined ? null : folderBytes(join(folder, voter)));
  return run(options, { processes: 1, members, storeBytes });
}

async function run({ broker, storage, seconds, loops, onProgress }: SoakOptions, stage: Stage): Promise<SoakResult> {
  const members = [...stage.members];
  const samples = new Map(members.map(([voter]) => [voter, [] as Sample[]]));
  await Promise.all(members.map(([, member]) => member.start(loops)));
  const settled = await warmedUp(stage, seconds * 1_000);
  const everyMs = Math.max(sampleEveryMsMin, (seconds * 1_000) / samplesWanted);
  const beganMs = performance.now();
  const cyclesBefore = await cyclesOf(stage);
  for (let count = 0; count * everyMs <= seconds * 1_000; count += 1) {
    await delay(Math.max(0, beganMs + count * everyMs - performance.now()));
    for (const [voter, member] of members) samples.get(voter)?.push(await member.sample(stage.storeBytes(voter)));
    const [newest] = [...samples.values()].map((all) => all.at(-1));
    if (newest) onProgress(progress(performance.now() - beganMs, newest));
  }
  const tookMs = performance.now() - beganMs;
  const cycles = (await cyclesOf(stage)) - cyclesBefore;
  const traffic = await Promise.all(members.map(([, member]) => member.stop()));
  await Promise.all(members.map(([, member]) => member.leave()));
  const courses = Object.fromEntries([...samples].map(([voter, all]) => [voter, coursesOf(all)]));
  const failures = traffic.flatMap((one) => one.failures);
  const [first = []] = samples.values();
  return {
    flat: settled && failures.length === 0 && Object.values(courses).every(isFlat),
    settled,
    broker,
    storage,
    processes: stage.processes,
    seconds,
    cycles,
    cyclesPerSecond: Math.round(cycles / (tookMs / 1_000)),
    slotsChosen: (first.at(-1)?.chosenIndex ?? 0) - (first[0]?.chosenIndex ?? 0),
    samples: first.length,
    voters: courses,
    failures,
  };
}

/** Until each voter has forgotten some of its log, which is full from there on; false where that did not come in time. */
async function warmedUp({ members }: Stage, mostMs: number): Promise<boolean> {
  const beganMs = performance.now();
  await delay(mostMs * warmUpPart);
  for (;;) {
    const samples = await Promise.all([...members.values()].map((member) => member.sample(null)));
    if (samples.every(({ floor }) => floor > 0)) return true;
    if (performance.now() - beganMs > mostMs) return false;
    await delay(sampleEveryMsMin);
  }
}

async function cyclesOf({ members }: Stage): Promise<number> {
  const all = await Promise.all([...members.values()].map((member) => member.cyclesSoFar()));
  return all.reduce((sum, cycles) => sum + cycles, 0);
}

function keepingOf(storage: SoakOptions['storage'], carrier: Carrier, folder: string | undefined): Keeping | undefined {
  if (folder !== undefined) return { type: 'lmdb', folder };
  if (storage === 'jetstream' && carrier.type === 'nats') return { type: 'jetstream', urls: carrier.urls };
  return storage === 'kafka' && carrier.type === 'kafka' ? carrier : undefined;
}

function overIpc(child: ChildProcess<SoakCommands>): Soaked {
  return {
    start: (loops) => child.request('start', loops),
    sample: (storeBytes) => child.request('sample', storeBytes),
    cyclesSoFar: () => child.request('cyclesSoFar', undefined),
    stop: () => child.request('stop', undefined),
    leave: () => child.request('leave', undefined),
  };
}

function here(node: SoakNode): Soaked {
  return {
    start: (loops) => Promise.resolve(node.start(loops)),
    sample: (storeBytes) => Promise.resolve(node.sample(storeBytes)),
    cyclesSoFar: () => Promise.resolve(node.cyclesSoFar),
    stop: () => node.stop(),
    leave: () => node.close(),
  };
}

function progress(afterMs: number, { logSlots, logBytes, heapBytes, rssBytes, storeBytes }: Sample): string {
  const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const store = storeBytes === null ? '' : `, store ${mb(storeBytes)}`;
  return `${(afterMs / 1_000).toFixed(0).padStart(5)} s  log ${logSlots} slots, ${mb(logBytes)}; heap ${mb(heapBytes)}, RSS ${mb(rssBytes)}${store}`;
}
