/** The independent judge: a program in another language, built from `test/porcupine`, that knows the history and nothing else. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findOnPath, runCommand } from '../brokers/command.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly operations: number;
  /** Keys whose registers could not have been what was read and refused. */
  readonly illegal: number;
  /** Keys that could not be decided in time. */
  readonly unknown: number;
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly rule: string;
  readonly key: string;
  readonly text: string;
}

export interface Checker {
  check(historyFile: string): Promise<Verdict>;
  close(): void;
}

const source = resolve(__dirname, '..', '..', 'test', 'porcupine');
const buildTimeoutMs = 5 * 60_000;
const checkTimeoutMs = 20 * 60_000;

export function goIsThere(): boolean {
  return findOnPath('go') !== undefined;
}

/** Built anew each time: Go's own cache makes that quick, and what is run is what is read. */
export async function buildChecker(): Promise<Checker> {
  const go = findOnPath('go');
  if (go === undefined) throw new Error('`go` is not on the PATH, so the checker of histories cannot be built');
  const folder = mkdtempSync(join(tmpdir(), 'quorate-checker-'));
  const binary = join(folder, 'check');
  const close = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await runCommand(go, ['build', '-buildvcs=false', '-o', binary, '.'], { cwd: source, timeoutMs: buildTimeoutMs });
  } catch (error) {
    close();
    throw error;
  }
  return {
    check: async (historyFile) => JSON.parse(await runCommand(binary, [historyFile], { timeoutMs: checkTimeoutMs })) as Verdict,
    close,
  };
}
