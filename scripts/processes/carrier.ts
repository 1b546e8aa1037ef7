/** Which broker carries the frames of a child, as plain data that crosses to it, and the connection it then makes. */
import { kafkaTransport } from '@quorate/kafka-adapter';
import { natsTransport } from '@quorate/nats-adapter';
import type { Transport } from '@quorate/core/adapter';
import { connect } from '@nats-io/transport-node';
import { Kafka, logLevel } from 'kafkajs';
import { natsLogin } from '../brokers/nats-login.ts';

export type Carrier =
  { readonly type: 'nats'; readonly urls: readonly string[] } | { readonly type: 'kafka'; readonly brokers: readonly string[] };

export interface Connected {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** How soon a client tries again after its broker went away; a test should not wait for a default made for production. */
const reconnectMs = 100;

export async function connectTo(carrier: Carrier, name: string): Promise<Connected> {
  if (carrier.type === 'kafka') return connectKafka(carrier.brokers, name);
  const connection = await connect({ ...natsLogin(carrier.urls), name, maxReconnectAttempts: -1, reconnectTimeWait: reconnectMs });
  return { transport: natsTransport(connection), close: () => connection.close() };
}

/** kafkajs connects when it is used, and what the transport opens it closes. */
function connectKafka(brokers: readonly string[], clientId: string): Connected {
  const kafka = new Kafka({ clientId, brokers: [...brokers], logLevel: logLevel.NOTHING });
  return { transport: kafkaTransport(kafka), close: () => Promise.resolve() };
}
