/** Three worker threads elect a leader; the leading thread is terminated without warning, and another leads. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';

interface Elected {
  readonly node: string;
  readonly token: number;
}

async function main(): Promise<void> {
  const voters = ['thread-0', 'thread-1', 'thread-2'];
  let onElected: (elected: Elected) => void = () => undefined;
  const start = (node: string) => {
    const thread = new Worker(path.join(__dirname, 'thread.ts'), { workerData: { node, voters } });
    thread.on('message', (elected: Elected) => onElected(elected));
    return [node, thread] as const;
  };
  const elected = () => new Promise<Elected>((resolve) => (onElected = resolve));

  const firstElected = elected();
  const threads = new Map(voters.map(start));
  const first = await firstElected;
  console.log(`${first.node} leads`);

  const secondElected = elected();
  await threads.get(first.node)?.terminate();
  threads.delete(first.node);
  console.log(`${first.node} is terminated`);
  const second = await secondElected;
  console.log(`${second.node} leads, with a ${second.token > first.token ? 'higher' : 'lower'} token`);

  for (const thread of threads.values()) thread.postMessage('close');
}

void main();
