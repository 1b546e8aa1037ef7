/** What Quorate holds of a user's connection: some subscriptions and a watch over its changes, from `open` to `close`. */
import { QuorateError } from '@quorate/core/adapter';
import type { ChannelEvent, ChannelStatus } from '@quorate/core/adapter';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { watchConnection } from './connection-changes.ts';
import type { ConnectionChange } from './connection-changes.ts';
import type { NatsConnection, NatsMessage, NatsSubscription } from './connection.ts';
import { EventRights } from './event-rights.ts';
import type { Subjects } from './subjects.ts';

const nothing = new Uint8Array(0);
const flushOnCloseMs = 1_000;
const retryMs = 100;

export interface AttachmentOptions {
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  /** Subjects to receive from. */
  readonly subscribeTo: readonly string[];
  /** Subjects that the server must let this user publish on. */
  readonly publishOn: readonly string[];
  /** Marks what this attachment publishes, so that it can leave out its own. */
  readonly reply?: string;
  onMessage(message: NatsMessage): void;
  onStatus(status: ChannelStatus, error?: Error): void;
  onEvent(event: ChannelEvent): void;
}

/**
 * Rules:
 * 1. Nothing but what stands in the way of opening is told before `whenReady` has resolved, and nothing after `release`.
 * 2. Ready means: the server has confirmed every subscription and refused none of the subjects, for either operation.
 * 3. The user's connection is never closed or drained.
 */
export class Attachment {
  readonly #options: AttachmentOptions;
  readonly #subscriptions: NatsSubscription[] = [];
  /** What this channel publishes to readers of lock events. */
  readonly eventRights = new EventRights();
  /** Operations and kinds of subjects that this server refused since it was reached: of each only the first is told. */
  readonly #told = new Set<string>();
  #refusal: QuorateError | undefined;
  #unwatch: () => void = () => undefined;
  #failOpening: (error: Error) => void = () => undefined;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #status: ChannelStatus = 'connected';

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  get status(): ChannelStatus {
    return this.#status;
  }

  async whenReady(): Promise<void> {
    const { connection, subscribeTo } = this.#options;
    if (connection.isClosed()) throw connectionClosed();
    // A flush under way when the connection is closed never settles.
    const failed = new Promise<never>((_resolve, reject) => (this.#failOpening = reject));
    this.#unwatch = watchConnection(connection, (change) => this.#onChange(change));
    if (isBetween(connection)) this.#tellOpening('The NATS connection is broken; the client connects anew.');
    try {
      for (const subject of subscribeTo) this.#subscriptions.push(this.#subscribe(subject));
    } catch (cause) {
      throw connectionClosed(cause);
    }
    await Promise.race([failed, this.#confirm()]);
    if (this.#state === 'opening') this.#state = 'open';
  }

  /** Gives everything back. Where the server is there, what was published before has reached it when this resolves. */
  async release(): Promise<void> {
    const { connection } = this.#options;
    const wasConnected = this.#state === 'open' && this.#status === 'connected';
    this.#becomeOver();
    if (!wasConnected || connection.isClosed()) return;
    const giveUp = new AbortController();
    const flushed = connection.flush().catch(() => undefined);
    await Promise.race([flushed, delay(flushOnCloseMs, undefined, { signal: giveUp.signal })]);
    giveUp.abort();
  }

  #subscribe(subject: string): NatsSubscription {
    return this.#options.connection.subscribe(subject, {
      callback: (error, message) => {
        // A refused subscription is told here as well as in the status, where both generations name the subject.
        if (error === null && this.#state === 'open') this.#options.onMessage(message);
      },
    });
  }

  async #confirm(): Promise<void> {
    while (this.#state === 'opening' && !(await this.#isConfirmed())) await delay(retryMs);
  }

  /**
   * A refusal comes before the answer to the flush, and is read from the status within the same turn. To ask whether publishing is
   * allowed takes a publication: an empty one, which every receiver ignores.
   */
  async #isConfirmed(): Promise<boolean> {
    const { connection, publishOn, reply } = this.#options;
    try {
      for (const subject of publishOn) connection.publish(subject, nothing, { reply });
      await connection.flush();
    } catch (cause) {
      if (connection.isClosed()) throw connectionClosed(cause);
      return false;
    }
    await nextTurn();
    if (this.#refusal !== undefined) throw this.#refusal;
    return this.#status === 'connected';
  }

  #onChange(change: ConnectionChange): void {
    switch (change.type) {
      case 'disconnected':
        return this.#onConnection('disconnected', new Error(`The NATS connection${change.server} broke; the client connects anew.`));
      case 'connected':
        return this.#onConnection('connected');
      case 'connecting':
        return this.#tellOpening(`The NATS connection${change.server} is broken; the client connects anew.`);
      case 'closed':
        return this.#become('closed', connectionClosed(change.error));
      case 'denied':
        if (this.#options.subjects.has(change.subject)) this.#onDenied(change);
        return;
      case 'failed':
        if (this.#state === 'open') return this.#options.onEvent({ ...change, type: 'warning', code: 'TRANSPORT_FAILED' });
        return this.#tellOpening(change.message, change.cause);
    }
  }

  #onConnection(status: 'connected' | 'disconnected', error?: Error): void {
    this.#told.clear();
    this.eventRights.forget();
    if (error) this.#tellOpening(error.message);
    this.#become(status, error);
  }

  /** What stands in the way, for whoever waits for the opening. */
  #tellOpening(message: string, cause?: unknown): void {
    if (this.#state === 'opening') this.#options.onEvent({ type: 'warning', code: 'TRANSPORT_FAILED', message, cause });
  }

  /** Other channels on this connection see the same status: what only they asked for is theirs to tell. */
  #onDenied({ operation, subject, cause }: ConnectionChange & { readonly type: 'denied' }): void {
    const { subscribeTo, publishOn, subjects } = this.#options;
    const isSubscription = operation === 'subscription';
    if (isSubscription && !subscribeTo.includes(subject)) return;
    if (this.#state === 'opening') {
      if (isSubscription || publishOn.includes(subject)) this.#refusal ??= this.#refusalOf(operation, subject, cause);
      return;
    }
    if (subjects.isEvent(subject) && !isSubscription && !this.eventRights.onRefused(subject)) return;
    const kind = `${operation} ${subjects.kindOf(subject)}`;
    const error = this.#refusalOf(operation, subject, cause);
    if (!this.#told.has(kind)) this.#options.onEvent({ type: 'error', code: error.code, message: error.message, cause: error });
    this.#told.add(kind);
    // Rights taken away at a reconnect: a channel that has gone deaf must not look alive.
    if (isSubscription) this.#become('closed', error);
  }

  #refusalOf(operation: string, subject: string, cause: unknown): QuorateError {
    const { subjects } = this.#options;
    const happened =
      `The NATS server does not let this user ${operation === 'subscription' ? 'subscribe to' : 'publish on'} ${JSON.stringify(subject)}; ` +
      `Quorate publishes and subscribes on ${JSON.stringify(subjects.everything)}.`;
    return new QuorateError('TRANSPORT_DENIED', happened, { cause, details: { operation, subject } });
  }

  #become(status: ChannelStatus, error?: Error): void {
    if (this.#status === status || this.#state === 'over') return;
    this.#status = status;
    const isOpen = this.#state === 'open';
    if (status === 'closed') this.#becomeOver();
    if (isOpen) this.#options.onStatus(status, error);
    else if (status === 'closed' && error !== undefined) this.#failOpening(error);
  }

  #becomeOver(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#status = 'closed';
    this.#unwatch();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }
}

/** The client forgets the greeting of a server when it dials the next. */
function isBetween({ info }: NatsConnection): boolean {
  return info === undefined || info === null;
}

function connectionClosed(cause?: unknown): QuorateError {
  return new QuorateError('TRANSPORT_CLOSED', 'The NATS connection is closed.', { cause });
}
