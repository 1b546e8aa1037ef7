/** The same consumer with partitions of its own. */
import { Kafka, logLevel } from 'kafkajs';
import { ownedConsumer } from '../../../src/index.ts';
import { quorate } from './quorate.ts';

export interface Service {
  stop(): Promise<void>;
}

export async function startService(brokers: string[], topic: string, onOrder: (order: string) => void): Promise<Service> {
  const kafka = new Kafka({ clientId: 'billing', brokers, logLevel: logLevel.NOTHING });
  const consumer = ownedConsumer(await quorate, kafka, { groupId: `billing-${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message, heartbeat }) => {
      const order = String(message.value);
      await heartbeat();
      onOrder(`${partition}: ${order}`);
    },
  });
  return {
    stop: async () => {
      await consumer.stop();
      await consumer.disconnect();
    },
  };
}
