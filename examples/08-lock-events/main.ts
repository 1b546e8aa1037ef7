/** The stage of the example: a group on each broker takes a lock and elects a leader, and a plain subscriber prints what it hears. */
import { join } from '@quorate/core';
import type { Transport } from '@quorate/core';
import { kafkaTransport } from '@quorate/kafka-adapter';
import { natsTransport } from '@quorate/nats-adapter';
import { Kafka, logLevel } from 'kafkajs';
import { connect } from 'nats';
import type { CloudEvent } from './cloud-event.ts';
import { readFromKafka } from './kafka-reader.ts';
import { readFromNats } from './nats-reader.ts';

async function main(): Promise<void> {
  const nc = await connect({ servers: process.env.QUORATE_NATS_URL ?? '127.0.0.1:4222', maxReconnectAttempts: -1 });
  await watch('NATS ', natsTransport(nc), (onEvent) => readFromNats(nc, onEvent));
  await nc.drain();

  const brokers = (process.env.QUORATE_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
  const kafka = new Kafka({ clientId: 'example', brokers, logLevel: logLevel.NOTHING });
  await watch('Kafka', kafkaTransport(kafka), (onEvent) => readFromKafka(kafka, onEvent));
}

type Reader = (onEvent: (event: CloudEvent) => void) => Promise<() => Promise<void>>;

async function watch(broker: string, transport: Transport, read: Reader): Promise<void> {
  const heard: CloudEvent[] = [];
  let onHeard: () => void = () => undefined;
  const stop = await read((event) => {
    console.log(`${broker} ${event.type} ${event.subject} by ${event.data.node}`);
    heard.push(event);
    onHeard();
  });
  // One voter, for a short example. `events: 'all'` publishes what happens to locks as well, not only to leaders.
  const quorate = await join({ group: 'example-events', node: 'a', voters: ['a'], transport, events: 'all', firstFounding: true });
  await quorate.lock('invoice:42').run(() => undefined);
  await quorate.election('report').lead(() => undefined);
  while (heard.length < 4) await new Promise<void>((resolve) => (onHeard = resolve));
  console.log(`${broker} ids differ: ${new Set(heard.map(({ id }) => id)).size === heard.length}`);
  await quorate.close({ timeoutMs: 2_000 });
  await stop();
}

void main();
