/** Real brokers for tests, examples and benchmarks: started on free ports, hurt on request, gone when their process is. */
import { findKafka } from './kafka-source.ts';
import { findNats } from './nats-source.ts';
import type { Availability, BrokerNeeds } from './availability.ts';

export { explain } from './availability.ts';
export type { Availability, BrokerNeeds, Found, SourceName, Unavailable } from './availability.ts';
export type { Broker, BrokerMember } from './broker.ts';
export { kafkaBroker } from './kafka.ts';
export type { KafkaBroker, KafkaBrokerOptions } from './kafka.ts';
export { natsBroker } from './nats.ts';
export type { NatsBroker, NatsBrokerOptions } from './nats.ts';

/** Says where a nats-server can be had, fetching it if that is what it takes. */
export function natsAvailable(needs?: BrokerNeeds): Promise<Availability> {
  return findNats(needs);
}

/** Says where Kafka can be had, fetching it if that is what it takes. */
export function kafkaAvailable(needs?: BrokerNeeds): Promise<Availability> {
  return findKafka(needs);
}
