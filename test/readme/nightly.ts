/** The nightly job, as README.md shows it below this line. */
import type { Quorate } from '@quorate/core';

type Job = () => Promise<void>;

export function runNightly(quorate: Quorate, cron: (at: string, job: Job) => void, report: (token: number) => Promise<void>): void {
  const election = quorate.election('nightly');
  election.leader$.subscribe(({ leader }) => console.log(leader ?? 'nobody leads'));
  const candidacy = election.campaign(); // takes part for as long as the process lives
  let ranHere = '';

  cron('0 3 * * *', async () => {
    const term = candidacy.current; // the lease while this process leads
    if (!term) return;
    const today = new Date().toISOString().slice(0, 10);
    if (today <= ranHere || today <= (term.previous ?? '')) return; // `previous` is the last leader's note: it ran today
    await report(term.token);
    ranHere = today;
    await term.note(today);
  });
}
