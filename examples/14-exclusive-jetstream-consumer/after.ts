/** The same consumer, with partitions that have one owner at a time. */
import { ownedConsumer } from '@quorate/nats-adapter';
import { connect } from 'nats';
import { charge } from './charge.ts';
import { quorateOf } from './quorate.ts';

const { ORDERS = '', QUORATE_NATS_URL = '127.0.0.1:4222' } = process.env;

async function main(): Promise<void> {
  const nc = await connect({ servers: QUORATE_NATS_URL, maxReconnectAttempts: -1 });
  const consumer = ownedConsumer(await quorateOf(nc), nc, { stream: ORDERS, name: 'billing', count: 6, filter: (n) => `${ORDERS}.${n}.*` });
  process.send?.('ready');
  await consumer.run(({ message }) => charge(message.subject, message.data));
}

void main();
