/** The quick start on NATS, as README.md shows it below this line. */
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';
import { db } from './db'; // your SQL client

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.NATS_URL, maxReconnectAttempts: -1 });
  const quorate = await join({
    group: 'billing',
    node: process.env.POD_NAME ?? '', // its own name for every process
    voters: ['billing-0', 'billing-1', 'billing-2'], // the same list in every process
    transport: natsTransport(nc),
  });
  process.once('SIGTERM', () => quorate.close({ timeoutMs: 20_000 }).then(() => nc.drain()));

  await quorate.lock('invoice:42').run(async ({ token }) => {
    const guarded = 'update invoice set status = $2, fence = $3 where id = $1 and fence <= $3';
    const { rowCount } = await db.query(guarded, [42, 'paid', token]);
    if (rowCount === 0) throw new Error('a newer holder was here');
  });
}

void main();
