/** The NATS transport: Quorate on a connection that the application already has. */
import { partitionByFnv1a } from '@quorate/core/adapter';
import type { TimingHints, Transport } from '@quorate/core/adapter';
import { openNatsChannel } from './channel.ts';
import type { NatsConnection } from './connection.ts';
import { readNatsEvents } from './event-reader.ts';

export interface NatsTransportOptions {
  /** What every subject begins with: one or more tokens of letters, digits, `_` and `-`. The same for the whole group. Default `quorate`. */
  readonly subjectPrefix?: string;
  readonly timing?: TimingHints;
}

export const natsTransportDefaults = {
  subjectPrefix: 'quorate',
  timing: { heartbeatMs: 100, electionTimeoutMs: 500, sessionTtlMs: 10_000 },
} as const;

/**
 * Carries Quorate over a connection of `nats` 2.29 or `@nats-io/transport-node` 3. The connection stays the caller's: it is used,
 * and never drained or closed. Connect with `maxReconnectAttempts: -1`, or the client gives up for good after ten attempts, and
 * without `noEcho`, or two nodes on one connection do not hear each other.
 */
export function natsTransport(connection: NatsConnection, options: NatsTransportOptions = {}): Transport {
  const subjectPrefix = options.subjectPrefix ?? natsTransportDefaults.subjectPrefix;
  return {
    name: 'nats',
    timing: options.timing ?? natsTransportDefaults.timing,
    // As the server's subject mapping `partition()` hashes its tokens.
    partitionOf: partitionByFnv1a,
    open: (channelOptions) => openNatsChannel(connection, subjectPrefix, channelOptions),
    readEvents: (readerOptions) => readNatsEvents(connection, subjectPrefix, readerOptions),
  };
}
