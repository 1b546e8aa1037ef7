/** The stage of the example: a stream of six partitions, and three pods of the consumer, one of which goes while orders come in. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { natsPartitionOf } from '@quorate/nats-adapter';
import { connect } from 'nats';

type Told = 'ready' | { begins: string } | { charged: string; customer: string; order: number };
const linesOf = (file: string) => readFileSync(path.join(__dirname, file), 'utf8').split('\n').slice(1);

async function main(): Promise<void> {
  const before = new Set(linesOf('before.ts'));
  console.log(`${linesOf('after.ts').filter((line) => !before.has(line)).length} lines differ`);

  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  const [js, manager, stream] = [nc.jetstream(), await nc.jetstreamManager(), `orders-${Date.now()}`];
  await manager.streams.add({ name: stream, subjects: [`${stream}.*.*`] });

  const owners = new Map<string, string>(); // who is at work on a partition right now
  const charges = new Map<string, number[]>(); // the orders of each customer, as they were charged
  const customers = ['ada', 'bob', 'cyd', 'dot', 'eve', 'fay', 'gus', 'hal'];
  let [overlaps, count] = [0, 0];
  let onAll = (): void => undefined;
  const all = new Promise<void>((resolve) => (onAll = resolve));
  const onTold = (name: string) => (told: Told) => {
    if (told === 'ready') return;
    if ('begins' in told) {
      if ((owners.get(told.begins) ?? name) !== name) overlaps += 1;
      owners.set(told.begins, name);
    } else {
      owners.delete(told.charged);
      charges.set(told.customer, [...(charges.get(told.customer) ?? []), told.order]);
      count += 1;
      if (count === 30 * customers.length) onAll();
    }
  };
  const start = (name: string): ChildProcess => {
    const pod = fork(path.join(__dirname, 'after.ts'), { env: { ...process.env, ORDERS: stream, POD_NAME: name } });
    return pod.on('message', onTold(name));
  };
  const pods = ['pod-0', 'pod-1', 'pod-2'].map(start);
  await Promise.all(pods.map((pod) => once(pod, 'message')));

  for (let order = 0; order < 30; order += 1) {
    for (const name of customers) await js.publish(`${stream}.${natsPartitionOf([name], 6)}.${name}`, String(order));
    if (order === 10) pods[2]?.kill('SIGTERM');
  }
  await all;
  const inOrder = [...charges.values()].every((orders) => orders.every((order, index) => order === index));
  console.log(
    `${count} orders of ${charges.size} customers were charged, ${inOrder ? 'each once and in order' : 'some twice or out of order'}`,
  );
  console.log(`two pods were at work on one partition ${overlaps} times`);

  for (const pod of pods) pod.kill('SIGTERM');
  await Promise.all(pods.filter((pod) => pod.exitCode === null).map((pod) => once(pod, 'exit')));
  await manager.streams.delete(stream);
  await nc.drain();
}

void main();
