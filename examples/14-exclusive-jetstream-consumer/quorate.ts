/** What a service that uses Quorate has anyway: its instance, and its end. */
import { join } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { natsTransport } from '@quorate/nats-adapter';
import type { NatsConnection } from 'nats';

export async function quorateOf(nc: NatsConnection): Promise<Quorate> {
  const { POD_NAME: node = '', ORDERS = '' } = process.env;
  const voters = ['pod-0', 'pod-1', 'pod-2'];
  // `firstFounding` only because nobody of an earlier run is alive; a service leaves it out.
  const quorate = await join({ group: `example-${ORDERS}`, node, voters, transport: natsTransport(nc), firstFounding: true });
  // Closing gives everything up in order, and so ends the consumers of this instance.
  process.once(
    'SIGTERM',
    () =>
      void quorate
        .close({ timeoutMs: 2_000 })
        .then(() => nc.drain())
        .then(() => process.exit()),
  );
  return quorate;
}
