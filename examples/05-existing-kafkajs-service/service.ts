/** A service on kafkajs as it was, and Quorate added to it: the lines that end in `// +` are new. */
import { Kafka, logLevel } from 'kafkajs';
import { join } from '@quorate/core'; // +
import { kafkaTransport } from '@quorate/kafka-adapter'; // +

const { POD_NAME: pod = '', ORDERS: orders = '', CHARGES: charges = '', QUORATE_KAFKA_BROKERS: brokers = '127.0.0.1:9092' } = process.env;

async function main(): Promise<void> {
  const kafka = new Kafka({ clientId: pod, brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: orders });
  const producer = kafka.producer();
  const voters = ['pod-0', 'pod-1', 'pod-2']; // +
  // `firstFounding` only because nobody of an earlier run is alive; a service leaves it out.
  const quorate = await join({ group: 'example-billing', node: pod, voters, transport: kafkaTransport(kafka), firstFounding: true }); // +
  await Promise.all([consumer.connect(), producer.connect()]);
  await consumer.subscribe({ topic: orders, fromBeginning: true });

  await consumer.run({
    eachMessage: async ({ message }) => {
      const order = String(message.key);
      const customer = String(message.value);
      // Orders of one customer lie on several partitions, so several pods have them at a time. Wait for less than the consumer's
      // session time-out: a message that throws is delivered again.
      const charge = async ({ token }: { token: number }) => {
        await producer.send({ topic: charges, messages: [{ key: customer, value: order, headers: { fence: String(token) } }] });
      };
      await quorate.lock(`customer:${customer}`).run(charge, { timeoutMs: 10_000 }); // +
    },
  });

  process.once('SIGTERM', async () => {
    await consumer.disconnect();
    await quorate.close({ timeoutMs: 2_000 }); // +
    await producer.disconnect();
    process.disconnect();
  });
  process.send?.('ready');
}

void main();
