/** The stage of the example: starts two pods whose clocks differ, lets time pass for both, and replaces one between its 03:00 and the other's. */
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

  const runs: string[] = [];
  const itIs = async (trueTime: string, pods: readonly ChildProcess[]) => {
    console.log(`it is ${trueTime.slice(11, 16)} on ${trueTime.slice(0, 10)}`);
    for (const pod of pods) runs.push(...(await tick(pod, trueTime)));
  };

  const pod0 = await startPod('pod-0', voters, { clockFastMs: 10 * 60_000 });
  await leads('pod-0');
  const pod1 = await startPod('pod-1', voters, { clockFastMs: 0 });

  console.log("pod-0's clock is ten minutes fast");
  await itIs('2026-05-01T02:50:00Z', [pod0, pod1]);
  console.log('now pod-0 is replaced, before it is 03:00 on pod-1');
  pod0.kill('SIGTERM');
  await once(pod0, 'exit');
  await leads('pod-1');
  const pod0Again = await startPod('pod-0', voters, { clockFastMs: 10 * 60_000 });
  await itIs('2026-05-01T03:00:00Z', [pod0Again, pod1]);

  await itIs('2026-05-02T02:50:00Z', [pod0Again, pod1]);
  await itIs('2026-05-02T03:00:00Z', [pod0Again, pod1]);
  const nights = new Set(runs).size;
  console.log(`${runs.length} runs in ${nights} nights: ${runs.join(', ')}`);

  for (const pod of [pod0Again, pod1]) {
    pod.kill('SIGTERM');
    await once(pod, 'exit');
  }
  await Promise.all(group.map((node) => node.close({ timeoutMs: 2_000 })));
  await nc.drain();
}

async function startPod(name: string, voters: readonly string[], { clockFastMs }: { clockFastMs: number }): Promise<ChildProcess> {
  const env = { ...process.env, POD_NAME: name, VOTERS: voters.join(), CLOCK_FAST_MS: String(clockFastMs) };
  const pod = fork(path.join(__dirname, 'pod.ts'), { env });
  await once(pod, 'message');
  return pod;
}

/** Time passes: a night need not be waited for. The pod sees it on its own clock, and answers for which date it ran the job, if it did. */
async function tick(pod: ChildProcess, trueTime: string): Promise<string[]> {
  pod.send(trueTime);
  const [answer] = (await once(pod, 'message')) as [string];
  return answer === 'not run' ? [] : [answer];
}

void main();
