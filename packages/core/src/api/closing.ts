/**
 * Leaving in order: no new grants, signals fired, callbacks awaited, leases given back, leadership handed over, and what did not
 * end in time named.
 */
import { QuorateError } from '../errors.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import { startTimer } from './duration.ts';
import type { Instance, LivingLease } from './instance.ts';

export interface CloseOptions {
  /** How long to wait for callbacks and answers, in milliseconds. Default 30 s; `Infinity` must be written. */
  readonly timeoutMs?: number;
}

export interface CloseResult {
  /** True if every lease was given back. */
  readonly drained: boolean;
  /** The locks, elections and partitions (`set/partition`) whose leases were not: they run out by themselves, as after a crash. */
  readonly lapsed: readonly string[];
}

/**
 * Leases taken by `acquire`, `hold$` and `campaign` are released once the callbacks have settled: whoever works under them stops
 * at their signal. A callback that is still at work at the deadline keeps its lock from others until its lease has run out.
 */
export async function closeInstance(instance: Instance, timeoutMs: number): Promise<CloseResult> {
  const dueMs = instance.nowMs() + timeoutMs;
  instance.isClosing = true;
  instance.refuse(closed);
  const leases = instance.leases.values();
  for (const lease of leases) lease.abort(closed());
  const until = deadline(instance.engine.host, timeoutMs);
  const owners = [...instance.owners];
  const given = owners.map((owner) => owner.stop(closed()).catch(() => undefined));
  await until.or(Promise.allSettled(instance.scopedCalls.values()));
  const working = new Set<LivingLease>(instance.scopedCalls.keys());
  const idle = leases.filter((lease) => !working.has(lease));
  await until.or(Promise.all([...idle.map((lease) => lease.giveBackQuietly()), ...[...instance.campaigns].map((it) => it.stop())]));
  await until.or(Promise.all(given));
  until.cancel();
  const unsettled = owners.flatMap((owner) => owner.unsettled);
  const lapsed = [...leases.filter((lease) => !lease.wasReleased).map(({ name }) => name), ...unsettled];
  // A session that ends takes its leases with it: where one is still worked under, it runs out instead.
  const engine: Leaving = instance.engine;
  await engine.close(Math.max(0, dueMs - instance.nowMs()), lapsed.length === 0);
  for (const lease of instance.leases.values()) lease.lose({ code: 'CLOSED', error: closed() });
  for (const owner of [...instance.owners]) owner.onSessionLost(closed());
  return { drained: lapsed.length === 0, lapsed };
}

interface Leaving {
  close(timeoutMs: number, endSession: boolean): Promise<unknown>;
}

function closed(): QuorateError {
  return new QuorateError('CLOSED', 'The instance is closing.');
}

/** One deadline for several waits. */
function deadline(host: Host, ms: number): { or(work: Promise<unknown>): Promise<unknown>; cancel(): void } {
  let timer: TimerHandle | undefined;
  const due = new Promise<void>((resolve) => (timer = startTimer(host, ms, resolve)));
  return { or: (work) => Promise.race([work, due]), cancel: () => host.stopTimer(timer) };
}
