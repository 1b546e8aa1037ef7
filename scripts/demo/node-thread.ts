/** One node of the demo in a worker thread: a voter that only votes, or a worker that takes the lock and stands for election. */
import { parentPort, workerData } from 'node:worker_threads';
import { join, workerTransport } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { Lateness } from './lateness.ts';
import type { FromThread, ThreadOptions, ToThread } from './thread-message.ts';

const options = workerData as ThreadOptions;

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

async function main(): Promise<void> {
  const { group, node, voters, timing, ttlMs } = options;
  new Lateness(options.lateness).watch(options.place);
  const quorate = await join({ group, node, voters, transport: workerTransport(), timing, session: { ttlMs }, firstFounding: true });
  tell({ type: 'joined', node, leads: quorate.status.role === 'leader' });
  quorate.status$.subscribe(({ role }) => tell({ type: 'role', node, leads: role === 'leader' }));
  if (voters.includes(node)) return;
  const candidacy = quorate.election('reporter').campaign(node);
  candidacy.current$.subscribe((term) => {
    if (term) tell({ type: 'elected', node, token: term.token });
  });
  parentPort?.on('message', (message: ToThread) => {
    void (message.type === 'work' ? work(quorate, message.rounds) : holdForEver(quorate));
  });
}

async function work(quorate: Quorate, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await quorate.lock('invoice:42').run(async ({ token }) => {
      tell({ type: 'granted', node: options.node, token, atNs: process.hrtime.bigint() });
      tell({ type: 'write', node: options.node, token, late: false });
      await new Promise((resolve) => setTimeout(resolve, 20));
      tell({ type: 'released', node: options.node, token, atNs: process.hrtime.bigint() });
    });
  }
  tell({ type: 'done', node: options.node });
}

/** Takes the lock and sends a write down a slow line; then its thread is terminated. */
async function holdForEver(quorate: Quorate): Promise<void> {
  const { token } = await quorate.lock('invoice:42').acquire();
  tell({ type: 'granted', node: options.node, token, atNs: process.hrtime.bigint() });
  tell({ type: 'write', node: options.node, token, late: true });
}

main().catch((error: unknown) => tell({ type: 'failed', node: options.node, error: String(error) }));
