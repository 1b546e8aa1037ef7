/**
 * `pnpm nightly --minutes M [--summary FILE]`: the same search as `pnpm proof`, without mercy, round after round with fresh seeds until
 * the time is over. What was done stands in one summary file, and a run that was cut off goes on from there, wherever it was.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { shortfall } from '../proof/commands.ts';
import type { Shown } from '../proof/commands.ts';
import { runProof } from '../proof/run.ts';
import { roundOf } from './plan.ts';
import type { NightStep } from './plan.ts';

interface Summary {
  /** Rounds that were begun; each has its own seeds. */
  rounds: number;
  /** Steps of the present round that have come to their end. */
  done: string[];
  /** By command, over all rounds. */
  readonly counts: Record<string, number>;
  readonly failures: { readonly round: number; readonly command: string; readonly wrong: string; readonly shown: Shown | null }[];
}

const jobs = availableParallelism();
const stepMinutesMax = 60;

program(async () => {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      minutes: { type: 'string' },
      summary: { type: 'string', default: 'nightly.json' },
      json: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error('usage: pnpm nightly --minutes M [--summary FILE] [--json]');
  const untilMs = Date.now() + minutes * 60_000;
  const summary = load(values.summary);
  const histories = mkdtempSync(join(tmpdir(), 'quorate-nightly-'));
  while (Date.now() < untilMs) {
    for (const next of roundOf(summary.rounds, jobs, histories).filter(({ key }) => !summary.done.includes(key))) {
      if (Date.now() >= untilMs) break;
      await step(next, summary, untilMs, values.summary);
    }
    if (Date.now() >= untilMs) break;
    summary.rounds += 1;
    summary.done = [];
    save(values.summary, summary);
  }
  if (summary.failures.length === 0) rmSync(histories, { recursive: true, force: true });
  else console.log(`histories of chaos are kept in ${histories}`);
  const names = new Set(roundOf(0, jobs, histories).map(({ command }) => command.name));
  const notRun = [...names].filter((name) => !summary.counts[name]);
  if (notRun.length > 0) console.log(`not run: ${notRun.join(', ')}`);
  for (const [name, count] of Object.entries(summary.counts)) console.log(`${name.padEnd(16)} ${count}`);
  for (const { round, command, wrong } of summary.failures) console.log(`round ${round}, ${command}: ${wrong}`);
  const did = Object.values(summary.counts).some((count) => count > 0);
  const ok = did && summary.failures.length === 0;
  if (values.json)
    printJson({ ok, command: 'nightly', rounds: summary.rounds, counts: summary.counts, notRun, failures: summary.failures });
  if (!ok) process.exitCode = 1;
});

/** A step that the end of the night cuts off is done again next time; one that takes longer than any should is a failure. */
async function step({ key, command }: NightStep, summary: Summary, untilMs: number, file: string): Promise<void> {
  console.log(`--> round ${summary.rounds}, ${key}: pnpm ${command.args.join(' ')}`);
  const shown = await runProof(command, Math.min(untilMs - Date.now(), stepMinutesMax * 60_000));
  const wrong = shortfall(command, shown);
  if (wrong !== null && Date.now() >= untilMs) return;
  summary.counts[command.name] = (summary.counts[command.name] ?? 0) + (shown ? command.count(shown) : 0);
  if (wrong !== null) summary.failures.push({ round: summary.rounds, command: command.args.join(' '), wrong, shown });
  summary.done.push(key);
  save(file, summary);
}

function load(file: string): Summary {
  if (!existsSync(file)) return { rounds: 0, done: [], counts: {}, failures: [] };
  return JSON.parse(readFileSync(file, 'utf8')) as Summary;
}

/** Whole or not at all. */
function save(file: string, summary: Summary): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.next`, `${JSON.stringify(summary, null, 1)}\n`);
  renameSync(`${file}.next`, file);
}
