/**
 * The circumstances of one life of a group, drawn from its seed: who takes part, how the machines are, and which faults come when.
 * Each seed draws which kinds of faults are on at all ("Swarm Testing", Groce et al., 2012): all of them at once hide one another.
 */
import type { LogLimits } from '../runtime/engine.ts';
import { driftBound } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import { drawStandbyFaults, drawStandbys } from './standby-plan.ts';
import type { StandbyPlan } from './standby-plan.ts';
import { drawOwning } from './owning-plan.ts';
import type { OwningPlan } from './owning-plan.ts';
import type { DiskKind } from './virtual-disk.ts';
import { fairWeather } from './virtual-network.ts';
import type { Weather } from './virtual-network.ts';

/** Whoever a fault is about: a node by name, or whoever leads when it comes. */
export type Victim = string;
export const theLeader: Victim = '(leader)';

export type Fault =
  | { readonly type: 'cut'; readonly from: Victim; readonly to: Victim; readonly forMs: number }
  | { readonly type: 'isolate'; readonly node: Victim; readonly forMs: number }
  | { readonly type: 'deaf'; readonly node: Victim; readonly forMs: number }
  | { readonly type: 'split'; readonly side: readonly string[]; readonly forMs: number }
  | { readonly type: 'clog'; readonly from: Victim; readonly to: Victim; readonly forMs: number }
  | { readonly type: 'weather'; readonly weather: Weather; readonly forMs: number }
  /** SIGSTOP, or with `suspended` the whole machine; a blocked event loop is a short one. */
  | { readonly type: 'stop'; readonly node: Victim; readonly forMs: number; readonly suspended: boolean }
  | { readonly type: 'crash'; readonly node: Victim; readonly wiped: boolean; readonly downMs: number }
  | { readonly type: 'leave'; readonly node: Victim; readonly awayMs: number }
  | { readonly type: 'clockJump'; readonly node: Victim; readonly byMs: number }
  | { readonly type: 'clockRate'; readonly node: Victim; readonly rate: number; readonly forMs: number }
  | { readonly type: 'brokerRestart'; readonly downMs: number }
  | { readonly type: 'replay'; readonly count: number }
  | { readonly type: 'slowDisk'; readonly node: Victim; readonly delayMs: number; readonly forMs: number }
  | { readonly type: 'diskFailure'; readonly node: Victim; readonly written: boolean };

export type FaultKind = Fault['type'];

export type TimedFault = Fault & { readonly atMs: number };

export interface Circumstances {
  readonly seed: number;
  /** Sorted. */
  readonly voters: readonly string[];
  readonly clients: readonly string[];
  /** Nobody is told the names of the voters: they found the group by the broker's log, and are as many. Absent for no. */
  readonly isCounted?: boolean;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly sessionTtlMs: number;
  readonly reads: 'lease' | 'quorum';
  readonly firstFounding: boolean;
  /** Voters that are left where a majority lost its memory found the group anew. Absent for no. */
  readonly refounds?: boolean;
  readonly isSealed: boolean;
  readonly disk: DiskKind;
  readonly mailboxMax: number;
  /** Most lives are too short for the usual limits of the log; absent or null for those. */
  readonly logLimits?: LogLimits | null;
  readonly weather: Weather;
  /** By node: the rate of its monotonic clock and how far its calendar clock is off. */
  readonly clocks: Readonly<Record<string, { readonly rate: number; readonly wallSkewMs: number }>>;
  /** Leases are promised not to overlap. */
  readonly driftIsBounded: boolean;
  /** More voters may lose their memory than a group survives, so that no progress is promised at the end. */
  readonly mayLoseMajority: boolean;
  readonly actorsPerNode: number;
  /** How partitions are owned; absent or null where none are. */
  readonly owning?: OwningPlan | null;
  /** Who stands by for a seat; absent or null where nobody does. */
  readonly standing?: StandbyPlan | null;
  readonly faults: readonly TimedFault[];
  /** How long faults come; peace follows. */
  readonly stormMs: number;
}

const everyKind: readonly FaultKind[] = [
  'cut',
  'isolate',
  'deaf',
  'split',
  'clog',
  'weather',
  'stop',
  'crash',
  'leave',
  'clockJump',
  'clockRate',
  'brokerRestart',
  'replay',
  'slowDisk',
  'diskFailure',
];

export interface DrawOptions {
  readonly voters?: readonly string[];
  readonly clients?: readonly string[];
  readonly kinds?: readonly FaultKind[];
  readonly stormMs?: number;
  readonly actorsPerNode?: number;
  /** Nobody owns partitions. */
  readonly withoutOwning?: boolean;
  /** Nobody stands by. */
  readonly withoutStandbys?: boolean;
}

export const stormMsDefault = 17_000;
const meanPauseBetweenFaultsMs = 350;

export function drawCircumstances(seed: number, options: DrawOptions = {}): Circumstances {
  const random = seededRandom(seed * 2_654_435_761 + 97);
  const voters =
    options.voters ??
    pick(random, [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c', 'd', 'e'],
    ]);
  const clients = options.clients ?? (voters.length === 3 ? ['x', 'y'] : ['x']);
  const nodes = [...voters, ...clients];
  const driftIsBounded = random.below(10) > 0;
  const kinds = (options.kinds ?? everyKind).filter(() => random.below(2) === 0);
  const stormMs = options.stormMs ?? stormMsDefault;
  const mayLoseMajority = random.below(10) === 0;
  const disk = pick<DiskKind>(random, ['none', 'none', 'instant', 'slow']);
  const electionTimeoutMs = pick(random, [140, 160, 180]);
  const standing = options.withoutStandbys === true || drawCounting(seed) ? null : drawStandbys(seed, electionTimeoutMs);
  const owning = options.withoutOwning === true ? null : drawOwning(seed, nodes);
  return {
    seed,
    voters: [...voters].sort(),
    clients,
    isCounted: drawCounting(seed),
    heartbeatMs: pick(random, [60, 70]),
    electionTimeoutMs,
    // Four of the longest elections and two keep-alive periods, and a little.
    sessionTtlMs: Math.ceil((8 * electionTimeoutMs) / 0.6) + pick(random, [0, 400]),
    reads: pick(random, ['lease', 'lease', 'quorum']),
    // The word that there was no earlier life is not given where one may be forgotten.
    firstFounding: random.below(4) > 0 && !mayLoseMajority,
    refounds: drawRefounding(seed),
    isSealed: random.below(8) === 0,
    disk,
    mailboxMax: random.below(8) === 0 ? 8 : 65_536,
    logLimits: drawLogLimits(seed),
    weather: kinds.includes('weather')
      ? drawWeather(random)
      : {
          ...fairWeather,
          delayMs: pick(random, [
            [0.1, 1],
            [0.5, 8],
          ]),
        },
    clocks: Object.fromEntries(nodes.map((node) => [node, drawClock(random, driftIsBounded)])),
    driftIsBounded,
    mayLoseMajority,
    actorsPerNode: options.actorsPerNode ?? 1 + random.below(3),
    owning,
    standing,
    faults: [
      ...drawFaults({ random, kinds, voters, nodes, stormMs, driftIsBounded, mayLoseMajority, disk }),
      ...(standing ? drawStandbyFaults(seed, standing, voters, stormMs) : []),
      ...(mayLoseMajority && drawRefounding(seed) ? drawMajorityLoss(seed, voters, stormMs) : []),
    ],
    stormMs,
  };
}

/** So many lives have one that is founded by count. */
const livesToOneCounted = 6;

/** From a chance of its own, as the limits of the log. */
function drawCounting(seed: number): boolean {
  return seededRandom(seed * 2_246_822_519 + 31).below(livesToOneCounted) === 0;
}

/** Half of those lives in which the voters have names, from a chance of its own. */
function drawRefounding(seed: number): boolean {
  return !drawCounting(seed) && seededRandom(seed * 3_266_489_917 + 41).below(2) === 0;
}

/** All but one or two lose their memory at nearly the same moment, as often as not once more. */
function drawMajorityLoss(seed: number, voters: readonly string[], stormMs: number): TimedFault[] {
  const random = seededRandom(seed * 668_265_263 + 7);
  return Array.from({ length: 1 + random.below(2) }, () => {
    const atMs = 2_500 + random.below(stormMs - 2_500);
    const left = Array.from({ length: voters.length === 3 ? 1 : 1 + random.below(2) }, () => pick(random, voters));
    const gone = voters.filter((node) => !left.includes(node));
    return gone.map((node): TimedFault => ({ type: 'crash', node, wiped: true, downMs: 1, atMs: atMs + random.below(40) }));
  }).flat();
}

/** From a chance of its own, so that the other circumstances of a seed stay what they were. */
function drawLogLimits(seed: number): LogLimits | null {
  const random = seededRandom(seed * 1_597_334_677 + 13);
  return pick(random, [
    null,
    { slotsKept: 0, logSlotsMax: 8, logBytesMax: 1e9 },
    { slotsKept: 4, logSlotsMax: 60, logBytesMax: 1e9 },
    { slotsKept: 20, logSlotsMax: 1e9, logBytesMax: 4_000 },
  ]);
}

function drawClock(random: Random, isBounded: boolean): { rate: number; wallSkewMs: number } {
  // Any two clocks within the bound differ by less than it; those beyond it do so by far, so that the checks are seen to be alive.
  const rate = isBounded ? 1 + (random.next() - 0.5) * driftBound * 0.99 : pick(random, [0.5, 1.5]);
  return { rate, wallSkewMs: (random.next() - 0.5) * 1_500 };
}

function drawWeather(random: Random): Weather {
  return {
    loss: pick(random, [0, 0, 0.02, 0.1, 0.3]),
    duplication: pick(random, [0, 0, 0.1, 0.4]),
    delayMs: pick(random, [
      [0.1, 1],
      [0.5, 8],
      [1, 40],
    ]),
    straying: pick(random, [0, 0.01, 0.05]),
    strayMs: pick(random, [100, 1_000, 5_000]),
  };
}

interface FaultSource {
  readonly random: Random;
  readonly kinds: readonly FaultKind[];
  readonly voters: readonly string[];
  readonly nodes: readonly string[];
  readonly stormMs: number;
  readonly driftIsBounded: boolean;
  readonly mayLoseMajority: boolean;
  readonly disk: DiskKind;
}

function drawFaults(source: FaultSource): TimedFault[] {
  const { random, kinds, stormMs } = source;
  const faults: TimedFault[] = [];
  if (kinds.length === 0) return faults;
  // Where a majority may be lost anyway, the founding is not spared either.
  if (source.mayLoseMajority)
    faults.push({ type: 'crash', node: pick(random, source.voters), wiped: true, downMs: 1, atMs: 10 + random.below(90) });
  const firstMs = source.mayLoseMajority ? random.next() * 100 : 100 + random.next() * 1_000;
  for (let atMs = firstMs; atMs < stormMs; atMs += -Math.log(1 - random.next()) * meanPauseBetweenFaultsMs) {
    const fault = drawFault(pick(random, kinds), source);
    if (fault) faults.push({ ...fault, atMs: Math.round(atMs) });
  }
  // Clocks that run apart show nothing where everybody hears from everybody.
  for (let cut = 0; cut < 3 && !source.driftIsBounded; cut += 1) {
    faults.push({ type: 'isolate', node: pick(random, source.nodes), forMs: 5_000, atMs: 1_500 + random.below(stormMs - 1_500) });
  }
  return faults;
}

function drawFault(kind: FaultKind, source: FaultSource): Fault | null {
  const { random, voters, nodes } = source;
  const voter = random.below(3) === 0 ? theLeader : pick(random, voters);
  const anyone = random.below(3) === 0 ? theLeader : pick(random, nodes);
  const forMs = pick(random, [30, 200, 700, 2_000, 4_000]);
  // A monotonic clock that stops and a calendar clock that is set back leave a holder no clock at all: nothing is promised then.
  const maySuspend = !source.kinds.includes('clockJump');
  switch (kind) {
    case 'cut':
      return { type: kind, from: voter, to: pick(random, nodes), forMs };
    case 'isolate':
    case 'deaf':
      return { type: kind, node: anyone, forMs };
    case 'split':
      return { type: kind, side: nodes.filter(() => random.below(2) === 0), forMs };
    case 'clog':
      return { type: kind, from: voter, to: pick(random, nodes), forMs };
    case 'weather':
      return { type: kind, weather: drawWeather(random), forMs };
    case 'stop':
      return { type: kind, node: anyone, forMs: pick(random, [20, 60, 250, 900, 3_500]), suspended: maySuspend && random.below(4) === 0 };
    case 'crash':
      return { type: kind, node: anyone, wiped: source.disk === 'none' || random.below(4) === 0, downMs: pick(random, [1, 100, 1_500]) };
    case 'leave':
      return { type: kind, node: pick(random, nodes), awayMs: pick(random, [10, 500]) };
    case 'clockJump':
      return { type: kind, node: anyone, byMs: pick(random, [-3_600_000, -2_000, 1_500, 60_000]) };
    case 'clockRate':
      if (source.driftIsBounded) return null;
      return { type: kind, node: anyone, rate: pick(random, [0.5, 2]), forMs };
    case 'brokerRestart':
      return { type: kind, downMs: pick(random, [5, 100, 900]) };
    case 'replay':
      return { type: kind, count: pick(random, [5, 100]) };
    case 'slowDisk':
      return source.disk === 'slow' ? { type: kind, node: voter, delayMs: pick(random, [20, 150, 600]), forMs } : null;
    case 'diskFailure':
      return source.disk === 'none' ? null : { type: kind, node: voter, written: random.below(2) === 0 };
  }
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}
