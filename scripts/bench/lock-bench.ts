/** `bench lock`: how many locks a second, and how much slower than the bare transport one is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryTransport } from '@quorate/core';
import type { Carrier } from '../processes/carrier.ts';
import type { Keeping } from '../processes/keeping.ts';
import { BenchNode } from './bench-node.ts';
import type { Work, WorkResult } from './bench-node.ts';
import { freshGroup, startBroker, startWorker } from './workers.ts';
import type { BrokerName, Worker } from './workers.ts';

export const places = ['leader', 'follower', 'client'] as const;
/** Where the loops run: in the leading process, in another voter's, or in a fourth that is no voter. */
export type Place = (typeof places)[number];

export const stores = ['memory', 'lmdb', 'jetstream', 'kafka'] as const;
/** Where the voters keep their memory: with themselves, in a folder on the disk of this machine, or in the broker. */
export type Store = (typeof stores)[number];

export interface LockBenchOptions {
  readonly transport: 'memory' | BrokerName;
  readonly voters: number;
  readonly clients: number;
  readonly seconds: number;
  readonly at: Place;
  readonly storage: Store;
  readonly profile?: string | undefined;
}

export interface LockBenchResult {
  readonly transport: string;
  readonly storage: Store;
  readonly carrier: string;
  readonly processes: number;
  readonly voters: number;
  readonly clients: number;
  readonly at: Place;
  readonly seconds: number;
  readonly cycles: number;
  readonly cyclesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly floorMs: number;
  readonly ratio: number;
  readonly floorSamples: number;
  readonly frameBytes: number;
  /** Of the working process, in parts of one core. */
  readonly cpu: number;
  readonly leaderChanges: number;
}

export async function lockBench(options: LockBenchOptions): Promise<LockBenchResult> {
  const needed = options.storage === 'jetstream' ? 'nats' : options.storage;
  if ((needed === 'nats' || needed === 'kafka') && options.transport !== needed) {
    throw new Error(`--storage ${options.storage} lies in the broker of --transport ${needed}`);
  }
  const folder = options.storage === 'lmdb' ? mkdtempSync(join(tmpdir(), 'quorate-bench-')) : undefined;
  try {
    const keeping = folder === undefined ? undefined : ({ type: 'lmdb', folder } as const);
    return await (options.transport === 'memory' ? inOneProcess(options, keeping) : inProcesses(options, options.transport, keeping));
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Many loops warm code and broker up fastest, and then the pattern that is measured; a cold JVM is two to four times slower. */
function warmUpOf({ transport, clients }: LockBenchOptions): Work['warmUp'] {
  return { clients: Math.max(64, clients), seconds: transport === 'kafka' ? 10 : 3 };
}

function workOf(options: LockBenchOptions, peer: string): Work {
  return { clients: options.clients, seconds: options.seconds, warmUp: warmUpOf(options), peer };
}

function names(options: LockBenchOptions): { readonly voters: string[]; readonly nodes: string[] } {
  const voters = Array.from({ length: options.voters }, (_, index) => `v${index + 1}`);
  return { voters, nodes: options.at === 'client' ? [...voters, 'c1'] : voters };
}

/** Of the nodes, the one that works; its floor is to a voter that is not itself. */
function castOf({ at }: LockBenchOptions, voters: readonly string[], leader: string): { readonly worker: string; readonly peer: string } {
  const followers = voters.filter((voter) => voter !== leader);
  const worker = at === 'leader' ? leader : at === 'follower' ? (followers[0] ?? leader) : 'c1';
  const peer = at === 'leader' ? (followers[0] ?? leader) : leader;
  return { worker, peer };
}

async function inProcesses(options: LockBenchOptions, brokerName: BrokerName, keeping?: Keeping): Promise<LockBenchResult> {
  const { voters, nodes } = names(options);
  const broker = await startBroker(brokerName);
  const workers = new Map<string, Worker>();
  try {
    for (const name of nodes) {
      const { worker } = await startWorker({ carrier: broker.carrier, name, profile: options.profile });
      workers.set(name, worker);
    }
    const group = freshGroup('bench-lock');
    const kept = keepingIn(options.storage, broker.carrier) ?? keeping;
    await Promise.all([...workers].map(([node, worker]) => worker.request('join', { group, node, voters, floor: true, keeping: kept })));
    const settled = await Promise.all([...workers.values()].map((worker) => worker.request('whenSettled', undefined)));
    const { worker: name, peer } = castOf(options, voters, settled[0]?.leader ?? '');
    const worker = workers.get(name);
    if (!worker) throw new Error(`there is no process called ${name}`);
    const result = await worker.request('run', workOf(options, peer));
    await Promise.all([...workers.values()].map((each) => each.request('leave', undefined)));
    return summary(options, broker.text, workers.size, result);
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.end()));
    await broker.close();
  }
}

function keepingIn(storage: Store, carrier: Carrier): Keeping | undefined {
  if (storage === 'jetstream' && carrier.type === 'nats') return { type: 'jetstream', urls: carrier.urls };
  return storage === 'kafka' && carrier.type === 'kafka' ? carrier : undefined;
}

async function inOneProcess(options: LockBenchOptions, keeping?: Keeping): Promise<LockBenchResult> {
  const { voters, nodes } = names(options);
  const transport = memoryTransport();
  const group = freshGroup('bench-lock');
  const opened = await Promise.all(
    nodes.map(async (node) => [node, await BenchNode.open(transport, { group, node, voters, floor: true, keeping })] as const),
  );
  const members = new Map(opened);
  const settled = await Promise.all([...members.values()].map((member) => member.whenSettled()));
  const { worker, peer } = castOf(options, voters, settled[0]?.leader ?? '');
  const result = await members.get(worker)?.run(workOf(options, peer));
  await Promise.all([...members.values()].map((member) => member.close()));
  if (!result) throw new Error(`there is no node called ${worker}`);
  return summary(options, 'memory', 1, result);
}

function summary(options: LockBenchOptions, carrier: string, processes: number, result: WorkResult): LockBenchResult {
  const { transport, storage, voters, clients, at, seconds } = options;
  const { cycles, workMs, acquire, floor, frameBytes, cpu, leaderChanges } = result;
  return {
    transport,
    storage,
    carrier,
    processes,
    voters,
    clients,
    at,
    seconds,
    cycles,
    cyclesPerSecond: Math.round((cycles / workMs) * 1_000),
    p50Ms: round(acquire.p50Ms),
    p99Ms: round(acquire.p99Ms),
    floorMs: round(floor.p50Ms),
    ratio: round(acquire.p50Ms / floor.p50Ms),
    floorSamples: floor.count,
    frameBytes,
    cpu: round(cpu),
    leaderChanges,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
