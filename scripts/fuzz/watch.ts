/** Keeps an eye on the fuzzing process: one that stands still, or dies, failed in the run that it was in. */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildOrder, FromChild } from './child.ts';
import type { FuzzFailure, FuzzResult } from './run.ts';

/** No run takes seconds; building the decoders does, on a busy machine. */
const standstillMsMax = 60_000;
const lookEveryMs = 1_000;
/** Memory that grows with what a frame says, not with its bytes, ends here. */
const heapMbMax = 768;

export interface WatchOptions extends Omit<ChildOrder, 'progressFile'> {
  readonly onFailure: (failure: FuzzFailure) => void;
  readonly onResult: (result: FuzzResult) => void;
}

/** Runs every named decoder; goes on with the next one in a new process where one ended the process. */
export async function fuzzInChild(options: WatchOptions): Promise<void> {
  const { names, seed, onFailure, onResult } = options;
  const folder = mkdtempSync(join(tmpdir(), 'quorate-fuzz-'));
  const progressFile = join(folder, 'progress');
  for (let begun = 0; begun < names.length;) {
    const death = await runChild({ ...options, names: names.slice(begun) }, progressFile);
    if (death === null) break;
    const decoder = names[begun + death.index] ?? '';
    onFailure({ decoder, seed, run: death.run, error: death.error, hex: '', needsItsLife: true });
    onResult({ name: decoder, runs: death.run + 1, failures: 1, read: 0, slowestMs: null, interrupted: 0, longestMs: null, seconds: 0 });
    begun += death.index + 1;
  }
  rmSync(folder, { recursive: true });
}

interface Death {
  /** Of the decoder, among those of this process. */
  readonly index: number;
  readonly run: number;
  readonly error: string;
}

function runChild({ names, seed, runs, onFailure, onResult }: WatchOptions, progressFile: string): Promise<Death | null> {
  writeFileSync(progressFile, Buffer.alloc(8));
  const child = fork(join(__dirname, 'child.ts'), {
    execArgv: ['-C', 'quorate-source', '-r', 'ts-node/register', `--max-old-space-size=${heapMbMax}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.send({ names, seed, runs, progressFile } satisfies ChildOrder);
  return new Promise((resolve) => {
    let [last, sinceMs, results, hangs] = ['', performance.now(), 0, false];
    const timer = setInterval(() => {
      const now = readFileSync(progressFile).toString('hex');
      if (now !== last) [last, sinceMs] = [now, performance.now()];
      hangs = performance.now() - sinceMs > standstillMsMax;
      if (hangs) child.kill('SIGKILL');
    }, lookEveryMs);
    child.on('message', (message: FromChild) => {
      if (message.type === 'failure') return onFailure(message.failure);
      results += 1;
      onResult(message.result);
    });
    child.on('exit', (code, signal) => {
      clearInterval(timer);
      if (results === names.length) return resolve(null);
      const progress = readFileSync(progressFile);
      const error = hangs ? `hangs for ${standstillMsMax / 1_000} s` : `ended the process (${signal ?? `exit code ${code}`})`;
      resolve({ index: progress.readInt32LE(0), run: progress.readInt32LE(4), error });
    });
  });
}
