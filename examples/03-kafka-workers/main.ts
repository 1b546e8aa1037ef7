/** The stage of the example: three workers as processes of their own, one file that all of them change, and a look at it in the end. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const workers = ['worker-0', 'worker-1', 'worker-2'];

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'quorate-example-'));
  const counter = path.join(folder, 'counter');
  writeFileSync(counter, '0');
  const processes = workers.map((name) => startWorker(name, counter));
  // A worker says when its turns are over, and stays: the others still need its vote.
  await Promise.all(processes.map((worker) => once(worker, 'message')));
  console.log(`the counter stands at ${readFileSync(counter, 'utf8')}`);
  for (const worker of processes) worker.send('stop');
  await Promise.all(processes.map((worker) => once(worker, 'exit')));
  rmSync(folder, { recursive: true });
}

function startWorker(name: string, counter: string): ChildProcess {
  const env = { ...process.env, WORKER: name, WORKERS: workers.join(), COUNTER: counter };
  return fork(path.join(__dirname, 'worker.ts'), { env });
}

void main();
