/** The client generations that the suite runs on, behind one way to connect. */
import { connect as connectGeneration3 } from '@nats-io/transport-node';
import { connect as connectGeneration2 } from 'nats';
import type { NatsConnection } from '../src/index.ts';

export interface UserConnection extends NatsConnection {
  close(): Promise<void>;
  drain(): Promise<void>;
}

export interface ConnectOptions {
  readonly servers: string | string[];
  readonly user?: string;
  readonly pass?: string;
}

export interface ClientGeneration {
  readonly name: string;
  connect(options: ConnectOptions): Promise<UserConnection>;
}

const reconnecting = { maxReconnectAttempts: -1, reconnectTimeWait: 50 };

export const generations: readonly ClientGeneration[] = [
  { name: 'nats 2', connect: (options) => connectGeneration2({ ...options, ...reconnecting }) },
  { name: '@nats-io/transport-node 3', connect: (options) => connectGeneration3({ ...options, ...reconnecting }) },
];

/** The user's connection with some of it replaced. */
export function through(connection: NatsConnection, replaced: Partial<NatsConnection>): NatsConnection {
  return {
    get info() {
      return connection.info;
    },
    publish: (subject, payload, options) => connection.publish(subject, payload, options),
    subscribe: (subject, options) => connection.subscribe(subject, options),
    flush: () => connection.flush(),
    status: () => connection.status(),
    isClosed: () => connection.isClosed(),
    closed: () => connection.closed(),
    ...replaced,
  };
}
