/** What `pnpm demo --json` says in its last line, and its exit code: 0 where every promise was kept, 1 where one was not. */
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import { resolve } from 'node:path';
import { judge } from '../verdict.ts';
import type { Figures, Verdict } from '../verdict.ts';

const root = resolve(__dirname, '..', '..', '..');
const timeoutMs = 120_000;
const kept: Figures = {
  grants: 14,
  leaderChanges: 2,
  takeoverMs: 400,
  machineLateMs: 0,
  staleWritesRefused: 1,
  overlaps: 0,
  tokensFell: 0,
};

function node(...args: readonly string[]): SpawnSyncReturns<string> {
  const flags = ['-C', 'quorate-source', '-r', 'ts-node/register'];
  return spawnSync(process.execPath, [...flags, ...args], { cwd: root, encoding: 'utf8', timeout: timeoutMs });
}

function lastLine({ stdout }: SpawnSyncReturns<string>): Verdict {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Verdict;
}

test(
  'the demo keeps every promise, and says what it saw and by what bound it judged',
  () => {
    const ran = node('scripts/demo/main.ts', '--json');
    const verdict = lastLine(ran);
    // A take-over's length is this machine's business: what is demanded of it is that it was judged.
    expect(verdict).toMatchObject({ grants: 14, staleWritesRefused: 1, overlaps: 0, tokensFell: 0 });
    expect(verdict.leaderChanges).toBeGreaterThanOrEqual(2);
    expect(verdict.takeoverMs).toBeGreaterThan(0);
    expect(verdict.takeoverBoundMs).toBe(1_600 + verdict.machineLateMs);
    expect(verdict.broken).toEqual([]);
    expect(verdict.ok).toBe(true);
    expect(ran.status).toBe(0);
    // Within each lock and election the tokens of the story rise, but for the write that comes too late.
    expect(ran.stdout.split('\n').filter((line) => line.includes('BELOW'))).toEqual([expect.stringContaining('late write is refused')]);
  },
  timeoutMs,
);

test.each<[string, Partial<Figures>]>([
  ['two held the lock at once', { overlaps: 1 }],
  ['tokens fell', { tokensFell: 1 }],
  ['the stale write was taken', { staleWritesRefused: 0 }],
  ['the take-over lasted longer than 1600 ms', { takeoverMs: 1_601 }],
  ['the take-over lasted longer than 1650 ms', { takeoverMs: 1_651, machineLateMs: 50 }],
])('judges that %s', (promise, seen) => {
  expect(judge({ ...kept, ...seen }, 200)).toMatchObject({ ok: false, broken: [promise] });
});

test('forgives a take-over what the machine kept its threads waiting', () => {
  expect(judge({ ...kept, takeoverMs: 1_650, machineLateMs: 50 }, 200)).toMatchObject({ ok: true, broken: [] });
});

test(
  'a broken promise ends the process with code 1 and stands in the last line',
  () => {
    const script = `
      const { conclude, judge } = require('./scripts/demo/verdict.ts');
      conclude(judge(${JSON.stringify({ ...kept, takeoverMs: 60_000 })}, 200), { isJson: true });`;
    const ran = node('-e', script);
    expect(lastLine(ran)).toMatchObject({ ok: false, broken: ['the take-over lasted longer than 1600 ms'] });
    expect(ran.status).toBe(1);
  },
  timeoutMs,
);
