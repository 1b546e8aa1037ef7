/** The stage of the example: a holder of a lock is paused before its publish, another takes over, and the first one wakes up. */
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';
import { append, createLedger, lastEntry, readLedger } from './ledger.ts';

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  await createLedger(nc);
  const voters = ['a', 'b', 'c'];
  const transport = natsTransport(nc);
  // Three nodes in one process, for a short example. `firstFounding`: nobody of an earlier run is alive. A service leaves it out.
  const member = (node: string) => join({ group: 'example-ledger', node, voters, transport, firstFounding: true });
  const [a, b, c] = await Promise.all([member('a'), member('b'), member('c')]);

  // `a` knows what its next entry follows, and is paused before it can publish. Its lease runs out; here it is simply given back.
  const paused = await a.lock('ledger:42').run(async ({ token }) => {
    console.log(`a opens the account: ${await append(nc, 'opened by a', await lastEntry(nc), token)}`);
    return { token, follows: await lastEntry(nc) };
  });

  await b.lock('ledger:42').run(async ({ token }) => {
    console.log(`b closes it: ${await append(nc, 'closed by b', await lastEntry(nc), token)}`);
  });

  console.log(`a wakes up and pays in: ${await append(nc, 'paid in by a', paused.follows, paused.token)}`);
  // The sequence says that something came between, not who may write: who reads it again gets past the server. Not past the token.
  console.log(`a tries again: ${await append(nc, 'paid in by a', await lastEntry(nc), paused.token)}`);

  console.log('a consumer reads');
  await readLedger(nc);

  await Promise.all([a, b, c].map((node) => node.close({ timeoutMs: 2_000 })));
  await nc.drain();
}

void main();
