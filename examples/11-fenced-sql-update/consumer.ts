/** The consumer: `fence` drops what it knows to be stale, and the guarded update refuses what `fence` could not know. */
import { fence } from '@quorate/core';
import { tokenOfKafka } from '@quorate/kafka-adapter';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { lastValueFrom, Subject, take, tap } from 'rxjs';
import type { InvoiceTable } from './store.ts';

/** Reads the first messages of the topic, as a process does that has just started and knows of nothing. */
export async function consume(kafka: Kafka, topic: string, count: number, invoices: InvoiceTable): Promise<void> {
  const messages = new Subject<KafkaMessage>();
  const onStale = ({ value }: KafkaMessage) => console.log(`  ${String(value)}: dropped, a newer owner was heard`);
  const applied$ = messages.pipe(
    take(count),
    fence({ stamp: tokenOfKafka, onStale }),
    tap((message) => apply(message, invoices)),
  );
  const finished = lastValueFrom(applied$, { defaultValue: undefined });
  const consumer = kafka.consumer({ groupId: `${topic}-${Date.now()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => messages.next(message) });
  await finished;
  await consumer.disconnect();
}

function apply(message: KafkaMessage, invoices: InvoiceTable): void {
  const { token = 0 } = tokenOfKafka(message) ?? {};
  const rows = invoices.setStatus(Number(message.key), String(message.value), token);
  console.log(`  ${String(message.value)}: ${rows === 1 ? 'written' : 'refused by the row, a newer owner wrote it'}`);
}
