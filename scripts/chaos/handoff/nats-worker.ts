/** A worker on NATS: a JetStream consumer whose partitions have one owner at a time, or a queue group as users have it today. */
import { natsTransport, ownedConsumer, stampNats } from '@quorate/nats-adapter';
import { connect, headers } from 'nats';
import { decodePiece, encode } from './piece.ts';
import type { CarrierSettings, WorkerCarrier } from './worker-carrier.ts';

const reconnectMs = 100;

export async function natsWorker({ addresses, name, names, count, drainTimeoutMs }: CarrierSettings): Promise<WorkerCarrier> {
  const servers = addresses.map((address) => `nats://${address}`);
  const connection = await connect({ servers, name, maxReconnectAttempts: -1, reconnectTimeWait: reconnectMs, waitOnFirstConnect: true });
  const jetstream = connection.jetstream();
  const pieceOf = (data: Uint8Array) => decodePiece(new TextDecoder().decode(data));
  return {
    transport: natsTransport(connection),
    consume: ({ source, handle, onEvent }) =>
      ownedConsumer(source, connection, {
        stream: names.input,
        name: names.group,
        count,
        filter: (partition) => `${names.input}.${partition}`,
        drainTimeoutMs,
        onEvent,
      }).run(({ message, token }) => handle(pieceOf(message.data), token)),
    consumePlainly: ({ handle }) => {
      connection.subscribe(`${names.input}.*`, {
        queue: names.group,
        callback: (error, message) => void (error ?? handle(pieceOf(message.data)).catch(() => undefined)),
      });
      return connection.flush();
    },
    publish: async (said, stamp) => {
      const stamped = stamp === undefined ? {} : { headers: stampNats(headers(), stamp) };
      await jetstream.publish(`${names.output}.${said.partition}`, encode(said), stamped);
    },
    // What was delivered is worked on still, in a queue group too.
    close: () => connection.drain(),
  };
}
