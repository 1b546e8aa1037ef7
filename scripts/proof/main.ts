/**
 * `pnpm proof`: what looks for a broken promise beside the tests, once and briefly: seeds drawn from the commit, mutants, fuzzing,
 * and chaos, hand-offs and rollouts on both brokers. Red if anything was found, and red if any of it did not run.
 * `pnpm proof --ran FILE --tests FILE` counts what such a run and one of `pnpm test`, whose outputs the files hold, did: red if there was none.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { proofCommands, shortfall } from './commands.ts';
import type { ProofCommand } from './commands.ts';
import { brief, modelsRanIn, ranIn } from './ran.ts';
import { runProof } from './run.ts';

/** For one command; the seeds take longest, and a busy machine does less than one of them a second and core. */
const limitMs = 40 * 60_000;

program(async () => {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: { ran: { type: 'string' }, tests: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
  });
  if (values.ran !== undefined) return countWhatRan(values.ran, values.tests, values.json);
  const seed = seedOfCommit();
  const histories = mkdtempSync(join(tmpdir(), 'quorate-proof-'));
  const steps: { readonly name: string; readonly done: number; readonly wrong: string | null; readonly seconds: number }[] = [];
  for (const command of commandsFrom(seed, histories).filter(({ name }) => brief.includes(name))) {
    console.log(`--> pnpm ${command.args.join(' ')}`);
    const beganMs = performance.now();
    const shown = await runProof(command, limitMs);
    const seconds = Math.round((performance.now() - beganMs) / 1_000);
    steps.push({ name: command.name, done: shown ? command.count(shown) : 0, wrong: shortfall(command, shown), seconds });
  }
  for (const { name, done, wrong, seconds } of steps)
    console.log(`${name.padEnd(13)} ${String(done).padStart(7)}  ${wrong ?? 'ok'} (${seconds} s)`);
  const failed = steps.filter(({ wrong }) => wrong !== null).length;
  const ok = failed === 0 && steps.length === brief.length;
  if (ok) rmSync(histories, { recursive: true, force: true });
  else console.log(`histories of chaos are kept in ${histories}`);
  if (values.json) printJson({ ok, command: 'proof', seed, passed: steps.length - failed, failed, steps });
  if (!ok) process.exitCode = 1;
});

function commandsFrom(seed: number, histories: string): readonly ProofCommand[] {
  const jobs = availableParallelism();
  const size = { seeds: 2_000, from: seed * 1_000, jobs, fuzzRuns: 100_000, episodes: 3, rounds: 1, seed, fastMutants: true };
  return proofCommands(size, histories);
}

function countWhatRan(proof: string, tests: string, json: boolean): void {
  const ran = [...ranIn(printedIn(proof), commandsFrom(1, '')), modelsRanIn(printedIn(tests))];
  for (const { name, done, wrong } of ran) console.log(`${name.padEnd(13)} ${String(done).padStart(7)}  ${wrong ?? 'ran'}`);
  const failed = ran.filter(({ wrong }) => wrong !== null).length;
  if (json) printJson({ ok: failed === 0, command: 'ran', passed: ran.length - failed, failed, ran });
  if (failed > 0) process.exitCode = 1;
}

function printedIn(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The same commit is tried with the same seeds, and the next one with others. */
function seedOfCommit(): number {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  return 1 + (Number.parseInt(commit.slice(0, 8), 16) % 1_000_000);
}
