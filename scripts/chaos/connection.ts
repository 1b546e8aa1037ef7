/** A process's connection to its broker, made through its own wire and through nothing else. */
import { connect as connectSocket } from 'node:net';
import { connect } from '@nats-io/transport-node';
import { kafkaTransport } from '@quorate/kafka-adapter';
import { natsTransport } from '@quorate/nats-adapter';
import { Kafka, logLevel } from 'kafkajs';
import type { Connected } from '../processes/carrier.ts';
import type { BrokerName } from './timing.ts';

export interface Wire {
  readonly broker: BrokerName;
  /** By the port of each broker, the port of the proxy that stands for it. */
  readonly ports: Readonly<Record<number, number>>;
}

const host = '127.0.0.1';
const reconnectMs = 100;
/** A connection attempt through a wire that is cut should not outlast the cut by long. */
const connectTimeoutMs = 2_000;

export async function connectThrough({ broker, ports }: Wire, name: string): Promise<Connected> {
  if (broker === 'kafka') return connectKafka(ports, name);
  const connection = await connect({
    servers: Object.values(ports).map((port) => `nats://${host}:${port}`),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    reconnectJitter: reconnectMs,
    timeout: connectTimeoutMs,
    waitOnFirstConnect: true,
    // What a server says of its neighbours would lead around the proxies.
    ignoreClusterUpdates: true,
  });
  return { transport: natsTransport(connection), close: () => connection.close() };
}

/** Brokers advertise their own ports; the socket that is opened for one leads to its proxy. */
function connectKafka(ports: Wire['ports'], clientId: string): Connected {
  const kafka = new Kafka({
    clientId,
    brokers: Object.keys(ports).map((port) => `${host}:${port}`),
    logLevel: logLevel.NOTHING,
    connectionTimeout: connectTimeoutMs,
    socketFactory: ({ port, onConnect }) => {
      const proxied = ports[port];
      if (proxied === undefined) throw new Error(`no proxy stands for port ${port}`);
      return connectSocket({ host, port: proxied }, onConnect).setNoDelay(true);
    },
  });
  return { transport: kafkaTransport(kafka), close: () => Promise.resolve() };
}
