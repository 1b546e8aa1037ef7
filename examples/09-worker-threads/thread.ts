/** One worker thread: joins the group of the threads of this process, and stands for election. */
import { parentPort, workerData } from 'node:worker_threads';
import { join, workerTransport } from '@quorate/core';

const { node, voters } = workerData as { readonly node: string; readonly voters: readonly string[] };

async function main(): Promise<void> {
  // The threads of a process begin together, so there was no earlier life: `firstFounding` is always true of them.
  const quorate = await join({ group: 'threads', node, voters, transport: workerTransport(), firstFounding: true });
  quorate
    .election('writer')
    .campaign()
    .current$.subscribe((term) => {
      if (term) parentPort?.postMessage({ node, token: term.token });
    });
  parentPort?.once('message', () => quorate.close({ timeoutMs: 2_000 }).then(() => parentPort?.close()));
}

void main();
