/** What runs of `pnpm proof` and `pnpm test` said that they did, read from what they printed, by somebody who does not take their word that it was enough. */
import type { ProofCommand, ProofName, Shown } from './commands.ts';

/** What `pnpm proof` runs. The models are not among it: `pnpm test` runs them all, and once is enough for what takes minutes. */
export const brief: readonly ProofName[] = [
  'sim',
  'mutants',
  'fuzz',
  'chaos nats',
  'chaos kafka',
  'handoff nats',
  'handoff kafka',
  'rollout nats',
  'rollout kafka',
  'deployment nats',
];

export interface Ran {
  readonly name: ProofName | 'models';
  readonly done: number;
  /** Null where it did its least and found nothing. */
  readonly wrong: string | null;
}

/** `printed` is empty where the step was left out or never came to its last line: then nothing ran. */
export function ranIn(printed: string, commands: readonly ProofCommand[]): readonly Ran[] {
  const steps = stepsIn(printed);
  return brief.map((name) => {
    const least = commands.find((command) => command.name === name)?.least ?? Infinity;
    const step = steps.find((one) => one['name'] === name);
    const done = typeof step?.['done'] === 'number' ? step['done'] : 0;
    if (step === undefined) return { name, done, wrong: `${name} did not run` };
    if (!(done >= least)) return { name, done, wrong: `${name} did ${done} of at least ${least}` };
    return { name, done, wrong: step['wrong'] === null ? null : String(step['wrong']) };
  });
}

/** The suite of the models fails where one of them does not hold or was not searched to its end. */
export function modelsRanIn(printedByTests: string): Ran {
  const lines = printedByTests.split('\n').filter((line) => line.includes(' test/models/models.test.ts'));
  const done = lines.filter((line) => line.startsWith('PASS ')).length;
  const failed = lines.some((line) => line.startsWith('FAIL '));
  return { name: 'models', done, wrong: failed ? 'models found something' : done === 0 ? 'models did not run' : null };
}

function stepsIn(printed: string): readonly Shown[] {
  const last = printed.split('\n').findLast((line) => line.startsWith('{"'));
  if (last === undefined) return [];
  const shown = JSON.parse(last) as Shown;
  return shown['command'] === 'proof' && Array.isArray(shown['steps']) ? (shown['steps'] as readonly Shown[]) : [];
}
