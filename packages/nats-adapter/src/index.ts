/** The door of this package. */
export { natsTransport, natsTransportDefaults } from './nats-transport.ts';
export type { NatsTransportOptions } from './nats-transport.ts';
export type {
  NatsConnection,
  NatsMessage,
  NatsPublishOptions,
  NatsServerInfo,
  NatsSubscribeOptions,
  NatsSubscription,
} from './connection.ts';
