/** One pod that imports pages under a lock. On SIGTERM it finishes its page, leaves its position to the next pod, and goes. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';

const pod = process.env.POD_NAME ?? '';
const voters = process.env.VOTERS?.split(',') ?? [];

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const quorate = await join({ group: 'example-shutdown', node: pod, voters, transport: natsTransport(nc) });

  process.once('SIGTERM', async () => {
    // Grants nothing more here, aborts every signal, waits for the callbacks, releases, leaves. What is not done within 20 s runs out.
    const { lapsed } = await quorate.close({ timeoutMs: 20_000 });
    // Only now the client that carries it.
    await nc.drain();
    console.log(`${pod} is gone, ${lapsed.length} leases left to run out`);
    process.disconnect();
  });

  process.send?.('ready');
  await quorate.lock('import').run(
    async (lease) => {
      let page = Number(lease.previous ?? 0);
      console.log(`${pod} imports from page ${page + 1}`);
      while (!lease.signal.aborted) {
        page += 1;
        await pause(50);
        process.send?.(page);
      }
      console.log(`${pod} stops after page ${page}`);
      await lease.note(String(page));
    },
    // `Infinity` has to be written: whoever waits for ever should know it.
    { timeoutMs: Infinity },
  );
}

void main();
