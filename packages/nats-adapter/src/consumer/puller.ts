/**
 * Asks a durable for messages, never for more than its owner has room for. A pull lives on the server until it expires or its inbox
 * has no subscriber left: unsubscribing is what ends it at once when the partition is revoked.
 */
import { randomBytes } from 'node:crypto';
import { arrivalOf } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { settledOrClosed } from '../connection-end.ts';
import { denied } from '../jetstream/request-failure.ts';
import type { NatsStreamConnection, NatsStreamMessage, NatsStreamSubscription } from '../jetstream/stream-connection.ts';

export interface PullerOptions {
  readonly connection: NatsStreamConnection;
  /** `$JS.API.CONSUMER.MSG.NEXT.<stream>.<durable>`. */
  readonly nextSubject: string;
  /** What the inbox begins with; the user must be allowed to subscribe to everything below it. */
  readonly inboxPrefix: string;
  readonly pullExpiresMs: number;
  /** How many more messages the owner can hold. */
  readonly room: () => number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The server refused a pull; nothing is asked for until `resume`. */
  readonly onTrouble: (status: string) => void;
  readonly onError: (error: Error) => void;
}

/** How often the server says of a pull that waits that it is there; half of the pull's time where that is shorter. */
const heartbeatMsMost = 5_000;
/** A server that ends pulls as soon as they come is asked again at this pace. */
const paceMs = 100;

/** One at a time: what the server still owes is then a number, and together with what the owner holds it never passes `max_ack_pending`. */
interface Pull {
  readonly inbox: string;
  readonly startedMs: number;
  timer: NodeJS.Timeout;
  remaining: number;
}

export class Puller {
  readonly #options: PullerOptions;
  readonly #inbox: string;
  readonly #subscription: NatsStreamSubscription;
  #count = 0;
  #current: Pull | undefined;
  #pause: NodeJS.Timeout | undefined;
  #state: 'pulling' | 'troubled' | 'stopped' = 'pulling';

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#inbox = `${options.inboxPrefix}.${randomBytes(12).toString('base64url')}`;
    this.#subscription = options.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) return this.#onMessage(message);
        options.onError(denied('subscription', `${this.#inbox}.*`, error));
      },
    });
  }

  /** Asks for as much as there is room for, unless a pull is under way. */
  pull(): void {
    if (this.#state !== 'pulling' || this.#current !== undefined || this.#pause !== undefined) return;
    const batch = this.#options.room();
    if (batch > 0) this.#publish(batch);
  }

  /** After trouble, or a new connection to the server: an earlier pull counts as over. */
  resume(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'pulling';
    this.#forgetPull();
    this.pull();
  }

  /** Resolves when this server has no pull of ours left, and all that came before has been delivered. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#become('stopped');
    const { connection } = this.#options;
    if (connection.isClosed()) return;
    // The drain of a connection that is closed meanwhile never settles.
    await settledOrClosed(connection, this.#subscription.drain());
  }

  /** As `stop`, without waiting and without what is on its way: for an owner whose lease is over. */
  abandon(): void {
    if (this.#state === 'stopped') return;
    this.#become('stopped');
    this.#subscription.unsubscribe();
  }

  #publish(batch: number): void {
    const { connection, nextSubject, pullExpiresMs, onError } = this.#options;
    this.#count += 1;
    const inbox = `${this.#inbox}.${this.#count}`;
    this.#current = { inbox, startedMs: performance.now(), timer: this.#watch(), remaining: batch };
    const request = { batch, expires: pullExpiresMs * 1e6, idle_heartbeat: this.#heartbeatMs * 1e6 };
    try {
      connection.publish(nextSubject, JSON.stringify(request), { reply: inbox });
    } catch (error) {
      this.#forgetPull();
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onMessage(message: NatsStreamMessage): void {
    const arrival = arrivalOf(message);
    if (arrival.type === 'delivery') {
      this.#options.onDelivery(arrival.delivery);
      return this.#onPart();
    }
    // What is said of a pull that was given up before says nothing about the present one.
    if (message.subject !== this.#current?.inbox) return;
    if (arrival.type === 'heartbeat') return this.#onHeard(this.#current);
    if (arrival.type === 'pullEnded') return this.#onEnd();
    this.#become('troubled');
    this.#options.onTrouble(arrival.status);
  }

  /** A message bears the subject that it was published on, and so does not say which pull it answers: with one pull there is no question. */
  #onPart(): void {
    if (this.#current === undefined) return;
    this.#current.remaining -= 1;
    if (this.#current.remaining > 0) return this.#onHeard(this.#current);
    this.#forgetPull();
    this.pull();
  }

  get #heartbeatMs(): number {
    return Math.min(heartbeatMsMost, Math.floor(this.#options.pullExpiresMs / 2));
  }

  #onHeard(pull: Pull): void {
    clearTimeout(pull.timer);
    pull.timer = this.#watch();
  }

  /** A pull may be lost with its connection, its server or its durable: where it is not heard of, another one finds out. */
  #watch(): NodeJS.Timeout {
    return setTimeout(() => this.#onEnd(), 2 * this.#heartbeatMs + paceMs);
  }

  #onEnd(): void {
    const livedMs = this.#current === undefined ? paceMs : performance.now() - this.#current.startedMs;
    this.#forgetPull();
    if (livedMs >= paceMs) return this.pull();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.pull();
    }, paceMs);
  }

  #become(state: 'troubled' | 'stopped'): void {
    this.#state = state;
    this.#forgetPull();
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #forgetPull(): void {
    clearTimeout(this.#current?.timer);
    this.#current = undefined;
  }
}
