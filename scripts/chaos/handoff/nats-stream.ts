/** The streams of a run on NATS: one with a subject for each partition, and one for outputs. */
import { tokenOfNats } from '@quorate/nats-adapter';
import { connect, StorageType } from 'nats';
import type { NatsConnection } from 'nats';
import { decodeSaid, encode } from './piece.ts';
import type { HandoffStream } from './stream.ts';
import type { Names } from './worker-carrier.ts';

export async function natsStream(addresses: readonly string[], names: Names): Promise<HandoffStream> {
  const servers = addresses.map((address) => `nats://${address}`);
  const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const jetstream = connection.jetstream();
  return {
    open: async () => {
      await makeStream(connection, names.input, addresses.length);
      await makeStream(connection, names.output, addresses.length);
    },
    produce: async (pieces) => {
      for (const piece of pieces) {
        // A repeat after an answer that was lost is none.
        const msgID = `${piece.key}/${piece.number}`;
        await jetstream.publish(`${names.input}.${piece.partition}`, encode(piece), { msgID, timeout: 2_000 });
      }
    },
    readOutputs: async (onArrived) => {
      const consumer = await jetstream.consumers.get(names.output);
      await consumer.consume({ callback: (message) => onArrived({ said: decodeSaid(message.string()), stamp: tokenOfNats(message) }) });
    },
    // A wildcard has room for all.
    grow: () => Promise.resolve('resize'),
    close: () => connection.close(),
  };
}

const attempts = 50;

/** A cluster that has just begun may have no leader for its meta data yet. */
async function makeStream(connection: NatsConnection, name: string, replicas: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const manager = await connection.jetstreamManager();
      await manager.streams.add({ name, subjects: [`${name}.*`], num_replicas: replicas, storage: StorageType.File });
      return;
    } catch (error) {
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
