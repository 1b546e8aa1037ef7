/** What a child keeps its memory in, as plain data that crosses to it, and the storage it then opens. */
import { connect } from '@nats-io/transport-node';
import { kafkaStorage } from '@quorate/kafka-adapter';
import { lmdbStorage } from '@quorate/lmdb-store';
import { jetstreamStorage } from '@quorate/nats-adapter';
import type { Storage } from '@quorate/core';
import { Kafka, logLevel } from 'kafkajs';
import { join } from 'node:path';
import { natsLogin } from '../brokers/nats-login.ts';

export type Keeping =
  /** `folder` holds one folder for each node. */
  | { readonly type: 'lmdb'; readonly folder: string }
  | { readonly type: 'jetstream'; readonly urls: readonly string[] }
  | { readonly type: 'kafka'; readonly brokers: readonly string[] };

export interface Kept {
  readonly storage: Storage;
  /** Of what the storage stands on. */
  close(): Promise<void>;
}

export interface SeatName {
  readonly group: string;
  readonly node: string;
}

export async function openKeeping(keeping: Keeping, { group, node }: SeatName): Promise<Kept> {
  switch (keeping.type) {
    case 'lmdb':
      return { storage: lmdbStorage({ path: join(keeping.folder, node) }), close: () => Promise.resolve() };
    case 'jetstream': {
      const connection = await connect({
        ...natsLogin(keeping.urls),
        name: `${node} store`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 100,
      });
      return { storage: jetstreamStorage(connection, { group, node }), close: () => connection.close() };
    }
    case 'kafka': {
      const kafka = new Kafka({ clientId: `${node} store`, brokers: [...keeping.brokers], logLevel: logLevel.NOTHING });
      return { storage: kafkaStorage(kafka, { group, node }), close: () => Promise.resolve() };
    }
  }
}
