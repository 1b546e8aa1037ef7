/** The stage of the example: two owners of an invoice publish under their tokens, one of them too late, and a consumer writes to a table. */
import { join } from '@quorate/core';
import { kafkaTransport, stampKafka } from '@quorate/kafka-adapter';
import { Kafka, logLevel } from 'kafkajs';
import { consume } from './consumer.ts';
import { openTable } from './store.ts';

async function main(): Promise<void> {
  const brokers = (process.env.QUORATE_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
  const kafka = new Kafka({ clientId: 'example', brokers, logLevel: logLevel.NOTHING });
  const topic = `example-invoices-${Date.now()}`;
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  // The status changes of one invoice must stay in order: one key, and so one partition.
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });

  const voters = ['a', 'b', 'c'];
  const transport = kafkaTransport(kafka);
  // Three nodes in one process, for a short example. `firstFounding`: nobody of an earlier run is alive. A service leaves it out.
  const member = (node: string) => join({ group: 'example-fenced-update', node, voters, transport, firstFounding: true });
  const [a, b, c] = await Promise.all([member('a'), member('b'), member('c')]);

  const resource = 'invoice:42';
  const publish = (status: string, token: number) =>
    producer.send({ topic, messages: [stampKafka({ key: '42', value: status }, { resource, token })] });

  const formerToken = await a.lock(resource).run(async ({ token }) => {
    await publish('sent', token);
    return token;
  });
  await b.lock(resource).run(({ token }) => publish('paid', token).then(() => undefined));
  // What a process does that was paused while it held the lock, and has not noticed.
  await publish('cancelled', formerToken);

  const invoices = await openTable();
  console.log('a consumer reads');
  await consume(kafka, topic, 3, invoices);
  console.log('it starts anew and reads all of it again');
  await consume(kafka, topic, 3, invoices);
  console.log(`the invoice is ${invoices.status(42)}`);

  invoices.close();
  await Promise.all([a, b, c].map((node) => node.close({ timeoutMs: 2_000 })));
  await admin.deleteTopics({ topics: [topic] });
  await Promise.all([producer.disconnect(), admin.disconnect()]);
}

void main();
