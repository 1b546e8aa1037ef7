/**
 * `pnpm model [name] [--planted] [--jobs J] [--json] [--seconds S]`: every small model to its end, then every planted mistake, each of which must be
 * found. A name runs one of them and tells its whole story; `--planted` leaves out the models.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { models, planted } from '../../test/models/checker/catalog.ts';
import type { Exploration } from '../../test/models/checker/explore.ts';
import type { PlantedRun } from '../../test/models/checker/run-planted.ts';
import { printJson, program } from '../program.ts';
import { runTasks } from './jobs.ts';
import type { Task, TaskResult } from './task.ts';

const usage = 'usage: model [name] [--planted] [--jobs J] [--json] [--seconds S]';

program(async () => {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      planted: { type: 'boolean' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean' },
      seconds: { type: 'string', default: '600' },
    },
  });
  const secondsMax = Number(values.seconds);
  const jobs = Number(values.jobs);
  const [name] = positionals;
  if (!(secondsMax > 0) || !(jobs >= 1) || positionals.length > 1) throw new Error(usage);
  const tasksOf = (type: Task['type'], all: readonly { readonly name: string }[]): readonly Task[] =>
    all.filter((one) => name === undefined || one.name === name).map((one) => ({ type, name: one.name, secondsMax }));
  const tasks = [...(values.planted ? [] : tasksOf('model', models)), ...tasksOf('planted', planted)];
  if (tasks.length === 0) throw new Error(`There is no model ${name ?? ''}. ${namesOf()}`);

  const results = await runTasks(tasks, jobs, (result) => console.log(linesOf(result, name !== undefined)));
  const explored = results.flatMap((result) => (result.type === 'model' ? [result.exploration] : []));
  const runs = results.flatMap((result) => (result.type === 'planted' ? [result.run] : []));
  const ok = explored.every((exploration) => exploration.ok) && runs.every(({ found }) => found);
  console.log(summaryOf(explored, runs));
  if (values.json) printJson({ command: 'model', ok, models: explored.map(figuresOf), planted: runs.map(plantedFiguresOf) });
  if (!ok) process.exitCode = 1;
});

function linesOf(result: TaskResult, isAlone: boolean): string {
  if (result.type === 'planted') {
    const story = isAlone ? `\n  planted: ${result.hazard}\n${storyOf(result.run.exploration)}` : '';
    return plantedLineOf(result.run) + story;
  }
  const { exploration } = result;
  return lineOf(exploration) + (exploration.story ? `\n${storyOf(exploration)}` : '');
}

function lineOf({ name, states, depth, seconds, verdict, marksMissed }: Exploration): string {
  const missed = marksMissed.length > 0 ? `: never ${marksMissed.join(', ')}` : '';
  return `${name.padEnd(44)} ${String(states).padStart(9)} states  depth ${String(depth).padStart(3)}  ${seconds.toFixed(1).padStart(6)} s  ${verdict}${missed}`;
}

function plantedLineOf({ name, found, breaks, exploration }: PlantedRun): string {
  const { states, depth, seconds, story, broken, verdict } = exploration;
  const outcome = found
    ? `found in ${story?.length ?? 0} steps by "${breaks}": ${broken ?? ''}`
    : `NOT FOUND by "${breaks}" (${verdict}${broken === undefined ? '' : `: ${broken}`})`;
  return `${name.padEnd(44)} ${String(states).padStart(9)} states  depth ${String(depth).padStart(3)}  ${seconds.toFixed(1).padStart(6)} s  ${outcome}`;
}

function storyOf({ story, broken }: Exploration): string {
  const steps = (story ?? []).map((step, index) => `  ${String(index + 1).padStart(3)}. ${step}`);
  return [...steps, `       ${broken ?? 'nothing is broken'}`].join('\n');
}

function summaryOf(explored: readonly Exploration[], runs: readonly PlantedRun[]): string {
  const held = explored.filter(({ ok }) => ok).length;
  const found = runs.filter((run) => run.found).length;
  return `${held} of ${explored.length} models hold; ${found} of ${runs.length} planted mistakes are found`;
}

function figuresOf({ name, states, depth, seconds, ok, complete }: Exploration): object {
  return { name, states, depth, seconds: Number(seconds.toFixed(2)), ok, complete };
}

function plantedFiguresOf({ name, found, breaks, exploration: { states, story } }: PlantedRun): object {
  return { name, found, by: breaks, states, storyLength: story?.length ?? 0 };
}

function namesOf(): string {
  return `There are ${[...models, ...planted].map(({ name }) => name).join(', ')}.`;
}
