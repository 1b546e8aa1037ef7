/** The other thread of the worker transport's tests: says it is here, and repeats to the voters what it hears. */
import { workerData } from 'node:worker_threads';
import { workerTransport } from '../../src/transport/worker.ts';

const { channel, node, stays } = workerData as { readonly channel: string; readonly node: string; readonly stays: boolean };

async function main(): Promise<void> {
  const opened = await workerTransport({ channel }).open({
    group: 'g',
    node,
    voters: ['here'],
    onFrame: (bytes) => say(`${node} heard: ${Buffer.from(bytes).toString()}`),
    onStatus: () => undefined,
    onEvent: () => undefined,
  });
  const say = (text: string) => opened.send([{ to: { type: 'voters' }, bytes: Buffer.from(text) }]);
  say(`${node} is here`);
  if (stays) setInterval(() => undefined, 1_000);
}

void main();
