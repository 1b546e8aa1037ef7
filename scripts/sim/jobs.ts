/** Seeds spread over several processes: each takes the next range as soon as it is done with one. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Mark } from '@quorate/core/simulation';
import type { Range, RangeResult, SeedFailure } from './job.ts';

export interface SeedsOptions {
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
  /** Stops giving out ranges at the first failure. */
  readonly stopAtFailure: boolean;
  /** Stops giving out ranges at this moment, by `Date.now()`. */
  readonly untilMs?: number;
  readonly onRange?: (done: SeedsResult) => void;
}

export interface SeedsResult {
  seeds: number;
  events: number;
  simulatedMs: number;
  grants: number;
  progressDemanded: number;
  recoveryMaxMs: number;
  leaderlessMaxMs: number;
  cpuSeconds: number;
  readonly failures: SeedFailure[];
  readonly marks: Partial<Record<Mark, number>>;
}

type JobMessage =
  { readonly type: 'result'; readonly result: RangeResult } | { readonly type: 'error'; readonly range: Range; readonly message: string };

const rangeMax = 25;
/** Of jobs that are as many as cores: threads of V8 beside them would only take turns with them. */
const lean = ['--single-threaded', '--max-semi-space-size=64'];

export function runSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { seeds, from, jobs, stopAtFailure, untilMs = Infinity, onRange } = options;
  const total: SeedsResult = {
    seeds: 0,
    events: 0,
    simulatedMs: 0,
    grants: 0,
    progressDemanded: 0,
    recoveryMaxMs: 0,
    leaderlessMaxMs: 0,
    cpuSeconds: 0,
    failures: [],
    marks: {},
  };
  let next = from;
  const take = (): Range | null => {
    const count = Math.min(rangeMax, from + seeds - next, Math.ceil(seeds / jobs));
    if (count <= 0 || Date.now() >= untilMs || (stopAtFailure && total.failures.length > 0)) return null;
    next += count;
    return { from: next - count, count };
  };
  const runJob = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(`${__dirname}/job-program.ts`, {
        execArgv: [...process.execArgv, ...(jobs >= availableParallelism() ? lean : [])],
      });
      const giveNext = (): void => {
        const range = take();
        if (range) child.send(range);
        else child.disconnect();
      };
      child.on('message', (message: JobMessage) => {
        if (message.type === 'error') return fail(child, new Error(`seeds from ${message.range.from}: ${message.message}`), reject);
        add(total, message.result);
        onRange?.(total);
        giveNext();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a job of the simulation ended with code ${String(code)}`))));
      giveNext();
    });
  return Promise.all(Array.from({ length: jobs }, runJob)).then(() => total);
}

function fail(child: ChildProcess, error: Error, reject: (error: Error) => void): void {
  child.kill();
  reject(error);
}

function add(total: SeedsResult, { failures, marks, count, recoveryMaxMs, leaderlessMaxMs, ...numbers }: RangeResult): void {
  total.seeds += count;
  for (const name of ['events', 'simulatedMs', 'grants', 'progressDemanded', 'cpuSeconds'] as const) total[name] += numbers[name];
  total.recoveryMaxMs = Math.max(total.recoveryMaxMs, recoveryMaxMs);
  total.leaderlessMaxMs = Math.max(total.leaderlessMaxMs, leaderlessMaxMs);
  total.failures.push(...failures);
  for (const [mark, times] of Object.entries(marks) as [Mark, number][]) total.marks[mark] = (total.marks[mark] ?? 0) + times;
}
