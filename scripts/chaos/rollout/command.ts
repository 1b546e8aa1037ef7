/** `pnpm chaos --scenario rollout`: the diskless members of a group replaced in turn, round after round, while others take locks. */
import { parseArgs } from 'node:util';
import { printJson } from '../../program.ts';
import { commonOptions, OptionReader, progressLines } from '../options.ts';
import { timingOf } from '../timing.ts';
import { ways } from './rolling-restart.ts';
import type { Way } from './rolling-restart.ts';
import { runRollout } from './run.ts';
import type { RolloutResult } from './run.ts';

export const rolloutUsage =
  'usage: chaos --scenario rollout --broker nats|kafka [--cluster 3] --rounds N [--way close|kill | --deployment] [--json]\n' +
  '  --way says how a voter goes: `close` as on SIGTERM (the default), `kill` as on kill -9\n' +
  '  --deployment has four pods of random names, of which three vote, and replaces each by a new one, as Kubernetes updates a Deployment';

const roundsMax = 1_000;

export async function rolloutCommand(args: readonly string[], onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...commonOptions,
      rounds: { type: 'string' },
      way: { type: 'string', default: 'close' },
      deployment: { type: 'boolean', default: false },
    },
  });
  const reader = new OptionReader(rolloutUsage);
  const place = reader.place(values);
  const rounds = reader.count('rounds', values.rounds, { min: 1, max: roundsMax });
  const way: Way = ways.find((known) => known === values.way) ?? reader.refuse('way', values.way, ways.join(' or '));
  const { deployment } = values;
  if (deployment && way !== 'close') reader.refuse('way', way, '`close` beside --deployment, which ends its pods by SIGTERM');
  console.log(`${rounds} rounds, sessions of ${timingOf(place.broker).sessionTtlMs} ms`);
  const result = await runRollout({ ...place, rounds, way, deployment, onProgress: progressLines(), onStarted });
  console.log(describe(result));
  if (values.json) printJson({ command: 'chaos', scenario: 'rollout', ...result });
  if (!result.ok) process.exitCode = 1;
}

function describe(result: RolloutResult): string {
  const { pauseMs, readyMs, electionTimeoutMs } = result;
  return [
    `rollout: ${result.restarts} restarts in ${result.rounds} rounds: ${result.ok ? 'every promise kept' : 'FAILED'}`,
    `  overlaps             ${result.overlaps}`,
    `  tokens increasing    ${result.tokensIncreasing ? 'yes' : 'NO'}`,
    `  stuck                ${result.stuck}`,
    `  nobody was granted anything for p50 ${pauseMs.p50} ms, longest ${pauseMs.max} ms (election timeout ${electionTimeoutMs} ms)`,
    `  a process was ready after p50 ${readyMs.p50} ms, longest ${readyMs.max} ms`,
    `  porcupine            ${result.porcupine.operations} operations, ${result.porcupine.illegal} illegal, ${result.porcupine.unknown} unknown`,
    ...result.violations.map(({ rule, key, text }) => `    ${rule} ${key}: ${text}`),
    ...result.failures.map((failure) => `    ${failure}`),
  ].join('\n');
}
