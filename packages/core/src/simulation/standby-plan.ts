/** Who stands by in one life of a group, what the autopilot waits for, and how operators change who votes meanwhile. */
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';
import type { TimedFault } from './circumstances.ts';

export interface StandbyPlan {
  /** Named by nobody. */
  readonly nodes: readonly string[];
  /** Null where the autopilot is off. */
  readonly replaceAfterMs: number | null;
  /** The mean pause of an operator between two changes of voters; null where there is none. */
  readonly ordersEveryMs: number | null;
}

/** From chance of its own, so that a seed without standbys is the life that it was before there were any. */
export function drawStandbys(seed: number, electionTimeoutMs: number): StandbyPlan | null {
  const random = seededRandom(seed * 2_246_822_519 + 41);
  if (random.below(2) === 0) return null;
  return {
    nodes: choose(random, [['s'], ['s', 't'], ['s', 't']]),
    replaceAfterMs: choose(random, [null, 8 * electionTimeoutMs, 16 * electionTimeoutMs]),
    ordersEveryMs: choose(random, [null, 500, 2_000]),
  };
}

/** What befalls standbys, and voters for long enough that they are replaced: beside the other faults, from chance of its own. */
export function drawStandbyFaults(seed: number, plan: StandbyPlan, voters: readonly string[], stormMs: number): TimedFault[] {
  const random = seededRandom(seed * 3_266_489_917 + 7);
  const faults: TimedFault[] = [];
  const count = random.below(8);
  for (let index = 0; index < count; index += 1) {
    const atMs = 1_500 + random.below(Math.max(1, stormMs - 1_500));
    const standby = choose(random, plan.nodes);
    const voter = choose(random, voters);
    switch (random.below(5)) {
      case 0:
        faults.push({ type: 'crash', node: standby, wiped: random.below(2) === 0, downMs: choose(random, [1, 700]), atMs });
        break;
      case 1:
        faults.push({ type: 'isolate', node: voter, forMs: 4_500, atMs });
        break;
      case 2:
        faults.push({ type: 'stop', node: standby, forMs: choose(random, [60, 900]), suspended: false, atMs });
        break;
      case 3:
        faults.push({ type: 'isolate', node: standby, forMs: choose(random, [400, 2_500]), atMs });
        break;
      default:
        faults.push({ type: 'leave', node: random.below(4) === 0 ? standby : voter, awayMs: choose(random, [10, 1_500]), atMs });
    }
  }
  return faults;
}

function choose<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}
