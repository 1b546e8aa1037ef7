/** Runs a killer inside a working copy and says what it found: nothing, a broken promise, or code that does not even load. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Killer } from '../../test/mutants/mutant.ts';
import type { KillerLimits } from './limits.ts';
import { jestConfigFile } from './working-copy.ts';

const typescript = ['-C', 'quorate-source', '-r', 'ts-node/register'];

export interface Verdict {
  /** `unusable`: it could not be run, which is a mistake of the mutant or of its killer. */
  readonly type: 'survived' | 'killed' | 'timed out' | 'unusable';
  /** Which test failed, which promise broke, or what went wrong. */
  readonly what: string;
  readonly seeds?: number;
  readonly seconds: number;
  /** Of unit tests. */
  readonly slowestTestMs?: number;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

type Finding = Omit<Verdict, 'seconds'>;

export async function runKiller(root: string, killer: Killer, limits: KillerLimits): Promise<Verdict> {
  const beganAtMs = performance.now();
  const secondsMax = limits.seconds[killer.by];
  const ended = await runNode(root, argumentsOf(killer, limits), secondsMax);
  const seconds = Math.round((performance.now() - beganAtMs) / 100) / 10;
  if (ended.timedOut) return { type: 'timed out', what: `no end within ${secondsMax} s`, seconds };
  return { ...findingOf(killer, ended), seconds };
}

export function describeKiller(killer: Killer): string {
  switch (killer.by) {
    case 'unit':
      return `unit: ${killer.files.map((file) => file.replace(/^packages\/core\/test\/|\.test\.ts$/g, '')).join(', ')}`;
    case 'model':
      return `model: ${killer.name}`;
    case 'simulation':
      return `simulation of ${killer.seeds} seeds`;
  }
}

function argumentsOf(killer: Killer, { seconds, testTimeoutMs }: KillerLimits): readonly string[] {
  switch (killer.by) {
    case 'unit': {
      const jest = join('node_modules', 'jest', 'bin', 'jest.js');
      const manner = ['--runInBand', '--forceExit', `--testTimeout=${testTimeoutMs}`];
      return [jest, '--config', jestConfigFile, ...manner, '--silent', '--json', '--runTestsByPath', ...killer.files];
    }
    case 'model':
      return [...typescript, 'scripts/model/main.ts', killer.name, '--seconds', String(seconds.model), '--json'];
    case 'simulation':
      return [...typescript, 'scripts/mutants/seeds-program.ts', String(killer.seeds)];
  }
}

function findingOf(killer: Killer, ended: Ended): Finding {
  const summary = summaryIn(ended.stdout);
  if (!summary) return unusable(ended);
  switch (killer.by) {
    case 'unit':
      return unitFinding(summary as unknown as JestSummary, ended);
    case 'model':
      return modelFinding(summary, ended);
    case 'simulation':
      return seedsFinding(summary, ended);
  }
}

interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly duration?: number | null }[];
  }[];
}

function unitFinding({ numPassedTests, numFailedTests, testResults }: JestSummary, { code }: Ended): Finding {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = all.find(({ status }) => status === 'failed');
  if (failed) return { type: 'killed', what: `${failed.fullName}${numFailedTests > 1 ? `, and ${numFailedTests - 1} more` : ''}` };
  // A suite that does not load has no tests at all: it shows nothing of the hazard.
  if (code !== 0 || numPassedTests === 0) {
    return { type: 'unusable', what: shortened(testResults.map(({ message }) => message).join('\n') || 'no test ran') };
  }
  const slowestTestMs = Math.max(0, ...all.map(({ duration }) => duration ?? 0));
  return { type: 'survived', what: `${numPassedTests} tests pass`, slowestTestMs };
}

function modelFinding(summary: Record<string, unknown>, ended: Ended): Finding {
  if (summary['ok'] === true) return { type: 'survived', what: 'the model holds' };
  const found = / s {2}broken.*\n(?:.*\n)*? {7}(\S.*)\n/.exec(ended.stdout);
  return found ? { type: 'killed', what: found[1] ?? '' } : unusable(ended);
}

function seedsFinding(summary: Record<string, unknown>, ended: Ended): Finding {
  if (summary['ok'] === true) return { type: 'survived', what: 'every promise was kept' };
  const { seed, promise, what } = summary;
  if (typeof seed !== 'number') return unusable(ended);
  return { type: 'killed', what: shortened(`"${String(promise)}": ${String(what)}`), seeds: seed };
}

function unusable({ stdout, stderr }: Ended): Finding {
  return { type: 'unusable', what: shortened(`${stderr}\n${stdout}`.trim() || 'it said nothing') };
}

/** The last line that is a JSON object. */
function summaryIn(text: string): Record<string, unknown> | null {
  for (const line of text.trim().split('\n').reverse()) {
    if (!line.startsWith('{')) continue;
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return { ...value };
    } catch {
      // A line that only looks like one.
    }
  }
  return null;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** A process group of its own, so that a run that is ended takes its children along. */
function runNode(cwd: string, args: readonly string[], limitSeconds: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const end = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, limitSeconds * 1_000);
    process.once('exit', end);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      process.off('exit', end);
      resolve({ code, stdout, stderr, timedOut });
    });
  });
}
