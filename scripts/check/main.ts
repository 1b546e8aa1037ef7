/** `pnpm check [step …] [--without step] [--json]`: the whole truth in one command. Every step runs, whatever the one before said. */
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { describeRun, runJest } from '../test/run-jest.ts';
import { checkDoors } from './doors.ts';
import { checkFilesOnDisk } from './files.ts';
import { checkLevelsOnDisk } from './levels.ts';
import { runTool } from './tool.ts';

interface StepResult {
  readonly step: string;
  readonly ok: boolean;
  readonly seconds: number;
}

/** What is wrong, a line each; an empty list is a pass. */
type Step = () => Promise<readonly string[]> | readonly string[];

const steps: Readonly<Record<string, Step>> = {
  format: () => runTool('prettier', ['--check', '--log-level', 'warn', '.']),
  lint: () => runTool('eslint', ['.']),
  levels: checkLevelsOnDisk,
  files: checkFilesOnDisk,
  types: () => runTool('tsc', ['-p', '.']),
  unused: () => runTool('knip', ['--no-progress']),
  tests: unitTests,
  doors: checkDoors,
};

async function unitTests(): Promise<readonly string[]> {
  const run = await runJest(['--selectProjects', 'unit']);
  console.log(describeRun(run));
  return run.ok ? [] : [`${run.failed} tests and ${run.suitesFailed} suites failed, ${run.passed} tests passed`];
}

program(async () => {
  const options = { json: { type: 'boolean' }, without: { type: 'string', multiple: true } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const { without = [] } = values;
  const unknown = [...positionals, ...without].find((name) => !Object.hasOwn(steps, name));
  if (unknown !== undefined) throw new Error(`there is no step \`${unknown}\`; the steps are ${Object.keys(steps).join(', ')}`);
  const results: StepResult[] = [];
  for (const [name, step] of Object.entries(steps)) {
    const wanted = positionals.length === 0 || positionals.includes(name);
    if (wanted && !without.includes(name)) results.push(await runStep(name, step));
  }
  if (results.length === 0) throw new Error('no step is left to run');
  const failed = results.filter((result) => !result.ok);
  console.log(
    failed.length === 0
      ? `check: all ${results.length} steps passed`
      : `check: failed at ${failed.map((result) => result.step).join(', ')}`,
  );
  if (values.json) printJson({ ok: failed.length === 0, command: 'check', steps: results });
  if (failed.length > 0) process.exitCode = 1;
});

async function runStep(name: string, step: Step): Promise<StepResult> {
  const startedMs = performance.now();
  const faults = await Promise.resolve()
    .then(step)
    .catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  const seconds = Math.round(performance.now() - startedMs) / 1_000;
  for (const fault of faults) console.log(fault);
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
  return { step: name, ok: faults.length === 0, seconds };
}
