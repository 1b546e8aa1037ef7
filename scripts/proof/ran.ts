/** What a run of `pnpm proof` said that it did, read from what it printed, by somebody who does not take its word that it was enough. */
import type { ProofCommand, ProofName, Shown } from './commands.ts';

/** What `pnpm proof` runs. */
export const brief: readonly ProofName[] = [
  'sim',
  'model',
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
  readonly name: ProofName;
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

function stepsIn(printed: string): readonly Shown[] {
  const last = printed.split('\n').findLast((line) => line.startsWith('{"'));
  if (last === undefined) return [];
  const shown = JSON.parse(last) as Shown;
  return shown['command'] === 'proof' && Array.isArray(shown['steps']) ? (shown['steps'] as readonly Shown[]) : [];
}
