/** `pnpm chaos --scenario handoff`: hand-off of partitions under fire, judged by what its processes believed and what came out. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { printJson } from '../../program.ts';
import { timingOf } from '../timing.ts';
import { runHandoff } from './run.ts';
import type { HandoffResult } from './result.ts';

export const handoffUsage =
  'usage: chaos --scenario handoff --broker nats|kafka [--cluster 3] --seconds S [--seed X] [--baseline] [--json]\n' +
  '  --baseline does the same to a plain consumer group of kafkajs, or to a queue group of NATS';

const partitions = 64;
const secondsMin = 10;
const secondsMax = 600;

/** Whether the command line asks for this scenario. */
export function isHandoff(args: readonly string[]): boolean {
  return args.some((argument, index) => argument === '--scenario=handoff' || (argument === '--scenario' && args[index + 1] === 'handoff'));
}

export async function handoffCommand(args: readonly string[], onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      broker: { type: 'string' },
      cluster: { type: 'string', default: '1' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      baseline: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const broker = values.broker === 'nats' || values.broker === 'kafka' ? values.broker : wrong('broker', values.broker, 'nats or kafka');
  const cluster = values.cluster === '1' ? 1 : values.cluster === '3' ? 3 : wrong('cluster', values.cluster, '1 or 3');
  const seconds = Number(values.seconds);
  if (!(Number.isInteger(seconds) && seconds >= secondsMin && seconds <= secondsMax))
    wrong('seconds', values.seconds, `a whole number from ${secondsMin} to ${secondsMax}`);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) wrong('seed', values.seed, 'a whole number');
  const { baseline } = values;
  console.log(`seed ${seed}`);
  console.log(`${seconds} s, sessions of ${timingOf(broker).sessionTtlMs} ms`);
  const beganMs = performance.now();
  const onProgress = (text: string): void => console.log(`  ${((performance.now() - beganMs) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
  const result = await runHandoff({ broker, cluster, seconds, seed, baseline, partitions, onProgress, onStarted });
  console.log(describe(result));
  if (values.json) printJson({ command: 'chaos', ...result });
  if (!result.ok) process.exitCode = 1;
}

function describe(result: HandoffResult): string {
  const scenarios = Object.entries(result.scenarios).map(([name, times]) => `${name} ${times ?? 'not here'}`);
  const verdict = result.baseline ? 'what users have today' : result.ok ? 'every promise kept' : 'FAILED';
  return [
    `handoff: ${result.members} members, ${result.partitions} partitions, seed ${result.seed}: ${verdict}`,
    `  strikes              ${result.stops} stops (${result.stopsBeforePublish} before a publish), ${result.kills} kills and ${result.leaves} leaves (${result.votersLost} of voters), ${result.joins} joins`,
    `  scenarios            ${scenarios.join(', ')}`,
    `  partitions moved     ${result.moves} times`,
    `  overlaps             ${result.overlaps}`,
    `  messages             ${result.produced} produced, ${result.processed} processed, ${result.lost} lost, ${result.doubled} doubled, ${result.repeats} repeats, ${result.orderBroken} out of order`,
    `  stale outputs        ${result.staleDropped} dropped by the fence`,
    `  longest unowned      ${result.longestUnownedMs === null ? 'nobody owns anything' : `${result.longestUnownedMs} ms`}`,
    ...result.missed.map((name) => `    did not come about: ${name}`),
    ...result.failures.map((failure) => `    ${failure}`),
  ].join('\n');
}

function wrong(option: string, given: string | undefined, wanted: string): never {
  throw new Error(`--${option} is ${given ?? 'missing'}, and must be ${wanted}\n${handoffUsage}`);
}
