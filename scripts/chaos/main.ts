/** `pnpm chaos`: real processes on a real broker, both hurt in every way at hand, and a history that an independent checker judges. */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import type { EpisodeResult } from './episode.ts';
import type { Progress, Spread } from './figures.ts';
import { handoffCommand, handoffUsage } from './handoff/command.ts';
import { commonOptions, OptionReader, scenarioOf } from './options.ts';
import type { ScenarioCommand } from './options.ts';
import { planOf } from './plan.ts';
import { rolloutCommand, rolloutUsage } from './rollout/command.ts';
import { runChaos } from './run.ts';
import type { RunResult } from './run.ts';
import { leastSeconds, timingOf } from './timing.ts';

const usage =
  'usage: chaos --broker nats|kafka [--cluster 3] --episodes N --seconds S [--seed X] [--history FILE] [--plan] [--json]\n' +
  '  --history keeps what was done and seen, for the checker; without it that is kept only after a failure\n' +
  '  --plan prints what would be done, and does nothing\n' +
  `${handoffUsage}\n${rolloutUsage}`;

const scenarios = new Map<string, ScenarioCommand>([
  ['handoff', handoffCommand],
  ['rollout', rolloutCommand],
]);

async function main(): Promise<void> {
  // pnpm hands on the `--` that some write before the options.
  const args = process.argv.slice(2).filter((argument) => argument !== '--');
  const reader = new OptionReader(usage);
  const scenario = scenarioOf(args);
  if (scenario !== undefined) {
    const command = scenarios.get(scenario) ?? reader.refuse('scenario', scenario, [...scenarios.keys()].join(' or '));
    return command(args, stopOnSignals).then(endNow);
  }
  const { values } = parseArgs({
    args,
    options: {
      ...commonOptions,
      episodes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      history: { type: 'string' },
      plan: { type: 'boolean', default: false },
    },
  });
  const { broker, cluster } = reader.place(values);
  const episodes = reader.count('episodes', values.episodes, { min: 1, max: 100_000 });
  const seconds = reader.count('seconds', values.seconds, { min: leastSeconds(broker), max: 600 });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : reader.count('seed', values.seed, { min: 0, max: 2 ** 31 });
  console.log(`seed ${seed}`);
  if (values.plan) {
    const plan = planOf({ seed, episodes, seconds, cluster, timing: timingOf(broker) });
    for (const episode of plan) console.log(JSON.stringify(episode));
    if (values.json) printJson({ ok: true, command: 'chaos', broker, cluster, episodes, seed, plan });
    return;
  }
  const ownFolder = values.history === undefined ? mkdtempSync(join(tmpdir(), 'quorate-history-')) : undefined;
  const historyFile = values.history ?? join(ownFolder ?? '', 'history.jsonl');
  const beganAtMs = performance.now();
  const result = await runChaos({
    broker,
    cluster,
    episodes,
    seconds,
    seed,
    historyFile,
    onBroker: (text) => console.log(`${text}; episodes of ${seconds} s, sessions of ${timingOf(broker).sessionTtlMs} ms`),
    onEpisode: (number, episode, progress) => console.log(lineOf(number, episode, progress, (performance.now() - beganAtMs) / 1_000)),
    onStarted: stopOnSignals,
  });
  console.log(describe(result));
  if (ownFolder !== undefined && result.ok) rmSync(ownFolder, { recursive: true, force: true });
  else console.log(`the history is kept in ${historyFile}`);
  if (values.json) printJson({ command: 'chaos', ...result });
  if (!result.ok) process.exitCode = 1;
  endNow();
}

/** All is stopped and said; a connection that a nemesis left half open must not keep the command from its end. */
function endNow(): void {
  process.stdout.write('', () => process.exit());
}

/** Everything that was started is stopped by its process id, in the middle of an episode too. */
function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    console.error(`${signal}: stopping every process of this run`);
    const leave = (): void => process.exit(signal === 'SIGINT' ? 130 : 143);
    stop().then(leave, leave);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

function lineOf(
  number: number,
  { strikes, history, recoveryMs, orphans, failures }: EpisodeResult,
  progress: Progress,
  atSeconds: number,
): string {
  const what = strikes.map(({ type, process: name, wasLeader }) => `${type}${name === undefined ? '' : ` ${name}${wasLeader ? '*' : ''}`}`);
  const end = recoveryMs === undefined ? 'NOT RECOVERED' : `recovered in ${Math.round(recoveryMs)} ms`;
  const takeovers = [...progress.takeoverMs, ...progress.hamperedTakeoverMs];
  const takeover = takeovers.length > 0 ? `, take-over ${takeovers.map(Math.round).join(', ')} ms` : '';
  const bad = [...orphans.map((orphan) => `ORPHAN ${orphan}`), ...failures].map((text) => `\n    ${text}`).join('');
  return `  ${String(number).padStart(3)}  ${atSeconds.toFixed(0).padStart(4)} s  ${history.length} operations; ${what.join(', ')}; ${end}${takeover}${bad}`;
}

function describe(result: RunResult): string {
  const { porcupine, recoveryMs } = result;
  const nemeses = Object.entries(result.nemeses).map(([name, times]) => `${name} ${times}`);
  return [
    `chaos: ${result.episodes} episodes, seed ${result.seed}: ${result.ok ? 'every promise kept' : 'FAILED'}`,
    `  nemeses              ${nemeses.join(', ')}`,
    `  safety failures      ${result.safetyFailures}`,
    ...result.violations.map(({ rule, key, text }) => `    ${rule} ${key}: ${text}`),
    `  not recovered        ${result.unrecovered}`,
    `  stale writes         ${result.staleWritesRefused} refused by the guarded store, ${result.unguardedStaleWrites} taken by the other one`,
    ...(result.checkAlive ? [] : ['    THE CHECK IS NOT ALIVE: holders were stopped before their writes, and no stale write was seen']),
    `  porcupine            ${porcupine.operations} operations, ${porcupine.illegal} illegal, ${porcupine.unknown} unknown`,
    `  take-over            ${spread(result.takeoverMs)}; with other faults at the same time: ${spread(result.hamperedTakeoverMs)}`,
    `  without a leader     ${spread(result.withoutLeaderMs)}`,
    `  hand-over            ${spread(result.handOverMs)} (after the death of a holder)`,
    `  recovery             ${spread(recoveryMs)} (bound ${recoveryMs.bound} ms)`,
  ].join('\n');
}

function spread({ count: times, p50, p99, max }: Spread): string {
  return times === 0 ? 'did not happen' : `p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms, ${times} times`;
}

program(main);
