/** The stage of the example: starts the pods as processes, tells each what its clock says, and replaces one between two clocks. */
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
  const member = (node: string) => join({ group: 'example-nightly-job', node, voters, transport: natsTransport(nc), firstFounding: true });
  const group = await Promise.all(voters.map(member));
  const leads = async (node: string) => {
    const { leader$ } = group[0]!.election('nightly');
    await new Promise<void>((resolve) => leader$.subscribe(({ leader }) => leader === node && resolve()));
  };

  const pod0 = await startPod('pod-0', voters);
  await leads('pod-0');
  const pod1 = await startPod('pod-1', voters);

  console.log("pod-0's clock is ten minutes fast");
  await itIsThree(pod0, '2026-05-01');
  console.log('now pod-0 is replaced, and only then is it 03:00 on pod-1');
  pod0.kill('SIGTERM');
  await once(pod0, 'exit');
  await leads('pod-1');
  await itIsThree(pod1, '2026-05-01');
  const pod0Again = await startPod('pod-0', voters);

  await itIsThree(pod0Again, '2026-05-02');
  await itIsThree(pod1, '2026-05-02');

  for (const pod of [pod0Again, pod1]) {
    pod.kill('SIGTERM');
    await once(pod, 'exit');
  }
  await Promise.all(group.map((node) => node.close({ timeoutMs: 2_000 })));
  await nc.drain();
}

async function startPod(name: string, voters: readonly string[]): Promise<ChildProcess> {
  const env = { ...process.env, POD_NAME: name, VOTERS: voters.join() };
  const pod = fork(path.join(__dirname, 'pod.ts'), { env });
  await once(pod, 'message');
  return pod;
}

/** Stands for cron: a night need not be waited for. */
async function itIsThree(pod: ChildProcess, date: string): Promise<void> {
  pod.send(date);
  await once(pod, 'message');
}

void main();
