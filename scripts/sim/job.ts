/** A job of the simulation: lives one range of seeds after another, as it is told, and reports each. */
import { drawCircumstances, liveOwnLife } from '@quorate/core/simulation';
import type { Mark } from '@quorate/core/simulation';

export interface Range {
  readonly from: number;
  readonly count: number;
}

export interface SeedFailure {
  readonly seed: number;
  readonly promise: string;
  readonly what: string;
}

export interface RangeResult extends Range {
  readonly events: number;
  readonly simulatedMs: number;
  readonly grants: number;
  readonly progressDemanded: number;
  readonly recoveryMaxMs: number;
  readonly leaderlessMaxMs: number;
  readonly failures: readonly SeedFailure[];
  readonly marks: Readonly<Partial<Record<Mark, number>>>;
  /** Processor time of this job for the range. */
  readonly cpuSeconds: number;
}

export async function liveRange({ from, count }: Range): Promise<RangeResult> {
  const failures: SeedFailure[] = [];
  const marks: Partial<Record<Mark, number>> = {};
  const total = { events: 0, simulatedMs: 0, grants: 0, progressDemanded: 0, recoveryMaxMs: 0, leaderlessMaxMs: 0 };
  const began = process.cpuUsage();
  for (let seed = from; seed < from + count; seed += 1) {
    const life = await liveOwnLife(drawCircumstances(seed));
    total.events += life.events;
    total.simulatedMs += life.simulatedMs;
    total.grants += life.grants;
    total.progressDemanded += life.progressDemanded ? 1 : 0;
    total.recoveryMaxMs = Math.max(total.recoveryMaxMs, life.recoveryMs);
    total.leaderlessMaxMs = Math.max(total.leaderlessMaxMs, life.leaderlessMs);
    for (const [mark, times] of life.marks) marks[mark] = (marks[mark] ?? 0) + times;
    if (life.broken) failures.push({ seed, promise: life.broken.promise, what: life.broken.what });
  }
  const { user, system } = process.cpuUsage(began);
  return { from, count, ...total, failures, marks, cpuSeconds: (user + system) / 1e6 };
}
