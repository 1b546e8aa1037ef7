/** The door of this package: Quorate over an existing kafkajs client. */
export { kafkaTransport } from './kafka-transport.ts';
export { kafkaTransportDefaults } from './options.ts';
export type { KafkaTransportOptions } from './options.ts';
export type * from './client.ts';
