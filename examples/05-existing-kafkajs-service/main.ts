/** The stage of the example: three pods of the service as processes, twelve orders of three customers, and a look at the charges. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';

async function main(): Promise<void> {
  const brokers = (process.env.QUORATE_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
  const kafka = new Kafka({ clientId: 'stage', brokers, logLevel: logLevel.NOTHING });
  const [orders, charges] = [`example-orders-${Date.now()}`, `example-charges-${Date.now()}`];
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [
      { topic: orders, numPartitions: 3 },
      { topic: charges, numPartitions: 1 },
    ],
  });

  const env = { ...process.env, ORDERS: orders, CHARGES: charges };
  const pods = ['pod-0', 'pod-1', 'pod-2'].map((name) => fork(path.join(__dirname, 'service.ts'), { env: { ...env, POD_NAME: name } }));
  await Promise.all(pods.map((pod) => once(pod, 'message')));

  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: 12 }, (_, index) => ({ key: `order-${index}`, value: ['ada', 'bob', 'cyd'][index % 3] ?? '' }));
  await producer.send({ topic: orders, messages });

  const charged = new Set<string>();
  const fences = new Map<string, number>();
  let rise = true;
  const reader = kafka.consumer({ groupId: charges });
  await reader.connect();
  await reader.subscribe({ topic: charges, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { key: Buffer | null; value: Buffer | null; headers?: object } }) => {
      const { fence } = message.headers as { fence: Buffer };
      // What a store would refuse: a charge whose fence is lower than one that it has already seen for the customer.
      if (Number(fence) < (fences.get(String(message.key)) ?? 0)) rise = false;
      fences.set(String(message.key), Number(fence));
      if (charged.add(String(message.value)).size === messages.length) resolve();
    };
    reader.run({ eachMessage }).catch(reject);
  });
  console.log(`${charged.size} orders of ${fences.size} customers were charged`);
  console.log(`the fences of each customer ${rise ? 'rise' : 'do not rise'}`);

  for (const pod of pods) pod.kill('SIGTERM');
  await Promise.all([reader.disconnect(), producer.disconnect(), ...pods.map((pod) => once(pod, 'exit'))]);
  await admin.deleteTopics({ topics: [orders, charges] });
  await admin.disconnect();
}

void main();
