/** Look-ups, building, changes and memory of the ring beside those of two npm packages, in turns, so that all meet the same machine. */
import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HashRing } from '@quorate/core';
import { quantile } from './latency.ts';

/** What a look-up of these packages needs; they bring no types. */
type NpmHashRing = new (
  servers: readonly string[],
  algorithm: string,
  options: object,
) => {
  get(key: string): string;
  add(server: string): void;
};
type NpmConsistentHash = new () => { add(node: string, points: number): void; get(key: string): string };

const nodeCount = 100;
/** The number of points that ketama gives a node; the default of ours and of `hashring`. */
const pointsPerNode = 160;
/** `hashring` remembers its last 5,000 answers. Keys that come again before that measure its memory; these do not. */
const keyCount = 20_000;
const rememberedKeyCount = 2_000;
const buildsForMemory = 10;
const ratioMin = 20;

export interface RingBenchResult {
  readonly nodes: number;
  readonly pointsPerNode: number;
  readonly keys: number;
  readonly rounds: number;
  /** Look-ups per second, the median of the rounds. */
  readonly ours: number;
  readonly hashring: number;
  readonly consistentHash: number;
  /** Ours over `hashring`. */
  readonly ratio: number;
  readonly ratioConsistentHash: number;
  /** The same with keys that `hashring` remembers. */
  readonly remembered: { readonly ours: number; readonly hashring: number; readonly ratio: number };
  readonly buildMs: Costs;
  /** From one node more to the next look-up. */
  readonly changeMs: Costs;
  readonly memoryBytes: Costs;
  readonly withinBound: boolean;
  /** Ours did 10 million look-ups per second. What a machine does is told, not demanded. */
  readonly tenMillion: boolean;
}

interface Costs {
  readonly ours: number;
  readonly hashring: number;
  readonly consistentHash: number;
}

interface Contestant {
  readonly name: keyof Costs;
  readonly build: () => { readonly lookup: (key: string) => string | undefined; readonly add: (node: string) => void };
}

const nodes = Array.from({ length: nodeCount }, (_, i) => `node-${i}`);

export function ringBench({ rounds }: { readonly rounds: number }): RingBenchResult {
  const contestants = contestantsOf();
  const keys = Array.from({ length: keyCount }, (_, i) => `user:${1_000_000 + i * 7}`);
  const remembered = keys.slice(0, rememberedKeyCount);
  const measured = { fresh: emptyCosts(), remembered: emptyCosts(), build: emptyCosts(), change: emptyCosts() };

  for (let round = -1; round < rounds; round++) {
    for (const { name, build } of contestants) {
      const startMs = performance.now();
      const ring = build();
      ring.lookup('first');
      const builtMs = performance.now();
      const figures = { fresh: lookupsPerSecond(ring.lookup, keys), remembered: lookupsPerSecond(ring.lookup, remembered) };
      const changingMs = performance.now();
      ring.add('one-more');
      ring.lookup('first');
      const changedMs = performance.now();
      // The first round warms the compiler up.
      if (round < 0) continue;
      measured.fresh[name].push(figures.fresh);
      measured.remembered[name].push(figures.remembered);
      measured.build[name].push(builtMs - startMs);
      measured.change[name].push(changedMs - changingMs);
    }
  }

  const fresh = mediansOf(measured.fresh, Math.round);
  const again = mediansOf(measured.remembered, Math.round);
  const ratio = rounded(fresh.ours / fresh.hashring);
  return {
    nodes: nodeCount,
    pointsPerNode,
    keys: keyCount,
    rounds,
    ...fresh,
    ratio,
    ratioConsistentHash: rounded(fresh.ours / fresh.consistentHash),
    remembered: { ours: again.ours, hashring: again.hashring, ratio: rounded(again.ours / again.hashring) },
    buildMs: mediansOf(measured.build, rounded),
    changeMs: mediansOf(measured.change, rounded),
    memoryBytes: memoryOf(contestants),
    withinBound: ratio >= ratioMin,
    tenMillion: fresh.ours >= 1e7,
  };
}

function contestantsOf(): readonly Contestant[] {
  const require = createRequire(__filename);
  const PeerHashRing = require('hashring') as NpmHashRing;
  const PeerConsistentHash = require('consistent-hash') as NpmConsistentHash;
  return [
    {
      name: 'ours',
      build: () => {
        let ring = HashRing.of(nodes, { virtualNodes: pointsPerNode });
        return { lookup: (key) => ring.lookup(key), add: (node) => void (ring = ring.add(node)) };
      },
    },
    {
      name: 'hashring',
      build: () => {
        const ring = new PeerHashRing(nodes, 'md5', { 'vnode count': pointsPerNode / 4 });
        return { lookup: (key) => ring.get(key), add: (node) => ring.add(node) };
      },
    },
    {
      name: 'consistentHash',
      build: () => {
        const ring = new PeerConsistentHash();
        for (const node of nodes) ring.add(node, pointsPerNode);
        return { lookup: (key) => ring.get(key), add: (node) => ring.add(node, pointsPerNode) };
      },
    },
  ];
}

const measureMs = 60;

function lookupsPerSecond(lookup: (key: string) => string | undefined, keys: readonly string[]): number {
  let found = 0;
  let lookups = 0;
  const startMs = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < measureMs) {
    for (const key of keys) if (lookup(key) !== undefined) found++;
    lookups += keys.length;
    elapsedMs = performance.now() - startMs;
  }
  if (found !== lookups) throw new Error('a ring of 100 nodes found no node for a key');
  return (lookups / elapsedMs) * 1_000;
}

/** What stays alive of a ring after a look-up, by the collector's own count. */
function memoryOf(contestants: readonly Contestant[]): Costs {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const bytes = contestants.map(({ name, build }) => {
    const before = used();
    const kept = Array.from({ length: buildsForMemory }, () => {
      const ring = build();
      ring.lookup('first');
      return ring;
    });
    return [name, Math.round((used() - before) / kept.length)] as const;
  });
  return { ours: 0, hashring: 0, consistentHash: 0, ...Object.fromEntries(bytes) };
}

function emptyCosts(): Record<keyof Costs, number[]> {
  return { ours: [], hashring: [], consistentHash: [] };
}

function mediansOf(values: Readonly<Record<keyof Costs, number[]>>, round: (value: number) => number): Costs {
  const median = (name: keyof Costs): number => round(quantile(values[name], 0.5));
  return { ours: median('ours'), hashring: median('hashring'), consistentHash: median('consistentHash') };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export function describeRing(result: RingBenchResult): string {
  const { ours, hashring, consistentHash, ratio, ratioConsistentHash, remembered, buildMs, changeMs, memoryBytes } = result;
  const millions = (value: number): string => `${(value / 1e6).toFixed(2)} M/s`.padStart(12);
  const line = (what: string, costs: Costs, show: (value: number) => string): string =>
    `  ${what.padEnd(28)}${[costs.ours, costs.hashring, costs.consistentHash].map((value) => show(value).padStart(16)).join('')}`;
  return [
    `ring: ${result.nodes} nodes of ${result.pointsPerNode} points, ${result.keys} keys, medians of ${result.rounds} rounds`,
    `  ${''.padEnd(28)}${['ours', 'hashring', 'consistent-hash'].map((name) => name.padStart(16)).join('')}`,
    line('look-ups', { ours, hashring, consistentHash }, millions),
    `  ${'  keys hashring remembers'.padEnd(28)}${[remembered.ours, remembered.hashring].map((value) => millions(value).padStart(16)).join('')}`,
    line('building', buildMs, (value) => `${value} ms`),
    line('one node more', changeMs, (value) => `${value} ms`),
    line('memory', memoryBytes, (value) => `${Math.round(value / 1024)} KiB`),
    `  ratio                       ${ratio} × hashring (${remembered.ratio} × where it remembers), ${ratioConsistentHash} × consistent-hash`,
    `  10 M/s                      ${result.tenMillion ? 'reached' : 'not reached'}`,
    `  bound (${ratioMin} × hashring)        ${result.withinBound ? 'kept' : 'BROKEN'}`,
  ].join('\n');
}
