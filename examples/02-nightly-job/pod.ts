/** One pod of a service with a nightly job. Its schedule follows its own clock; who runs the job, and whether it ran, the group knows. */
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';

const pod = process.env.POD_NAME ?? '';
const voters = process.env.VOTERS?.split(',') ?? [];
const clockFastMs = Number(process.env.CLOCK_FAST_MS ?? 0);

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
    return date;
  });

  process.once('SIGTERM', async () => {
    await quorate.close({ timeoutMs: 20_000 });
    await nc.drain();
    process.disconnect();
  });
}

/** Stands for cron: calls the job whenever this pod's own clock comes to 03:00, for the date that it says then. */
function cron(job: (date: string) => Promise<string | void>): void {
  let clock = new Date(NaN);
  process.on('message', async (trueTime: string) => {
    const before = clock;
    clock = new Date(Date.parse(trueTime) + clockFastMs);
    const date = clock.toISOString().slice(0, 10);
    const three = new Date(`${date}T03:00:00Z`);
    // A pod that starts after 03:00 waits for the next night.
    const isNow = Number(clock) === Number(three) || (before < three && clock > three);
    const ranFor = isNow ? await job(date) : undefined;
    process.send?.(ranFor ?? 'not run');
  });
  process.send?.('ready');
}

void main();
