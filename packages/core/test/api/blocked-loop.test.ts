/** A holder whose event loop is blocked for twice its TTL: a thread that computes, beside a group that goes on. */
import { randomUUID } from 'node:crypto';
import { join as joinPath } from 'node:path';
import { Worker } from 'node:worker_threads';
import { join } from '../../src/api/join.ts';
import { workerTransport } from '../../src/transport/worker.ts';

export interface BlockedThreadData {
  readonly channel: string;
  readonly timing: { readonly heartbeatMs: number; readonly electionTimeoutMs: number; readonly maxSessionTtlMs: number };
  readonly ttlMs: number;
  /** The thread stays blocked at least until the first number in it is 1. */
  readonly stop: SharedArrayBuffer;
}

export type BlockedReport =
  | { readonly type: 'holds'; readonly token: number }
  | {
      readonly type: 'woke';
      /** As read before anything else of the event loop ran. */
      readonly valid: boolean;
      readonly session: string;
      readonly toldWhileBlocked: readonly string[];
      readonly told: readonly string[];
      readonly reason: string;
      readonly release: string;
    };

const ttlMs = 1_500;
const timing = { heartbeatMs: 20, electionTimeoutMs: 100, maxSessionTtlMs: ttlMs };
const execArgv = ['-C', 'quorate-source', '-r', 'ts-node/register/transpile-only'];

/** The thread’s reports, one by one. */
function reportsOf(thread: Worker): () => Promise<BlockedReport> {
  const come: BlockedReport[] = [];
  let wake: () => void = () => undefined;
  thread.on('message', (report: BlockedReport) => {
    come.push(report);
    wake();
  });
  return async () => {
    while (come.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return come.shift()!;
  };
}

const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(endings.splice(0).map((end) => end()));
});

test('a holder blocked for twice its TTL has lost its lease by its own clock, is told of jeopardy and then of the loss, and the group went on (3 voters, 1 blocked client)', async () => {
  const channel = randomUUID();
  const voters = ['a', 'b', 'c'];
  const open = (node: string) =>
    join({ group: 'g', node, voters, transport: workerTransport({ channel }), timing, session: { ttlMs }, firstFounding: true });
  const group = await Promise.all(voters.map(open));
  endings.push(...group.map((quorate) => () => quorate.close({ timeoutMs: 200 })));
  const stop = new SharedArrayBuffer(4);
  const workerDataOfThread: BlockedThreadData = { channel, timing, ttlMs, stop };
  const thread = new Worker(joinPath(__dirname, 'blocked-thread.ts'), { workerData: workerDataOfThread, execArgv });
  endings.push(() => thread.terminate());
  const next = reportsOf(thread);
  const held = await next();
  if (held.type !== 'holds') throw new Error('not held');

  // Granted while the thread still computes: nothing of it could have released the lock.
  const lease = await group[0]!.lock('one').acquire({ timeoutMs: Infinity });
  Atomics.store(new Int32Array(stop), 0, 1);
  const woke = await next();

  expect(lease.token).toBeGreaterThan(held.token);
  expect(woke).toMatchObject({ type: 'woke', valid: false, session: 'jeopardy', reason: 'SESSION_LOST', release: 'lost' });
  if (woke.type !== 'woke') throw new Error('not woken');
  const ofSession = (told: readonly string[]): readonly string[] => told.filter((type) => type.startsWith('session'));
  expect(ofSession(woke.toldWhileBlocked)).toEqual(['sessionOpened']);
  expect(ofSession(woke.told)).toEqual(['sessionOpened', 'sessionJeopardy', 'sessionLost', 'sessionOpened']);
  expect(woke.told).toContain('eventLoopBlocked');
  expect(lease.valid).toBe(true);
});
