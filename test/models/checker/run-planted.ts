/** One run of a planted variant: its change is in place while its model is explored, and undone afterwards whatever happens. */
import { explore } from './explore.ts';
import type { Exploration, ExploreLimits } from './explore.ts';
import type { Planted } from './model.ts';

export interface PlantedRun {
  readonly name: string;
  /** What had to break. */
  readonly breaks: string;
  /** That broke, and nothing else before it. */
  readonly found: boolean;
  readonly exploration: Exploration;
}

export function runPlanted(planted: Planted, limits: Partial<ExploreLimits> = {}): PlantedRun {
  const { name, breaks } = planted;
  if (breaks === '') throw new Error(`The planted ${name} says not what it must break.`);
  const undo = planted.install?.();
  try {
    const exploration = explore(planted.model, limits);
    return { name, breaks, found: exploration.broken?.includes(breaks) ?? false, exploration };
  } finally {
    undo?.();
  }
}
