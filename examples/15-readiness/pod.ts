/** The service in one pod: a voter where its name is among them or where it comes in time, with or without a folder for its memory, else a client. */
import { join } from '@quorate/core';
import { lmdbStorage } from '@quorate/lmdb-store';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';
import { Health } from './health.ts';

const { POD_NAME = '', VOTERS = '', VOTERS_COUNT, NATS_URL, STORE, HEALTH_PORT = '8080', CLOSE_TIMEOUT_MS = '20000' } = process.env;

async function main(): Promise<void> {
  const health = new Health();
  const port = await health.listen(Number(HEALTH_PORT));
  process.send?.({ port });

  const nc = await connect({ servers: NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const quorate = await join({
    group: 'example-readiness',
    node: POD_NAME,
    // Names, where they stay; else so many of whoever comes, and all others stand by.
    voters: VOTERS_COUNT === undefined ? VOTERS.split(',') : { count: Number(VOTERS_COUNT) },
    transport: natsTransport(nc),
    // A voter keeps its memory on its volume, and with it its seat: then a roll-out costs the group nothing.
    ...(STORE === undefined ? {} : { storage: lmdbStorage({ path: STORE }) }),
    // The other voters may be long in coming: the probes say so meanwhile.
    timeoutMs: Infinity,
    // For the example alone, which cleans up after itself. Leave it out.
    firstFounding: process.env.FIRST_FOUNDING === 'yes',
  });
  health.joined(quorate);

  process.once('SIGTERM', async () => {
    health.leaving();
    await quorate.close({ timeoutMs: Number(CLOSE_TIMEOUT_MS) });
    await nc.drain();
    health.close();
    if (process.connected) process.disconnect();
  });

  // The work: one pod at a time counts.
  while (quorate.status.stage !== 'closed') {
    await quorate
      .lock('work')
      .run(({ token }) => void process.send?.({ token }), { timeoutMs: Infinity })
      // Closed, or the session was lost: the next turn finds out.
      .catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

void main();
