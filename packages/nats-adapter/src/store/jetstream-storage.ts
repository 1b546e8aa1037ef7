/** A voter's memory in JetStream: a pod without a disk comes back as the voter it was. `docs/decisions/0014`. */
import { encodeName, logStorage } from '@quorate/core/adapter';
import type { Storage } from '@quorate/core/adapter';
import { JetStreamApi } from '../jetstream/jetstream-api.ts';
import { refuse } from '../consumer/owned-consumer-options.ts';
import type { NatsStreamConnection } from '../jetstream/stream-connection.ts';
import { natsTransportDefaults } from '../nats-transport.ts';
import { JetStreamLog } from './jetstream-log.ts';
import { SeatStream } from './seat-stream.ts';

export interface JetStreamStorageOptions {
  /** As given to `join`. */
  readonly group: string;
  /** As given to `join`: a name that the next process of this seat has too. */
  readonly node: string;
  /** What every subject begins with, as of the transport. Default `quorate`. */
  readonly subjectPrefix?: string;
  /** Default `quorate_<group>_store`; made where it does not exist. */
  readonly stream?: string;
  /** Replicas of the stream where it is made here. Default 3, or 1 on a server that is in no cluster. */
  readonly replicas?: number;
  /** What the JetStream API's subjects begin with. Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** What inboxes begin with; below it the user must be allowed to subscribe. Default `_INBOX`. */
  readonly inboxPrefix?: string;
  /** For one request that reads. Default 10 000 ms. */
  readonly requestTimeoutMs?: number;
  /** How long a write is repeated while the server is away. Then nobody knows whether it landed, and the voter stops. Default 30 000 ms. */
  readonly writeTimeoutMs?: number;
}

export const jetstreamStorageDefaults = {
  apiPrefix: '$JS.API',
  inboxPrefix: '_INBOX',
  requestTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
} as const;

const prefixes = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const streamName = /^[^\s.*>/\\]+$/;

/**
 * Keeps what a voter must remember in a stream, one subject for each seat. The process that starts last on a seat has it; the one
 * before it is refused by the server at its next write and stops with STORAGE_IN_USE, within seconds. Works on `nats` 2.29 and
 * `@nats-io/transport-node` 3, nats-server 2.10 and later. The user needs the rights to `STREAM.INFO`, `STREAM.CREATE`,
 * `STREAM.MSG.GET`, `STREAM.PURGE`, `CONSUMER.CREATE` and `CONSUMER.DELETE` of the stream, to publish on
 * `<prefix>.<group>.store.>`, and to an inbox. Throws `INVALID_NAME` and `INVALID_OPTIONS`.
 */
export function jetstreamStorage(connection: NatsStreamConnection, options: JetStreamStorageOptions): Storage {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as JetStreamStorageOptions;
  const { group, node, apiPrefix, inboxPrefix, requestTimeoutMs, writeTimeoutMs, replicas } = { ...jetstreamStorageDefaults, ...given };
  const { subjectPrefix = natsTransportDefaults.subjectPrefix, stream: name = `quorate_${encodeName(group)}_store` } = given;
  if (!prefixes.test(subjectPrefix)) refuse('subjectPrefix', subjectPrefix, 'a series of tokens of letters, digits, _ and -');
  if (!streamName.test(name)) refuse('stream', name, 'the name of a stream');
  for (const [key, value] of Object.entries({ requestTimeoutMs, writeTimeoutMs, replicas: replicas ?? 1 })) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(key, value, 'a whole number of at least 1');
  }
  const root = `${subjectPrefix}.${encodeName(group)}.store`;
  const api = new JetStreamApi(connection, { stream: name, apiPrefix, requestTimeoutMs });
  const stream = new SeatStream({ api, subject: `${root}.>`, replicas });
  const seat = `${root}.${encodeName(node)}`;
  return logStorage(new JetStreamLog({ connection, api, stream, seat, inboxPrefix, requestTimeoutMs, writeTimeoutMs }));
}
