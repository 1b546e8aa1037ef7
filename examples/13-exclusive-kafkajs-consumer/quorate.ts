/** What a service that uses Quorate has anyway: its instance. */
import { join } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { kafkaTransport } from '@quorate/kafka-adapter';
import type { Kafka } from 'kafkajs';

export function quorateOf(kafka: Kafka, node: string): Promise<Quorate> {
  const voters = ['pod-0', 'pod-1', 'pod-2'];
  // `firstFounding` only because nobody of an earlier run is alive; a service leaves it out.
  return join({ group: `example-exclusive-${process.env.ORDERS}`, node, voters, transport: kafkaTransport(kafka), firstFounding: true });
}
