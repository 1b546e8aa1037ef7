/**
 * `pnpm mutants [--fast] [--every] [--name N] [--jobs J] [--json]`: named wrong variants of the protocol, each of which a test, a model or the
 * simulation must kill. `--fast` leaves out what takes long; `--every` gives each mutant to all of its killers.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { mutants } from '../../test/mutants/catalog/index.ts';
import { printJson, program } from '../program.ts';
import { fastOf, runMutants } from './run.ts';

program(async () => {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      fast: { type: 'boolean', default: false },
      every: { type: 'boolean', default: false },
      name: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
    },
  });
  const { fast, every, name: names, json } = values;
  const jobs = Number(values.jobs);
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error(`--jobs must be a whole number from 1, not ${values.jobs}.`);
  for (const name of names) {
    if (!mutants.some((mutant) => mutant.name === name)) {
      throw new Error(`There is no mutant ${name}. There are ${mutants.map((mutant) => mutant.name).join(', ')}.`);
    }
  }
  const named = names.length > 0 ? mutants.filter(({ name }) => names.includes(name)) : mutants;
  const wanted = fast ? fastOf(named) : named;
  const beganAtMs = performance.now();
  const { ok, table, killed, controlKilled, faults } = await runMutants(wanted, { every, jobs, onLine: (line) => console.log(line) });
  const seconds = Math.round((performance.now() - beganAtMs) / 1_000);
  console.log(`${killed} of ${wanted.length} mutants killed, ${controlKilled} runs of the control; ${seconds} s`);
  if (json) printJson({ command: 'mutants', ok, mutants: wanted.length, killed, controlKilled, seconds, faults, table });
  if (!ok) process.exitCode = 1;
});
