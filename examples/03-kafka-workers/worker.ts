/** One worker: joins the group over Kafka, and changes what all share in turns. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from '@quorate/core';
import { kafkaTransport } from '@quorate/kafka-adapter';
import { Kafka, logLevel } from 'kafkajs';

const { WORKER: node = '', WORKERS = '', COUNTER: counter = '', QUORATE_KAFKA_BROKERS: brokers = '127.0.0.1:9092' } = process.env;

async function main(): Promise<void> {
  const kafka = new Kafka({ clientId: node, brokers: brokers.split(','), logLevel: logLevel.ERROR });
  // `firstFounding` says that nobody of an earlier run is alive, so that nothing has to be waited for. A service leaves it out.
  const quorate = await join({
    group: 'example-kafka-workers',
    node,
    voters: WORKERS.split(','),
    transport: kafkaTransport(kafka),
    firstFounding: true,
  });

  for (let turn = 0; turn < 10; turn += 1) {
    await quorate.lock('counter').run(async () => {
      const count = Number(readFileSync(counter, 'utf8'));
      await pause(5);
      writeFileSync(counter, String(count + 1));
    });
  }
  console.log(`${node} took 10 turns`);

  process.once('message', async () => {
    await quorate.close({ timeoutMs: 2_000 });
    process.disconnect();
  });
  process.send?.('done');
}

void main();
