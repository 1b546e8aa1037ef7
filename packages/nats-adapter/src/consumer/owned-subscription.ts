/**
 * Core NATS subscriptions to the subjects of owned partitions. Core NATS keeps nothing: what is published while a partition has no
 * subscriber, from one owner's end to the next one's beginning, is lost. Where that matters, use a stream and `ownedConsumer`.
 */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnedPartition, OwnOptions, Partitions, PartitionsOptions } from '@quorate/core/adapter';
import { watchConnection } from '../connection-changes.ts';
import { settledOrClosed } from '../connection-end.ts';
import type { PartitionsOwner } from './owned-consumer.ts';
import { refuse } from './owned-consumer-options.ts';
import { denied } from '../jetstream/request-failure.ts';
import type { NatsStreamConnection, NatsStreamMessage } from '../jetstream/stream-connection.ts';

export interface OwnedSubscriptionOptions extends Omit<OwnOptions, 'signal'>, Pick<PartitionsOptions, 'count' | 'graceMs' | 'settleMs'> {
  /** Of the set of partitions. */
  readonly name: string;
  /** What the owner of a partition subscribes to; wildcards are allowed. */
  readonly subject: (partition: number) => string;
  /**
   * Told of a handler that threw: nobody delivers the message again. Without it, or where it throws, the partition fails as `own` says
   * (event `partitionFailed`), and what is published until it is begun again is lost too.
   */
  readonly onError?: (failed: { readonly partition: number; readonly token: number; readonly error: unknown }) => void;
}

export interface SubjectMessageContext {
  readonly message: NatsStreamMessage;
  readonly partition: number;
  readonly resource: string;
  readonly token: number;
  readonly signal: AbortSignal;
}

export interface OwnedSubscription {
  /** Takes part until `stop`, once. The handler sees the messages of a partition one after the other, at most once each. */
  run(handler: (context: SubjectMessageContext) => Promise<void> | void): Promise<void>;
  /** Gives all up in good order; resolves when `run` has. */
  stop(): Promise<void>;
}

/**
 * Subscribes to a partition's subject for as long as this process owns the partition. At a hand-over the last owner handles all that the
 * server had sent to it before the next one subscribes; what is published in between reaches nobody. Throws `INVALID_NAME` and
 * `INVALID_OPTIONS`; `run` rejects as `Partitions.own` does.
 */
export function ownedSubscription(
  quorate: PartitionsOwner,
  connection: NatsStreamConnection,
  options: OwnedSubscriptionOptions,
): OwnedSubscription {
  const { name, count, graceMs, settleMs, subject } = options;
  if (typeof subject !== 'function') refuse('subject', subject, 'a function from a partition to its subject');
  const extra = { ...(graceMs !== undefined && { graceMs }), ...(settleMs !== undefined && { settleMs }) };
  const partitions: Partitions = quorate.partitions(name, { count, ...extra });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  return {
    run: async (handler) => {
      if (typeof handler !== 'function') refuse('handler', handler, 'a function');
      if (running !== undefined) throw new QuorateError('INVALID_OPTIONS', 'This subscription runs already, or has run.');
      const { weight, drainTimeoutMs, onDrainTimeout } = options;
      running = partitions.own((owned) => subscribeWhileOwned(connection, owned, { ...options, handler }), {
        signal: stopping.signal,
        ...(weight !== undefined && { weight }),
        ...(drainTimeoutMs !== undefined && { drainTimeoutMs }),
        ...(onDrainTimeout !== undefined && { onDrainTimeout }),
      });
      return running;
    },
    stop: async () => {
      stopping.abort();
      await running?.catch(() => undefined);
    },
  };
}

interface Subscribing extends OwnedSubscriptionOptions {
  readonly handler: (context: SubjectMessageContext) => Promise<void> | void;
}

async function subscribeWhileOwned(connection: NatsStreamConnection, owned: OwnedPartition, options: Subscribing): Promise<void> {
  const { partition, resource, token, signal } = owned;
  const { handler, onError } = options;
  const subject = options.subject(partition);
  const end = new End(signal);
  const unwatch = watchConnection(connection, (change) => {
    if (change.type === 'closed') end.fail(closed(change.error));
    if (change.type === 'denied' && change.subject === subject) end.fail(denied(change.operation, subject, change.cause));
  });
  const handle = async (message: NatsStreamMessage): Promise<void> => {
    if (!owned.valid || end.hasFailed) return;
    try {
      await handler({ message, partition, resource, token, signal });
    } catch (error) {
      if (onError === undefined) throw error;
      onError({ partition, token, error });
    }
  };
  let last = Promise.resolve();
  try {
    const subscription = subscribeTo(connection, subject, (message) => {
      last = last.then(() => handle(message)).catch((error: unknown) => end.fail(error));
    });
    await end.reached;
    // The drain of a connection that is closed meanwhile never settles.
    if (!connection.isClosed()) await settledOrClosed(connection, subscription.drain());
    await last;
  } finally {
    unwatch();
    end.forget();
  }
  end.throwFailure();
}

function subscribeTo(connection: NatsStreamConnection, subject: string, onMessage: (message: NatsStreamMessage) => void) {
  try {
    // A refusal is told in the status as well, with its subject.
    return connection.subscribe(subject, { callback: (error, message) => void (error === null && onMessage(message)) });
  } catch (error) {
    throw connection.isClosed() ? closed(error) : error;
  }
}

function closed(cause: unknown): QuorateError {
  return new QuorateError('TRANSPORT_CLOSED', 'The NATS connection is closed.', { cause });
}

/** Of one owner's subscription: its signal, or the first failure. */
class End {
  /** Never rejects: there may be nobody who waits for it. */
  readonly reached: Promise<void>;
  readonly #signal: AbortSignal;
  #reach: () => void = () => undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    signal.addEventListener('abort', this.#reach);
    if (signal.aborted) this.#reach();
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reach();
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  forget(): void {
    this.#signal.removeEventListener('abort', this.#reach);
  }
}
