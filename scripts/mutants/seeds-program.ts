/** Runs inside a working copy: whole groups seed by seed, until one breaks a promise. Says which in one JSON object. */
import { drawCircumstances, liveOwnLife } from '@quorate/core/simulation';
import { program } from '../program.ts';

program(async () => {
  const seeds = Number(process.argv[2]);
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { broken } = await liveOwnLife(drawCircumstances(seed));
    if (!broken) continue;
    console.log(JSON.stringify({ command: 'seeds', ok: false, seed, promise: broken.promise, what: broken.what }));
    process.exitCode = 1;
    return;
  }
  console.log(JSON.stringify({ command: 'seeds', ok: true, seeds }));
});
