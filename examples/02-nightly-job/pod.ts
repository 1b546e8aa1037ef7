/** One pod of a service with a nightly job. Its schedule follows its own clock; who runs the job, and whether it ran, the group knows. */
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';

const pod = process.env.POD_NAME ?? '';
const voters = process.env.VOTERS?.split(',') ?? [];

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const quorate = await join({ group: 'example-nightly-job', node: pod, voters, transport: natsTransport(nc) });
  // Stands for election for as long as the pod lives. `lead(fn)` would be wrong here: returning resigns, so the next pod would
  // lead and run the job as well, and so on through all of them.
  const candidacy = quorate.election('nightly').campaign();
  let ranHere = '';

  cron(async (date) => {
    const term = candidacy.current;
    if (!term) return console.log(`${pod}: 03:00 on ${date}, another pod leads`);
    // `previous` is the note that the last leader left. Dates written like this compare as texts.
    const lastRun = [ranHere, term.previous ?? ''].sort().at(-1) ?? '';
    if (date <= lastRun) return console.log(`${pod}: 03:00 on ${date}, last run on ${lastRun}, nothing to do`);
    console.log(`${pod}: 03:00 on ${date}, running the job`);
    ranHere = date;
    // After the job: a pod that dies during it leaves the night to the next one. Whatever the job writes, it guards with `term.token`.
    await term.note(date);
  });

  process.once('SIGTERM', async () => {
    await quorate.close({ timeoutMs: 20_000 });
    await nc.drain();
    process.disconnect();
  });
}

function cron(job: (date: string) => Promise<void>): void {
  process.on('message', (date: string) => void job(date).then(() => process.send?.('done')));
  process.send?.('ready');
}

void main();
