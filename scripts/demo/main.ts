/**
 * `pnpm demo`: a group of worker threads takes fenced locks and elects a leader; then the leading thread and the lock holder's
 * thread are terminated without warning. Exit code 1 if a promise broke. `--json`: the summary as the last line.
 */
import { program } from '../program.ts';
import { Lateness } from './lateness.ts';
import { Stage } from './stage.ts';
import { conclude, judge } from './verdict.ts';
import type { Figures } from './verdict.ts';

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
    const takeover = await play(stage, say);
    const { store, holds, leaderChanges } = stage;
    const { grants, overlaps, tokensFell } = holds;
    const figures = { grants, leaderChanges, ...takeover, staleWritesRefused: store.refused, overlaps, tokensFell };
    conclude(judge(figures, timing.electionTimeoutMs), { isJson });
  } finally {
    await stage.terminateAll();
  }
});

async function play(stage: Stage, say: (line: string) => void): Promise<Pick<Figures, 'takeoverMs' | 'machineLateMs'>> {
  say('1. Three voters and four workers, one thread each, found a group.');
  const group = `demo-${process.pid}`;
  const nodes = [...voters, ...workers];
  const lateness = Lateness.of(nodes.length);
  for (const [place, node] of nodes.entries()) stage.start({ group, node, voters, timing, ttlMs, lateness: lateness.shared, place });
  await stage.until('everyone joined', () => stage.joined.size === nodes.length && stage.leader !== '');

  say('\n2. The workers take turns under one lock, and one of them is elected. Tokens rise over all grants of a group; each line compares');
  say('   with the last token of its own lock or election, for the lines of two of them may come in either order.');
  for (const node of workers) stage.order(node, { type: 'work', rounds: roundsPerWorker });
  await stage.until('all turns were taken', () => stage.done.size === workers.length && stage.elected.length > 0);

  const leader = stage.leader;
  say(`\n3. ${leader}, which leads, is terminated without warning.`);
  const terminatedAtMs = performance.now();
  const lateBeforeMs = lateness.totalMs;
  const grantsBefore = stage.holds.grants;
  await stage.terminate(leader);
  // The reporter takes the lock next, so that its thread loses both at once.
  const first = stage.elected.at(-1)?.node ?? 'worker-1';
  const second = workers.find((node) => node !== first) ?? 'worker-2';
  stage.order(first, { type: 'hold' });
  await stage.until('the next grant', () => stage.holds.grants > grantsBefore && stage.leader !== '');
  const takeoverMs = Math.round(performance.now() - terminatedAtMs);
  const machineLateMs = lateness.totalMs - lateBeforeMs;
  say(`  ✔ ${first} was granted invoice:42 ${takeoverMs} ms later`);

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
  return { takeoverMs, machineLateMs };
}
