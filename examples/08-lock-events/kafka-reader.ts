/** Lock events with nothing but kafkajs: the topic `quorate.<group>.events`, keyed by lock or election. */
import type { Kafka } from 'kafkajs';
import type { CloudEvent } from './cloud-event.ts';

const topic = 'quorate.example-events.events';

export async function readFromKafka(kafka: Kafka, onEvent: (event: CloudEvent) => void): Promise<() => Promise<void>> {
  // Quorate creates the topic with its first event; whoever reads before that creates it.
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic }] });
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: 'example-event-reader', maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => onEvent(JSON.parse(String(message.value)) as CloudEvent),
  });
  return () => consumer.disconnect();
}
