/** The NATS transport: Quorate on a connection that the application already has. */
import { checkTransportOptions, partitionByFnv1a, QuorateError } from '@quorate/core/adapter';
import type { Arbiter, TimingHints, Transport } from '@quorate/core/adapter';
import { JetStreamArbiter } from './arbiter/jetstream-arbiter.ts';
import { openNatsChannel } from './channel.ts';
import type { NatsConnection } from './connection.ts';
import type { NatsStreamConnection } from './jetstream/stream-connection.ts';
import { readNatsEvents } from './event-reader.ts';

export interface NatsTransportOptions {
  /** What every subject begins with: one or more tokens of letters, digits, `_` and `-`. The same for the whole group. Default `quorate`. */
  readonly subjectPrefix?: string;
  readonly timing?: TimingHints;
  /** For `voters: { count }`: the stream that keeps which founding of the group counts. */
  readonly foundings?: FoundingsOptions;
}

export interface FoundingsOptions {
  /** Default `quorate_<group>_founding`; made where it does not exist. */
  readonly stream?: string;
  /** Replicas of the stream: made with so many, and refused with fewer. Default 3, or 1 on a server that is in no cluster. */
  readonly replicas?: number;
  /** What the JetStream API's subjects begin with. Default `$JS.API`. */
  readonly apiPrefix?: string;
}

export const natsTransportDefaults = {
  subjectPrefix: 'quorate',
  timing: { heartbeatMs: 100, electionTimeoutMs: 500, sessionTtlMs: 10_000 },
} as const;

/**
 * Carries Quorate over a connection of `nats` 2.29 or `@nats-io/transport-node` 3. The connection stays the caller's: it is used,
 * and never drained or closed. Connect with `maxReconnectAttempts: -1`, or the client gives up for good after ten attempts, and
 * without `noEcho`, or two nodes on one connection do not hear each other.
 *
 * @throws QuorateError `INVALID_OPTIONS`
 */
export function natsTransport(connection: NatsConnection, options: NatsTransportOptions = {}): Transport {
  checkConnection(connection);
  checkTransportOptions('natsTransport', options);
  const subjectPrefix = options.subjectPrefix ?? natsTransportDefaults.subjectPrefix;
  return {
    name: 'nats',
    timing: options.timing ?? natsTransportDefaults.timing,
    // As the server's subject mapping `partition()` hashes its tokens.
    partitionOf: partitionByFnv1a,
    open: (channelOptions) => openNatsChannel(connection, subjectPrefix, channelOptions),
    arbiter: ({ group }) => arbiterOn(connection, { group, subjectPrefix, ...options.foundings }),
    readEvents: (readerOptions) => readNatsEvents(connection, subjectPrefix, readerOptions),
  };
}

const needed = ['publish', 'subscribe', 'flush', 'status', 'isClosed', 'closed'] as const satisfies readonly (keyof NatsConnection)[];

function checkConnection(connection: unknown): void {
  const isObject = typeof connection === 'object' && connection !== null;
  const missing = needed.filter((name) => !isObject || typeof Reflect.get(connection, name) !== 'function');
  if (missing.length === 0) return;
  const isPromise = isObject && typeof Reflect.get(connection, 'then') === 'function';
  const happened = isPromise
    ? 'The first argument is a promise: write `natsTransport(await connect(…))`.'
    : `The first argument is not the connection that \`connect\` of \`nats\` or \`@nats-io/transport-node\` resolves with: it lacks \`${missing.join('`, `')}\`.`;
  throw new QuorateError('INVALID_OPTIONS', happened);
}

interface ArbiterNeeds extends FoundingsOptions {
  readonly group: string;
  readonly subjectPrefix: string;
}

function arbiterOn(connection: NatsConnection, { apiPrefix = '$JS.API', replicas, ...rest }: ArbiterNeeds): Arbiter {
  if (replicas !== undefined && (!Number.isSafeInteger(replicas) || replicas < 1)) {
    throw new QuorateError('INVALID_OPTIONS', `\`foundings.replicas\` is ${replicas}, not a whole number of at least 1.`);
  }
  if (canRequest(connection)) return new JetStreamArbiter(connection, { ...rest, replicas, apiPrefix });
  throw new QuorateError('INVALID_OPTIONS', '`voters: { count }` needs a NATS connection that can `request`; this one cannot.');
}

function canRequest(connection: NatsConnection): connection is NatsStreamConnection {
  return typeof Reflect.get(connection, 'request') === 'function';
}
