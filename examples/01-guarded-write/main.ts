/** A lock around a guarded write: the lock keeps two holders apart, and the fencing token keeps a late write out. */
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';
import { openStore } from './store.ts';

// The fence rises with every write. A write that comes with a lower token changes no row.
const settle = 'update invoice set status = $2, fence = $3 where id = $1 and fence <= $3';

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const transport = natsTransport(nc);
  const voters = ['a', 'b', 'c'];
  // Three nodes in one process, for a short example; a service has one per process. `firstFounding` says that nobody of an earlier
  // run is alive, so that nothing has to be waited for. A service leaves it out.
  const member = (node: string) => join({ group: 'example-guarded-write', node, voters, transport, firstFounding: true });
  const [a, b, c] = await Promise.all([member('a'), member('b'), member('c')]);
  const db = await openStore();

  let stuckWrite = () => ({ rowCount: 0 });
  await a.lock('invoice:42').run(({ token }) => {
    console.log(`a holds the lock under token ${token}; its write is stuck in the network`);
    stuckWrite = () => db.query(settle, [42, 'cancelled', token]);
  });

  await b.lock('invoice:42').run(({ token }) => {
    console.log(`b holds the lock under token ${token}`);
    const { rowCount } = db.query(settle, [42, 'paid', token]);
    if (rowCount === 0) throw new Error('a newer holder was here');
    console.log(`b's write changed ${rowCount} row`);
  });

  const { rowCount } = stuckWrite();
  console.log(`a's write arrives late and changed ${rowCount} rows`);
  console.log(`the invoice is ${db.status(42)}`);

  db.close();
  await Promise.all([a, b, c].map((node) => node.close({ timeoutMs: 2_000 })));
  await nc.drain();
}

void main();
