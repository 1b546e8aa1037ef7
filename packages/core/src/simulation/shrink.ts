/** From a life that broke a promise to the shortest story found that breaks the same one. */
import type { Circumstances } from './circumstances.ts';
import type { LifeResult } from './life.ts';
import { fairWeather } from './virtual-network.ts';

/** What is left out of the circumstances that a seed draws. */
export interface Reduction {
  /** The faults that stay, by their places in the list; absent for all. */
  readonly faults?: readonly number[];
  /** The network never misbehaves by itself. */
  readonly calm?: boolean;
  /** Clocks are right. */
  readonly rightClocks?: boolean;
  readonly actorsPerNode?: number;
  readonly clients?: number;
  /** Nobody owns partitions. */
  readonly unowned?: boolean;
}

export function reduce(
  circumstances: Circumstances,
  { faults, calm, rightClocks, actorsPerNode, clients, unowned }: Reduction,
): Circumstances {
  return {
    ...circumstances,
    faults: faults ? circumstances.faults.filter((_, place) => faults.includes(place)) : circumstances.faults,
    weather: calm === true ? fairWeather : circumstances.weather,
    clocks: rightClocks === true ? {} : circumstances.clocks,
    actorsPerNode: actorsPerNode ?? circumstances.actorsPerNode,
    owning: unowned === true ? null : (circumstances.owning ?? null),
    clients: clients === undefined ? circumstances.clients : circumstances.clients.slice(0, clients),
  };
}

export interface Shrunk {
  readonly reduction: Reduction;
  readonly result: LifeResult;
  readonly runs: number;
}

/** Lives tried before the shortest story so far is taken. */
const runsMaxDefault = 150;

/**
 * Leaves out everything that the failure does not need: half of the faults, then quarters, then each alone (delta debugging, Zeller and
 * Hildebrandt, 2002), then the weather, the clocks, users and clients.
 */
export async function shrink(
  circumstances: Circumstances,
  failed: LifeResult,
  live: (circumstances: Circumstances) => Promise<LifeResult>,
  runsMax = runsMaxDefault,
): Promise<Shrunk> {
  let best: Shrunk = { reduction: {}, result: failed, runs: 0 };
  let runs = 0;
  const attempt = async (change: Reduction): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs += 1;
    const reduction = { ...best.reduction, ...change };
    const result = await live(reduce(circumstances, reduction));
    if (result.broken?.promise !== failed.broken?.promise) return false;
    best = { reduction, result, runs };
    return true;
  };
  const faultsLeft = (): readonly number[] => best.reduction.faults ?? circumstances.faults.map((_, place) => place);
  const dropLateFaults = (): Promise<boolean> => {
    const endMs = best.result.simulatedMs;
    return attempt({ faults: faultsLeft().filter((place) => (circumstances.faults[place]?.atMs ?? Infinity) <= endMs) });
  };
  await dropLateFaults();
  for (let parts = 2; faultsLeft().length > 0 && runs < runsMax;) {
    const left = faultsLeft();
    const size = Math.ceil(left.length / parts);
    let dropped = false;
    for (let from = 0; from < left.length && !dropped; from += size) {
      dropped = await attempt({ faults: left.filter((_, index) => index < from || index >= from + size) });
    }
    if (dropped) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(left.length, parts * 2);
  }
  await attempt({ calm: true });
  await attempt({ rightClocks: true });
  if (!circumstances.owning || !(await attempt({ actorsPerNode: 0 }))) await attempt({ actorsPerNode: 1 });
  if (circumstances.owning) await attempt({ unowned: true });
  for (let clients = 0; clients < circumstances.clients.length; clients += 1) if (await attempt({ clients })) break;
  await dropLateFaults();
  return { ...best, runs };
}
