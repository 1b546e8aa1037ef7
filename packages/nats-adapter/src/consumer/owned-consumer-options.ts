/** What a user says about an owned consumer, and what it is told. */
import { encodeName, QuorateError } from '@quorate/core/adapter';
import type { OwnOptions, PartitionsOptions } from '@quorate/core/adapter';
import type { OwnedMessage } from './delivery.ts';

export interface OwnedConsumerOptions extends Omit<OwnOptions, 'signal'>, Pick<PartitionsOptions, 'count' | 'graceMs' | 'settleMs'> {
  readonly stream: string;
  /** Of the set of partitions, and what every durable of it begins with. Durables are found again by it: keep it. */
  readonly name: string;
  /** The subject of a partition in the stream; wildcards are allowed. No two partitions may share a message. */
  readonly filter: (partition: number) => string;
  /**
   * How many messages of a partition may be unacknowledged at a time. Default 1. More saves a round trip per message; the handler still
   * sees one after the other, but after a crash up to so many are handled again. One more costs nothing in order.
   */
  readonly maxAckPending?: number;
  /** How long the server waits for a word about a message before it delivers it again. A slow handler is kept alive. Default 30 000 ms. */
  readonly ackWaitMs?: number;
  /**
   * Where the first owner of all begins: with what the stream has, or with what comes. What the set has grown by since is read from its
   * first message in any case. Default `all`; `workqueue` streams know no other.
   */
  readonly from?: 'all' | 'new';
  /** Replicas of each durable. Default: as many as the stream has. */
  readonly replicas?: number;
  /** The pause after a message has failed for the n-th time. Default: 100 ms, doubled each time, at most 10 s. */
  readonly backoffMs?: (failures: number) => number;
  readonly deadLetter?: DeadLetter;
  /** What the JetStream API's subjects begin with: `$JS.<domain>.API` for another domain, or an import's prefix. Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** What inboxes begin with; below it the user must be allowed to subscribe. Default `_INBOX`. */
  readonly inboxPrefix?: string;
  /** How long one pull waits on the server. A revoked partition does not wait for it. Default 30 000 ms. */
  readonly pullExpiresMs?: number;
  /** For one JetStream operation, elections and reconnections included. Default 10 000 ms. */
  readonly requestTimeoutMs?: number;
  readonly onEvent?: (event: OwnedConsumerEvent) => void;
}

/** What is done with a message that keeps failing. */
export interface DeadLetter {
  /** After its handler has thrown this many times under one owner; the next owner counts anew. */
  readonly afterFailures: number;
  /** Keeps the message somewhere; it is terminated on the stream once this has resolved. While it throws, the message is delivered again. */
  readonly put: (failed: FailedMessage) => Promise<void> | void;
}

export interface MessageContext {
  readonly message: OwnedMessage;
  readonly partition: number;
  /** What the token is compared under: `stampNats(headers(), { resource, token })`. */
  readonly resource: string;
  /** Goes with every write and every message that the handler causes. */
  readonly token: number;
  /** Fires when the partition is to be given up; a message whose handler resolves before the lease ends is still acknowledged. */
  readonly signal: AbortSignal;
}

export interface FailedMessage extends MessageContext {
  readonly error: unknown;
}

export type MessageHandler = (context: MessageContext) => Promise<void> | void;

interface OfPartition {
  readonly partition: number;
  readonly token: number;
}

export type OwnedConsumerEvent =
  /**
   * `isHandedOver`: the last owner's durable is kept. Otherwise it is new, and those in `deleted` have ended. `isGrown`: it begins at the
   * first message of a partition that the set has grown by, whatever `from` says.
   */
  | (OfPartition & {
      readonly type: 'durableTaken';
      readonly durable: string;
      readonly isHandedOver: boolean;
      readonly isGrown: boolean;
      readonly deleted: readonly string[];
    })
  /** `isHandedOver`: the next owner goes on with this durable; otherwise it begins a new one behind the floor of the last. */
  | (OfPartition & { readonly type: 'durableLeft'; readonly durable: string; readonly isHandedOver: boolean })
  /** Something was lost between the server and here: a new durable under the same grant keeps the order. */
  | (OfPartition & { readonly type: 'durableRenewed'; readonly durable: string })
  | (OfPartition & {
      readonly type: 'messageFailed';
      readonly sequence: number;
      readonly failures: number;
      readonly retryMs: number;
      readonly error: unknown;
    })
  | (OfPartition & { readonly type: 'deadLettered'; readonly sequence: number; readonly failures: number; readonly error: unknown })
  /** The partition cannot be read; it is tried again as `own` does. */
  | (OfPartition & { readonly type: 'partitionFailed'; readonly error: unknown });

export const ownedConsumerDefaults = {
  maxAckPending: 1,
  ackWaitMs: 30_000,
  from: 'all',
  apiPrefix: '$JS.API',
  inboxPrefix: '_INBOX',
  pullExpiresMs: 30_000,
  requestTimeoutMs: 10_000,
  backoffMs: (failures: number): number => Math.min(10_000, 100 * 2 ** Math.min(failures - 1, 20)),
} as const;

export type ResolvedConsumerOptions = OwnedConsumerOptions & Required<Pick<OwnedConsumerOptions, keyof typeof ownedConsumerDefaults>>;

const streamName = /^[^\s.*>/\\]+$/;

/** Throws `INVALID_NAME` for an empty name, `INVALID_OPTIONS` for all else. */
export function resolveConsumerOptions(options: OwnedConsumerOptions): ResolvedConsumerOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...ownedConsumerDefaults, ...given } as ResolvedConsumerOptions;
  encodeName(resolved.name);
  if (!streamName.test(resolved.stream)) refuse('stream', resolved.stream, 'the name of a stream');
  if (typeof resolved.filter !== 'function') refuse('filter', resolved.filter, 'a function from a partition to its subject');
  checkWhole('maxAckPending', resolved.maxAckPending, 1);
  checkWhole('ackWaitMs', resolved.ackWaitMs, 100);
  checkWhole('pullExpiresMs', resolved.pullExpiresMs, 100);
  checkWhole('requestTimeoutMs', resolved.requestTimeoutMs, 1);
  if (resolved.replicas !== undefined) checkWhole('replicas', resolved.replicas, 1);
  if (resolved.from !== 'all' && resolved.from !== 'new') refuse('from', resolved.from, '"all" or "new"');
  if (resolved.deadLetter !== undefined) checkWhole('deadLetter.afterFailures', resolved.deadLetter.afterFailures, 1);
  return resolved;
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) refuse(name, value, `a whole number of at least ${least}`);
}

export function refuse(name: string, value: unknown, wanted: string): never {
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${JSON.stringify(value) ?? String(value)}, which is not ${wanted}.`);
}
