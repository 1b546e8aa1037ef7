/**
 * `pnpm demo`: a group of worker threads takes fenced locks and elects a leader; then the leading thread and the lock holder's
 * thread are terminated without warning. Exit code 1 if a promise broke. `--json`: the summary as the last line.
 */
import { printJson, program } from '../program.ts';
import { Stage } from './stage.ts';

const voters = ['voter-1', 'voter-2', 'voter-3'];
const workers = ['worker-1', 'worker-2', 'worker-3', 'worker-4'];
const timing = { heartbeatMs: 50, electionTimeoutMs: 200 };
const ttlMs = 3_000;
const roundsPerWorker = 3;

program(async () => {
  const isJson = process.argv.includes('--json');
  const say = (line: string): void => console.log(line);
  const stage = new Stage(say);
  try {
    const takeoverMs = await play(stage, say);
    const { store, holds, leaderChanges } = stage;
    const summary = {
      ok: holds.overlaps === 0 && holds.tokensFell === 0 && store.refused > 0,
      grants: holds.grants,
      leaderChanges,
      takeoverMs,
      staleWritesRefused: store.refused,
      overlaps: holds.overlaps,
      tokensFell: holds.tokensFell,
    };
    say('');
    const order = holds.tokensFell === 0 ? 'tokens always rose' : 'TOKENS FELL';
    say(`${summary.grants} grants, ${summary.overlaps} overlaps, ${order}, ${store.refused} stale write refused.`);
    say(`Take-over after ${takeoverMs} ms; the election timeout is ${timing.electionTimeoutMs} to ${2 * timing.electionTimeoutMs} ms.`);
    if (!summary.ok) process.exitCode = 1;
    if (isJson) printJson(summary);
  } finally {
    await stage.terminateAll();
  }
});

async function play(stage: Stage, say: (line: string) => void): Promise<number> {
  say('1. Three voters and four workers, one thread each, found a group.');
  const group = `demo-${process.pid}`;
  for (const node of [...voters, ...workers]) stage.start({ group, node, voters, timing, ttlMs });
  await stage.until('everyone joined', () => stage.joined.size === voters.length + workers.length && stage.leader !== '');

  say('\n2. The workers take turns under one lock, and one of them is elected.');
  for (const node of workers) stage.order(node, { type: 'work', rounds: roundsPerWorker });
  await stage.until('all turns were taken', () => stage.done.size === workers.length && stage.elected.length > 0);

  const leader = stage.leader;
  say(`\n3. ${leader}, which leads, is terminated without warning.`);
  const terminatedAtMs = performance.now();
  const grantsBefore = stage.holds.grants;
  await stage.terminate(leader);
  // The reporter takes the lock next, so that its thread loses both at once.
  const first = stage.elected.at(-1)?.node ?? 'worker-1';
  const second = workers.find((node) => node !== first) ?? 'worker-2';
  stage.order(first, { type: 'hold' });
  await stage.until('the next grant', () => stage.holds.grants > grantsBefore && stage.leader !== '');
  const takeoverMs = Math.round(performance.now() - terminatedAtMs);
  say(`  ✔ ${first} was granted the lock ${takeoverMs} ms later`);

  say(`\n4. ${first}, reporter and lock holder with a write on its way, is terminated without warning.`);
  await stage.until('the write is on its way', () => stage.lateWrite !== undefined);
  const electedBefore = stage.elected.length;
  stage.done.clear();
  stage.order(second, { type: 'work', rounds: 1 });
  await stage.terminate(first);
  await stage.until('the next holder wrote', () => stage.done.has(second));
  await stage.until('another reporter', () => stage.elected.length > electedBefore);

  say(`\n5. Only now does ${first}'s write arrive.`);
  if (stage.lateWrite) stage.write(stage.lateWrite.node, stage.lateWrite.token);
  return takeoverMs;
}
