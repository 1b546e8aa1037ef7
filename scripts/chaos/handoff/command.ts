/** `pnpm chaos --scenario handoff`: hand-off of partitions under fire, judged by what its processes believed and what came out. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { printJson } from '../../program.ts';
import { commonOptions, OptionReader, progressLines } from '../options.ts';
import { timingOf } from '../timing.ts';
import { runHandoff } from './run.ts';
import type { HandoffResult } from './result.ts';

export const handoffUsage =
  'usage: chaos --scenario handoff --broker nats|kafka [--cluster 3] --seconds S [--seed X] [--baseline] [--json]\n' +
  '  --baseline does the same to a plain consumer group of kafkajs, or to a queue group of NATS';

const partitions = 64;
const secondsMin = 10;
const secondsMax = 600;

export async function handoffCommand(args: readonly string[], onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...commonOptions,
      seconds: { type: 'string' },
      seed: { type: 'string' },
      baseline: { type: 'boolean', default: false },
    },
  });
  const reader = new OptionReader(handoffUsage);
  const place = reader.place(values);
  const seconds = reader.count('seconds', values.seconds, { min: secondsMin, max: secondsMax });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : reader.count('seed', values.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  const { baseline } = values;
  console.log(`seed ${seed}`);
  console.log(`${seconds} s, sessions of ${timingOf(place.broker).sessionTtlMs} ms`);
  const result = await runHandoff({ ...place, seconds, seed, baseline, partitions, onProgress: progressLines(), onStarted });
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
