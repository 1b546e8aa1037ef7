/** Lock events with nothing but the NATS client: subjects `quorate.<group>.event.<lock or election>.<name>`. */
import type { NatsConnection } from 'nats';
import type { CloudEvent } from './cloud-event.ts';

export async function readFromNats(nc: NatsConnection, onEvent: (event: CloudEvent) => void): Promise<() => Promise<void>> {
  const subscription = nc.subscribe('quorate.example-events.event.>', {
    callback: (_error, message) => onEvent(message.json<CloudEvent>()),
  });
  await nc.flush();
  return () => subscription.drain();
}
