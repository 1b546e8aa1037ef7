/** How the processes of one life own partitions: which sets there are, how handlers behave, and whether operators interfere. */
import { seededRandom } from '../time/random.ts';
import type { Random } from '../time/random.ts';

/**
 * What a handler does. `obedient`: stops at its signal. `slow`: takes most of its drain's budget. `stuck`: works on for longer than its
 * lease can last. `throwing` and `returning` end before their signal.
 */
export type HandlerKind = 'obedient' | 'slow' | 'stuck' | 'throwing' | 'returning';

export interface OwningPlan {
  readonly sets: readonly { readonly name: string; readonly count: number }[];
  readonly graceMs: number;
  readonly settleMs: number;
  readonly drainTimeoutMs: number;
  /** One is drawn for each start of a handler. */
  readonly handlers: readonly HandlerKind[];
  /** Nodes that take no part. */
  readonly bystanders: readonly string[];
  /** Somebody pins, drains, excludes and resizes now and then. */
  readonly hasOperators: boolean;
}

const everyHandler: readonly HandlerKind[] = ['slow', 'stuck', 'throwing', 'returning'];

/** From chance of its own, so that a seed without partitions is the life that it was before there were any. */
export function drawOwning(seed: number, nodes: readonly string[]): OwningPlan | null {
  const random = seededRandom(seed * 1_618_033 + 29);
  if (random.below(2) === 0) return null;
  const names = random.below(3) === 0 ? ['orders', 'mails'] : ['orders'];
  return {
    sets: names.map((name) => ({ name, count: choose(random, [1, 3, 6, 8]) })),
    graceMs: choose(random, [0, 400, 2_500]),
    settleMs: choose(random, [0, 40, 250]),
    drainTimeoutMs: choose(random, [60, 400, 1_500]),
    handlers: ['obedient', ...everyHandler.filter(() => random.below(3) === 0)],
    bystanders: random.below(4) === 0 ? [choose(random, nodes)] : [],
    hasOperators: random.below(2) === 0,
  };
}

function choose<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}
