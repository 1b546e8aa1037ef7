/** A process whose event loop stands still: it takes a lock, computes until it is told to stop, and tells what it then sees. */
import { parentPort, workerData } from 'node:worker_threads';
import { join } from '../../src/api/join.ts';
import { workerTransport } from '../../src/transport/worker.ts';
import type { BlockedReport, BlockedThreadData } from './blocked-loop.test.ts';

const { channel, timing, ttlMs, stop } = workerData as BlockedThreadData;

async function main(): Promise<void> {
  const transport = workerTransport({ channel });
  const quorate = await join({
    group: 'g',
    node: 'w',
    voters: ['a', 'b', 'c'],
    transport,
    timing,
    session: { ttlMs },
    firstFounding: true,
  });
  const told: string[] = [];
  quorate.events$.subscribe(({ type }) => told.push(type));
  const lease = await quorate.lock('one').acquire();
  const lost = new Promise<void>((resolve) => lease.signal.addEventListener('abort', () => resolve()));
  say({ type: 'holds', token: lease.token });
  block();
  const toldWhileBlocked = [...told];
  const comes = (wanted: string) => new Promise<void>((resolve) => quorate.events$.subscribe(({ type }) => type === wanted && resolve()));
  // Frames that came meanwhile may have their turns before the timer that is overdue.
  const [reopened, blocked] = [comes('sessionOpened'), comes('eventLoopBlocked')];
  const { valid } = lease;
  const { session } = quorate.status;
  await lost;
  await reopened;
  await blocked;
  const reason = (lease.signal.reason as { readonly code?: string }).code ?? '';
  say({ type: 'woke', valid, session, toldWhileBlocked, told, reason, release: await lease.release() });
  await quorate.close({ timeoutMs: 0 });
}

/** Not a turn of the event loop in here: at least twice the TTL, and until the other thread has seen enough. */
function block(): void {
  const flag = new Int32Array(stop);
  const endMs = performance.now() + 2 * ttlMs;
  while (performance.now() < endMs || Atomics.load(flag, 0) === 0);
}

function say(report: BlockedReport): void {
  parentPort?.postMessage(report);
}

void main();
