/**
 * `pnpm bench lock|takeover|movement|ring`: what a lock costs beside the bare transport, how long a dead leader is missed, what moves
 * when members come and go, and how fast the ring is.
 */
import { parseArgs } from 'node:util';
import { printJson, program } from '../program.ts';
import { lockBench, places, stores } from './lock-bench.ts';
import type { LockBenchResult } from './lock-bench.ts';
import { describeMovement, movementBench } from './movement-bench.ts';
import { describeRing, ringBench } from './ring-bench.ts';
import { takeoverBench } from './takeover-bench.ts';
import type { TakeoverResult } from './takeover-bench.ts';

const usage = `usage: bench lock     --transport memory|nats|kafka [--voters 3] [--clients 1] [--seconds 5] [--at leader|follower|client] [--storage memory|lmdb|jetstream|kafka] [--profile folder] [--json]
       bench takeover --transport nats|kafka [--rounds 20] [--json]
       bench movement [--json]
       bench ring     [--rounds 9] [--json]`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    // pnpm hands on the `--` that some write before the options.
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      transport: { type: 'string', default: 'nats' },
      voters: { type: 'string', default: '3' },
      clients: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '5' },
      at: { type: 'string', default: 'leader' },
      storage: { type: 'string', default: 'memory' },
      rounds: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [command] = positionals;
  if (command === 'lock') {
    const at = oneOf('at', values.at, places);
    const transport = oneOf('transport', values.transport, ['memory', 'nats', 'kafka'] as const);
    const voters = count('voters', values.voters, { max: 7 });
    const clients = count('clients', values.clients, { max: 4_096 });
    const seconds = count('seconds', values.seconds, { max: 3_600 });
    const storage = oneOf('storage', values.storage, stores);
    const result = await lockBench({ transport, voters, clients, seconds, at, storage, profile: values.profile });
    console.log(describeLock(result));
    if (values.json) printJson({ ok: true, command: 'bench lock', ...result });
    return;
  }
  if (command === 'takeover') {
    const transport = oneOf('transport', values.transport, ['nats', 'kafka'] as const);
    const rounds = count('rounds', values.rounds ?? '20', { max: 1_000 });
    let done = 0;
    const result = await takeoverBench({
      transport,
      rounds,
      onRound: ({ servedMs, leaderMs }) =>
        console.log(`  round ${String(++done).padStart(2)}  served after ${ms(servedMs)}, new leader known after ${ms(leaderMs)}`),
    });
    console.log(describeTakeover(result));
    if (values.json) printJson({ ok: result.withinBound, command: 'bench takeover', ...result });
    if (!result.withinBound) process.exitCode = 1;
    return;
  }
  if (command === 'movement') {
    const result = await movementBench();
    console.log(describeMovement(result));
    if (values.json) printJson({ command: 'bench movement', ...result });
    if (!result.ok) process.exitCode = 1;
    return;
  }
  if (command === 'ring') {
    const result = ringBench({ rounds: count('rounds', values.rounds ?? '9', { max: 1_000 }) });
    console.log(describeRing(result));
    if (values.json) printJson({ ok: result.withinBound, command: 'bench ring', ...result });
    if (!result.withinBound) process.exitCode = 1;
    return;
  }
  throw new Error(usage);
}

function describeLock(result: LockBenchResult): string {
  const where =
    result.processes === 1 ? `${result.voters} nodes in one process` : `${result.processes} processes, ${result.voters} of them voters`;
  const { at, clients, frameBytes, floorSamples, leaderChanges } = result;
  return [
    `lock: ${result.carrier}, ${where}; ${clients} ${clients === 1 ? 'client' : 'clients'} at the ${at}, each on a lock of its own${result.storage === 'memory' ? '' : `; voters keep their memory in ${result.storage}`}`,
    `  cycles (acquire + release)  ${result.cyclesPerSecond.toLocaleString('en')} per second (${result.cycles.toLocaleString('en')} in all)`,
    `  acquire                     p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms`,
    `  floor                       p50 ${result.floorMs} ms: two hops of the bare transport, ${frameBytes} bytes each, ${floorSamples} times in turns with the work`,
    `  ratio                       ${result.ratio} (acquire p50 over floor)`,
    `  processor                   ${Math.round(result.cpu * 100)} % of a core in the working process`,
    ...(leaderChanges > 0 ? [`  the leader changed ${leaderChanges} times meanwhile: measure again`] : []),
  ].join('\n');
}

function describeTakeover({ carrier, rounds, servedMs, leaderMs, ...timing }: TakeoverResult): string {
  return [
    `takeover: ${carrier}, 3 voters and a client, a process each; the leading one killed ${rounds} times, each time in a fresh group`,
    `  first lock granted by the new leader   p50 ${ms(servedMs.p50)}, p99 ${ms(servedMs.p99)}, longest ${ms(servedMs.max)}`,
    `  new leader known                       p50 ${ms(leaderMs.p50)}, p99 ${ms(leaderMs.p99)}, longest ${ms(leaderMs.max)}`,
    `  election timeout                       ${ms(timing.electionTimeoutMs)} to ${ms(timing.electionTimeoutMaxMs)}`,
    `  bound (4 of the longest)               ${ms(timing.boundMs)}: ${timing.withinBound ? 'kept' : 'BROKEN'}`,
  ].join('\n');
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new Error(`--${option} is ${given}, not one of ${known.join(', ')}\n${usage}`);
  return found;
}

function count(option: string, given: string, { max }: { readonly max: number }): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${option} is ${given}, not a whole number from 1 to ${max}\n${usage}`);
}

program(main);
