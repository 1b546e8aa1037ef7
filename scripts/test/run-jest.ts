/** Runs jest as a process and returns what ran, counted by a reporter of ours rather than read from its prose. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunSummary } from './summary-reporter.ts';

export interface JestRun extends RunSummary {
  /** False after a failure, and also when nothing ran: an empty run has shown nothing. */
  readonly ok: boolean;
}

/** The shared brokers need some of it to stop. */
const exitGraceMs = 20_000;

const root = resolve(__dirname, '..', '..');

export async function runJest(args: readonly string[]): Promise<JestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-summary-'));
  const file = join(folder, 'summary.json');
  try {
    const reporters = ['--reporters=default', `--reporters=${join(__dirname, 'summary-reporter.ts')}`];
    const code = await runNode([require.resolve('jest/bin/jest'), ...args, ...reporters], file);
    const summary = readSummary(file);
    return { ...summary, ok: code === 0 && summary.failed === 0 && summary.suitesFailed === 0 && summary.passed > 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function describeRun(run: JestRun): string {
  const brokers = Object.entries(run.brokers).map(([name, { version, source }]) => `${name} ${version} (${source})`);
  return [
    '',
    `suites   ${run.suites}${run.suitesFailed > 0 ? `, ${run.suitesFailed} failed` : ''}`,
    `tests    ${run.passed} passed, ${run.failed} failed, ${run.skipped} skipped`,
    `time     ${run.seconds.toFixed(1)} s`,
    `brokers  ${brokers.length > 0 ? brokers.join(', ') : 'none used'}`,
  ].join('\n');
}

function runNode(args: readonly string[], file: string): Promise<number> {
  return new Promise((done, reject) => {
    // The reporter is TypeScript, so this node learns to read it; jest's own workers transform by themselves.
    const child = spawn(process.execPath, ['-C', 'quorate-source', '-r', 'ts-node/register', ...args], {
      cwd: root,
      env: { ...process.env, QUORATE_TEST_SUMMARY: file },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const stopWatching = whenItStays(file, () => {
      console.error(`jest has not ended ${exitGraceMs / 1_000} s after its last test: a test left something open. It is ended now.`);
      child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      stopWatching();
      // What ran is in the summary; only the end is ours.
      done(signal === 'SIGKILL' && existsSync(file) ? 0 : (code ?? 1));
    });
  });
}

/** Calls `act` some time after the summary is there, so that one open socket does not hang a whole run. */
function whenItStays(file: string, act: () => void): () => void {
  let grace: NodeJS.Timeout | undefined;
  const look = setInterval(() => {
    if (grace === undefined && existsSync(file)) grace = setTimeout(act, exitGraceMs);
  }, 500);
  return () => {
    clearInterval(look);
    clearTimeout(grace);
  };
}

function readSummary(file: string): RunSummary {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunSummary;
  } catch {
    return { suites: 0, suitesFailed: 1, passed: 0, failed: 0, skipped: 0, seconds: 0, brokers: {} };
  }
}
