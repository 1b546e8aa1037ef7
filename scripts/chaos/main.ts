/** `pnpm chaos`: real processes on a real broker, both hurt in every way at hand, and a history that an independent checker judges. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import type { EpisodeResult } from './episode.ts';
import type { Progress, Spread } from './figures.ts';
import { handoffCommand, handoffUsage, isHandoff } from './handoff/command.ts';
import { planOf } from './plan.ts';
import { isRollout, rolloutCommand, rolloutUsage } from './rollout/command.ts';
import { runChaos } from './run.ts';
import type { RunResult } from './run.ts';
import { leastSeconds, timingOf } from './timing.ts';

const usage =
  'usage: chaos --broker nats|kafka [--cluster 3] --episodes N --seconds S [--seed X] --history FILE [--plan] [--json]\n' +
  '  --plan prints what would be done, and does nothing\n' +
  `${handoffUsage}\n${rolloutUsage}`;

async function main(): Promise<void> {
  // pnpm hands on the `--` that some write before the options.
  const args = process.argv.slice(2).filter((argument) => argument !== '--');
  if (isHandoff(args)) return handoffCommand(args, stopOnSignals).then(endNow);
  if (isRollout(args)) return rolloutCommand(args, stopOnSignals).then(endNow);
  const { values } = parseArgs({
    args,
    options: {
      broker: { type: 'string' },
      cluster: { type: 'string', default: '1' },
      episodes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      history: { type: 'string' },
      plan: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const broker = values.broker === 'nats' || values.broker === 'kafka' ? values.broker : wrong('broker', values.broker, 'nats or kafka');
  const cluster = values.cluster === '1' ? 1 : values.cluster === '3' ? 3 : wrong('cluster', values.cluster, '1 or 3');
  const episodes = count('episodes', values.episodes, { min: 1, max: 100_000 });
  const seconds = count('seconds', values.seconds, { min: leastSeconds(broker), max: 600 });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : count('seed', values.seed, { min: 0, max: 2 ** 31 });
  console.log(`seed ${seed}`);
  if (values.plan) {
    const plan = planOf({ seed, episodes, seconds, cluster, timing: timingOf(broker) });
    for (const episode of plan) console.log(JSON.stringify(episode));
    if (values.json) printJson({ ok: true, command: 'chaos', broker, cluster, episodes, seed, plan });
    return;
  }
  const historyFile = values.history ?? wrong('history', values.history, 'a file');
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

function count(option: string, given: string | undefined, { min, max }: { readonly min: number; readonly max: number }): number {
  const value = Number(given);
  if (given !== undefined && Number.isInteger(value) && value >= min && value <= max) return value;
  return wrong(option, given, `a whole number from ${min} to ${max}`);
}

function wrong(option: string, given: string | undefined, wanted: string): never {
  throw new Error(`--${option} is ${given ?? 'missing'}, and must be ${wanted}\n${usage}`);
}

program(main);
