/** A consumer as services have it: kafkajs and nothing else. */
import { Kafka, logLevel } from 'kafkajs';
import { charge } from './charge.ts';

const { POD_NAME = '', ORDERS = '', QUORATE_KAFKA_BROKERS = '127.0.0.1:9092' } = process.env;

async function main(): Promise<void> {
  const kafka = new Kafka({ clientId: POD_NAME, brokers: QUORATE_KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `billing-${ORDERS}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [ORDERS], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      await charge(partition, String(message.key), String(message.value));
    },
  });
  process.send?.('ready');
  process.once('SIGTERM', async () => {
    await consumer.disconnect();
    process.exit();
  });
}

void main();
