/** `pnpm chaos --scenario rollout`: the diskless voters of a group restarted in turn, round after round, while others take locks. */
import { parseArgs } from 'node:util';
import { printJson } from '../../program.ts';
import { timingOf } from '../timing.ts';
import { ways } from './restart.ts';
import type { Way } from './restart.ts';
import { runRollout } from './run.ts';
import type { RolloutResult } from './run.ts';

export const rolloutUsage =
  'usage: chaos --scenario rollout --broker nats|kafka [--cluster 3] --rounds N [--way close|kill] [--json]\n' +
  '  --way says how a voter goes: `close` as on SIGTERM (the default), `kill` as on kill -9';

const roundsMax = 1_000;

/** Whether the command line asks for this scenario. */
export function isRollout(args: readonly string[]): boolean {
  return args.some((argument, index) => argument === '--scenario=rollout' || (argument === '--scenario' && args[index + 1] === 'rollout'));
}

export async function rolloutCommand(args: readonly string[], onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      broker: { type: 'string' },
      cluster: { type: 'string', default: '1' },
      rounds: { type: 'string' },
      way: { type: 'string', default: 'close' },
      json: { type: 'boolean', default: false },
    },
  });
  const broker = values.broker === 'nats' || values.broker === 'kafka' ? values.broker : wrong('broker', values.broker, 'nats or kafka');
  const cluster = values.cluster === '1' ? 1 : values.cluster === '3' ? 3 : wrong('cluster', values.cluster, '1 or 3');
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= roundsMax))
    wrong('rounds', values.rounds, `a whole number from 1 to ${roundsMax}`);
  const way: Way = ways.find((known) => known === values.way) ?? wrong('way', values.way, ways.join(' or '));
  const beganMs = performance.now();
  const onProgress = (text: string): void => console.log(`  ${((performance.now() - beganMs) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
  console.log(`${rounds} rounds, sessions of ${timingOf(broker).sessionTtlMs} ms`);
  const result = await runRollout({ broker, cluster, rounds, way, onProgress, onStarted });
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
    `  a voter was ready after p50 ${readyMs.p50} ms, longest ${readyMs.max} ms`,
    `  porcupine            ${result.porcupine.operations} operations, ${result.porcupine.illegal} illegal, ${result.porcupine.unknown} unknown`,
    ...result.violations.map(({ rule, key, text }) => `    ${rule} ${key}: ${text}`),
    ...result.failures.map((failure) => `    ${failure}`),
  ].join('\n');
}

function wrong(option: string, given: string | undefined, wanted: string): never {
  throw new Error(`--${option} is ${given ?? 'missing'}, and must be ${wanted}\n${rolloutUsage}`);
}
