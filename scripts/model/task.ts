/** One model explored to its end, or one planted mistake looked for, by name: what a job of `pnpm model` does at a time. */
import { models, planted } from '../../test/models/checker/catalog.ts';
import { explore } from '../../test/models/checker/explore.ts';
import type { Exploration } from '../../test/models/checker/explore.ts';
import { runPlanted } from '../../test/models/checker/run-planted.ts';
import type { PlantedRun } from '../../test/models/checker/run-planted.ts';

export interface Task {
  readonly type: 'model' | 'planted';
  readonly name: string;
  readonly secondsMax: number;
}

export type TaskResult =
  | { readonly type: 'model'; readonly name: string; readonly exploration: Exploration }
  | { readonly type: 'planted'; readonly name: string; readonly hazard: string; readonly run: PlantedRun };

export function runTask({ type, name, secondsMax }: Task): TaskResult {
  if (type === 'model') return { type, name, exploration: explore(named(models, name), { secondsMax }) };
  const mistake = named(planted, name);
  return { type, name, hazard: mistake.hazard, run: runPlanted(mistake, { secondsMax }) };
}

function named<One extends { readonly name: string }>(all: readonly One[], name: string): One {
  const one = all.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`There is no model ${name}.`);
  return one;
}
