/** One worker: joins the group over NATS, and changes what all share in turns. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';

const { WORKER: node = '', WORKERS = '', COUNTER: counter = '', QUORATE_NATS_URL: servers = '127.0.0.1:4222' } = process.env;

async function main(): Promise<void> {
  const nc = await connect({ servers, name: node, maxReconnectAttempts: -1 });
  // `firstFounding` says that nobody of an earlier run is alive, so that nothing has to be waited for. A service leaves it out.
  const quorate = await join({
    group: 'example-nats-workers',
    node,
    voters: WORKERS.split(','),
    transport: natsTransport(nc),
    firstFounding: true,
  });

  for (let turn = 0; turn < 10; turn += 1) {
    await quorate.lock('counter').run(async () => {
      const count = Number(readFileSync(counter, 'utf8'));
      await pause(5);
      writeFileSync(counter, String(count + 1));
    });
  }
  console.log(`${node} took 10 turns`);

  process.once('message', async () => {
    await quorate.close({ timeoutMs: 2_000 });
    await nc.drain();
    process.disconnect();
  });
  process.send?.('done');
}

void main();
