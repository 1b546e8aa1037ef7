/** The stage of the example: three pods of the consumer, one of which goes while orders come in. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';

type Told = 'ready' | { begins: number } | { charged: number; customer: string; order: number };
const linesOf = (file: string) => readFileSync(path.join(__dirname, file), 'utf8').split('\n').slice(1);

async function main(): Promise<void> {
  const before = new Set(linesOf('before.ts'));
  console.log(`${linesOf('after.ts').filter((line) => !before.has(line)).length} lines differ`);

  const brokers = (process.env.QUORATE_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
  const kafka = new Kafka({ clientId: 'stage', brokers, logLevel: logLevel.NOTHING });
  const [admin, producer, topic] = [kafka.admin(), kafka.producer(), `example-exclusive-${Date.now()}`];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic, numPartitions: 6 }] });

  const owners = new Map<number, string>(); // who is at work on a partition right now
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
    const pod = fork(path.join(__dirname, 'after.ts'), { env: { ...process.env, ORDERS: topic, POD_NAME: name } });
    return pod.on('message', onTold(name));
  };
  const pods = ['pod-0', 'pod-1', 'pod-2'].map(start);
  await Promise.all(pods.map((pod) => once(pod, 'message')));

  for (let order = 0; order < 30; order += 1) {
    await producer.send({ topic, messages: customers.map((key) => ({ key, value: String(order) })) });
    if (order === 10) pods[2]?.kill('SIGTERM');
  }
  await all;
  const inOrder = [...charges.values()].every((orders) => orders.every((order, index) => order === index));
  console.log(
    `${count} orders of ${charges.size} customers were charged, ${inOrder ? 'each once and in order' : 'some twice or out of order'}`,
  );
  console.log(`two pods were at work on one partition ${overlaps} times`);

  for (const pod of pods) pod.kill('SIGTERM');
  await Promise.all([producer.disconnect(), ...pods.filter((pod) => pod.exitCode === null).map((pod) => once(pod, 'exit'))]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

void main();
