/** The door of this package. */
export { natsTransport, natsTransportDefaults } from './nats-transport.ts';
export type { FoundingsOptions, NatsTransportOptions } from './nats-transport.ts';
export { stampNats, tokenOfNats } from './token-header.ts';
export type { NatsHeaders, NatsHeadersHolder } from './token-header.ts';
export type {
  NatsConnection,
  NatsMessage,
  NatsPublishOptions,
  NatsServerInfo,
  NatsSubscribeOptions,
  NatsSubscription,
} from './connection.ts';
export { ownedConsumer } from './consumer/owned-consumer.ts';
export type { OwnedConsumer, PartitionsOwner } from './consumer/owned-consumer.ts';
export { ownedConsumerDefaults } from './consumer/owned-consumer-options.ts';
export type {
  DeadLetter,
  FailedMessage,
  MessageContext,
  MessageHandler,
  OwnedConsumerEvent,
  OwnedConsumerOptions,
} from './consumer/owned-consumer-options.ts';
export type { OwnedMessage } from './consumer/delivery.ts';
export { ownedSubscription } from './consumer/owned-subscription.ts';
export type { OwnedSubscription, OwnedSubscriptionOptions, SubjectMessageContext } from './consumer/owned-subscription.ts';
export { natsPartitionOf } from './consumer/partition-of.ts';
export type {
  NatsReceivedHeaders,
  NatsRequestOptions,
  NatsStreamConnection,
  NatsStreamMessage,
  NatsStreamSubscribeOptions,
  NatsStreamSubscription,
} from './jetstream/stream-connection.ts';
export { jetstreamStorage, jetstreamStorageDefaults } from './store/jetstream-storage.ts';
export type { JetStreamStorageOptions } from './store/jetstream-storage.ts';
