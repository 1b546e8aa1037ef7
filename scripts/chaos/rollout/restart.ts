/** One voter's restart: it goes, in good order or not, and comes back under its name with an empty memory, until it is ready again. */
import { machineTimeNs } from '../history.ts';
import type { ChaosProcess } from '../troupe.ts';

export const ways = ['close', 'kill'] as const;
export type Way = (typeof ways)[number];

export interface Restart {
  readonly round: number;
  readonly name: string;
  readonly beganNs: number;
  readonly endedNs: number;
}

export interface RestartOrder {
  readonly round: number;
  readonly way: Way;
  /** As a readiness probe would: the next one goes only then. */
  readonly readyWithinMs: number;
  /** Begins the new process's part of the traffic. */
  readonly work: (one: ChaosProcess) => Promise<void>;
}

export async function restart(one: ChaosProcess, { round, way, readyWithinMs, work }: RestartOrder): Promise<Restart> {
  const beganNs = machineTimeNs();
  if (way === 'close') {
    await one.running.request('rest', undefined);
    await one.running.request('leave', undefined);
  }
  await one.kill();
  await one.start();
  await one.reenter();
  await work(one);
  await one.running.request('whenReady', readyWithinMs);
  return { round, name: one.name, beganNs, endedNs: machineTimeNs() };
}
