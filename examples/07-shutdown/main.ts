/** The stage of the example: two pods as processes, one holds the lock and is told to stop. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { join } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import { connect } from 'nats';

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const voters = ['voter-0', 'voter-1', 'voter-2'];
  // Three voters that are there anyway, pods of another service perhaps. `firstFounding`: see example 1.
  const member = (node: string) => join({ group: 'example-shutdown', node, voters, transport: natsTransport(nc), firstFounding: true });
  const group = await Promise.all(voters.map(member));
  const pages: number[] = [];

  const pod0 = await startPod('pod-0', voters, pages);
  await pageAfter(pod0, 3);
  const pod1 = await startPod('pod-1', voters, pages);
  console.log('pod-0 is told to stop');
  pod0.kill('SIGTERM');
  await once(pod0, 'exit');
  await pageAfter(pod1, 3);
  pod1.kill('SIGTERM');
  await once(pod1, 'exit');
  console.log(pages.every((page, index) => page === index + 1) ? 'no page is missing, none came twice' : `wrong: ${pages.join()}`);

  await Promise.all(group.map((node) => node.close({ timeoutMs: 2_000 })));
  await nc.drain();
}

async function startPod(name: string, voters: readonly string[], pages: number[]): Promise<ChildProcess> {
  const env = { ...process.env, POD_NAME: name, VOTERS: voters.join() };
  const pod = fork(path.join(__dirname, 'pod.ts'), { env });
  await once(pod, 'message');
  pod.on('message', (page: number) => pages.push(page));
  return pod;
}

async function pageAfter(pod: ChildProcess, count: number): Promise<void> {
  for (let page = 0; page < count; page += 1) await once(pod, 'message');
}

void main();
