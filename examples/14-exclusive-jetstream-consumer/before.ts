/** A consumer of a stream as services have it: nats and nothing else. */
import { connect } from 'nats';
import { charge } from './charge.ts';

const { ORDERS = '', QUORATE_NATS_URL = '127.0.0.1:4222' } = process.env;

async function main(): Promise<void> {
  const nc = await connect({ servers: QUORATE_NATS_URL, maxReconnectAttempts: -1 });
  const consumer = await nc.jetstream().consumers.get(ORDERS, 'billing');
  const messages = await consumer.consume();
  process.once('SIGTERM', () => nc.drain());
  process.send?.('ready');
  for await (const message of messages) {
    await charge(message.subject, message.data);
    message.ack();
  }
}

void main();
