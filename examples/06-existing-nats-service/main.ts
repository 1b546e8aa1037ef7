/** The stage of the example: three pods of the service as processes; the one that sweeps is killed, and another takes over. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { connect, StringCodec } from 'nats';

interface Sweep {
  readonly pod: string;
  readonly fence: number;
}

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222' });
  let onSweep: (sweep: Sweep) => void = () => undefined;
  nc.subscribe('example.sweep', { callback: (_error, message) => onSweep(message.json<Sweep>()) });
  const nextSweep = (isIt: (sweep: Sweep) => boolean) =>
    new Promise<Sweep>((resolve) => (onSweep = (sweep) => isIt(sweep) && resolve(sweep)));

  const names = ['pod-0', 'pod-1', 'pod-2'];
  const pods = new Map(names.map((name) => [name, fork(path.join(__dirname, 'service.ts'), { env: { ...process.env, POD_NAME: name } })]));
  await Promise.all([...pods.values()].map((pod) => once(pod, 'message')));

  const answer = await nc.request('example.orders', StringCodec().encode('one more'));
  console.log(`the service works as before: order ${answer.string()}`);

  const first = await nextSweep(() => true);
  console.log(`${first.pod} sweeps`);
  pods.get(first.pod)?.kill('SIGKILL');
  pods.delete(first.pod);
  console.log(`${first.pod} is killed`);
  const second = await nextSweep(({ pod }) => pod !== first.pod);
  console.log(`${second.pod} sweeps, with a ${second.fence > first.fence ? 'higher' : 'lower'} fence`);

  for (const pod of pods.values()) pod.kill('SIGTERM');
  await Promise.all([...pods.values()].map((pod) => once(pod, 'exit')));
  await nc.drain();
}

void main();
