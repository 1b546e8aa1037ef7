/** `pnpm sim`: whole groups in virtual worlds, one after another, until a seed breaks a promise or all have kept them. */
import { cpus } from 'node:os';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawCircumstances, everyMark, liveOwnLife, markMeanings, reduce, shrink } from '@quorate/core/simulation';
import type { Circumstances, LifeResult, Reduction } from '@quorate/core/simulation';
import { printJson, program } from '../program.ts';
import { runSeeds } from './jobs.ts';
import type { SeedsResult } from './jobs.ts';
import { parseReduction, replayCommand } from './reduction.ts';

const usage = `usage: pnpm sim --seeds N [--from S] [--jobs J] [--keep-going] [--json]
       pnpm sim --seed S [--without "faults=3,9 calm ..."] [--trace] [--save] [--json]`;

/** A run of this many seeds must have reached every mark. */
const seedsForAllMarks = 2_000;
/** In so many of a hundred lives, as a part, the group must have been able to come right again. */
const progressDemandedLeast = 0.8;
const savedFolder = join(__dirname, '../../packages/core/test/simulation/lives');

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(Math.max(1, cpus().length)) },
      'keep-going': { type: 'boolean', default: false },
      seed: { type: 'string' },
      without: { type: 'string' },
      trace: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined) {
    const reduction = parseReduction(values.without ?? '');
    return oneSeed(count('seed', values.seed), reduction, values);
  }
  if (values.seeds === undefined) throw new Error(usage);
  const options = { seeds: count('seeds', values.seeds), from: count('from', values.from), jobs: count('jobs', values.jobs) };
  const total = await runSeeds({ ...options, stopAtFailure: !values['keep-going'], onRange: (done) => progress(done, options.seeds) });
  await report(total, options, values.json);
}

async function oneSeed(
  seed: number,
  reduction: Reduction,
  { trace, save, json }: { readonly trace: boolean; readonly save: boolean; readonly json: boolean },
): Promise<void> {
  const circumstances = reduce(drawCircumstances(seed), reduction);
  const life = await liveOwnLife(circumstances, trace);
  for (const line of life.story) console.log(line);
  console.log(describeLife(life));
  if (life.broken && !trace) await explain(circumstances, life, reduction);
  if (save) console.log(`saved as ${saveLife(circumstances, life)}`);
  const { traceHash, events, simulatedMs, grants, broken } = life;
  if (json)
    printJson({ ok: broken === null, command: 'sim', seed, traceHash, events, simulatedMs, grants, broken: broken?.message ?? null });
  if (broken) process.exitCode = 1;
}

async function report(
  total: SeedsResult,
  { seeds, from, jobs }: { seeds: number; from: number; jobs: number },
  json: boolean,
): Promise<void> {
  const marksMissed = everyMark.filter((mark) => !total.marks[mark]);
  const seedsPerSecondPerCore = round(total.seeds / total.cpuSeconds);
  console.log(
    `${total.seeds} seeds from ${from}, ${jobs} jobs: ${seedsPerSecondPerCore} a second of processor time, ` +
      `${Math.round(total.events / total.seeds)} events and ${round(total.simulatedMs / total.seeds / 1000)} virtual seconds each, ` +
      `${total.grants} grants; progress demanded of ${total.progressDemanded}, slowest recovery ${Math.round(total.recoveryMaxMs)} ms, longest without a leader ${Math.round(total.leaderlessMaxMs)} ms`,
  );
  for (const mark of everyMark) console.log(`  ${String(total.marks[mark] ?? 0).padStart(9)}  ${markMeanings[mark]}`);
  const failures = [...total.failures].sort((a, b) => a.seed - b.seed);
  for (const { seed, promise, what } of failures) console.log(`seed ${seed} broke "${promise}": ${what}`);
  const [first] = failures;
  if (first) {
    const circumstances = drawCircumstances(first.seed);
    await explain(circumstances, await liveOwnLife(circumstances), {});
  }
  const mustReachAll = total.seeds >= seedsForAllMarks;
  if (mustReachAll && marksMissed.length > 0) console.log(`never reached: ${marksMissed.join(', ')}`);
  // A run in which next to nobody had to come right again has shown nothing of progress.
  const demandedEnough = total.progressDemanded >= progressDemandedLeast * total.seeds && total.grants > 0;
  if (mustReachAll && !demandedEnough) console.log(`progress was demanded of ${total.progressDemanded} only`);
  const isLarge = !mustReachAll || (marksMissed.length === 0 && demandedEnough);
  const ok = failures.length === 0 && total.seeds === seeds && isLarge;
  if (json) {
    printJson({
      ok,
      command: 'sim',
      seeds: total.seeds,
      from,
      jobs,
      seedsPerSecondPerCore,
      eventsPerSeed: Math.round(total.events / total.seeds),
      virtualSecondsPerSeed: round(total.simulatedMs / total.seeds / 1000),
      violations: failures.length,
      progressDemanded: total.progressDemanded,
      recoveryMaxMs: Math.round(total.recoveryMaxMs),
      leaderlessMaxMs: Math.round(total.leaderlessMaxMs),
      marks: total.marks,
      marksMissed,
      failures,
    });
  }
  if (!ok) process.exitCode = 1;
}

/** The shortest story, and the command that tells it again. */
async function explain(circumstances: Circumstances, failed: LifeResult, already: Reduction): Promise<void> {
  const { reduction, result, runs } = await shrink(circumstances, failed, (shorter) => liveOwnLife(shorter, true));
  const story = result.story.length > 0 ? result.story : (await liveOwnLife(circumstances, true)).story;
  console.log(`\nthe shortest story found in ${runs} attempts:\n`);
  for (const line of story) console.log(line);
  const command = replayCommand(circumstances.seed, reduction);
  const isWhole = Object.keys(already).length === 0;
  console.log(isWhole ? `\nreplay it:  ${command}` : '');
}

/** Kept with all its circumstances, so that it stays the same life when seeds are drawn otherwise one day. */
function saveLife(circumstances: Circumstances, { broken }: LifeResult): string {
  mkdirSync(savedFolder, { recursive: true });
  const name = `${(broken?.promise ?? 'kept').replaceAll(' ', '-')}-${circumstances.seed}.json`;
  const was = broken ? `${broken.promise}: ${broken.what}` : 'kept every promise';
  writeFileSync(join(savedFolder, name), `${JSON.stringify({ was, circumstances }, null, 1)}\n`);
  return name;
}

function describeLife({ seed, traceHash, events, simulatedMs, grants, broken, recoveryMs }: LifeResult): string {
  const end = broken
    ? `broke "${broken.promise}": ${broken.what}`
    : `kept every promise; right again ${Math.round(recoveryMs)} ms after the last fault`;
  return `seed ${seed}: ${events} events in ${round(simulatedMs / 1000)} virtual seconds, ${grants} grants, trace ${traceHash}; ${end}`;
}

let shownAtMs = 0;
let failuresShown = 0;
function progress({ seeds, failures }: SeedsResult, of: number): void {
  for (; failuresShown < failures.length; failuresShown += 1) console.error(`  ${JSON.stringify(failures[failuresShown])}`);
  if (Date.now() - shownAtMs < 10_000) return;
  shownAtMs = Date.now();
  console.error(`  ${seeds} of ${of} seeds, ${failures.length} failures`);
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`--${name} must be a positive whole number, not ${text}\n${usage}`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

program(main);
