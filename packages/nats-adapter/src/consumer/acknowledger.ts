/** Acknowledgements that are known to have arrived: sent as requests, and again until the durable's server has answered. */
import { setTimeout as delay } from 'node:timers/promises';
import { isQuorateError } from '@quorate/core/adapter';
import type { Delivery } from './delivery.ts';
import { requestFailed } from '../jetstream/request-failure.ts';
import type { NatsStreamConnection } from '../jetstream/stream-connection.ts';

export interface AcknowledgerOptions {
  readonly connection: NatsStreamConnection;
  /** False once the lease is over: what is not confirmed by then is left to the next owner. */
  readonly mayGoOn: () => boolean;
  /** Told each time that nobody answers. */
  readonly onSilence: () => void;
  readonly onError: (error: Error) => void;
  /** Told when the number under way has become smaller. */
  readonly onConfirmed: () => void;
}

const attemptMs = 2_000;
const retryMs = 100;

export class Acknowledger {
  readonly #underWay = new Set<Promise<void>>();
  #hasLost = false;

  constructor(private readonly options: AcknowledgerOptions) {}

  /** How many are not confirmed yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** True when one of them was given up. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  ack(delivery: Delivery): void {
    this.#send(delivery, '+ACK');
  }

  /** As `ack`, and the server publishes an advisory with the reason: the message was not handled, and is not to come again. */
  terminate(delivery: Delivery, reason: string): void {
    this.#send(delivery, `+TERM ${reason}`);
  }

  /** To be delivered again, after the delay where one is given. */
  nak(delivery: Delivery, delayMs = 0): void {
    this.#send(delivery, delayMs > 0 ? `-NAK {"delay": ${Math.round(delayMs * 1e6)}}` : '-NAK');
  }

  /** The work on it goes on: the wait for its acknowledgement begins anew. Nothing is confirmed, and nothing is lost if it is lost. */
  inProgress({ ackSubject }: Delivery): void {
    try {
      this.options.connection.publish(ackSubject, '+WPI');
    } catch {
      // The connection is closed, which the status tells.
    }
  }

  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #send(delivery: Delivery, payload: string): void {
    const sending = this.#confirm(delivery.ackSubject, payload).finally(() => {
      this.#underWay.delete(sending);
      this.options.onConfirmed();
    });
    this.#underWay.add(sending);
  }

  async #confirm(subject: string, payload: string): Promise<void> {
    const { connection, mayGoOn, onSilence, onError } = this.options;
    while (mayGoOn()) {
      try {
        await connection.request(subject, payload, { timeout: attemptMs });
        return;
      } catch (cause) {
        const error = requestFailed(connection, subject, cause);
        if (!isQuorateError(error, 'TRANSPORT_FAILED')) {
          this.#hasLost = true;
          return onError(error);
        }
      }
      onSilence();
      await delay(retryMs);
    }
    this.#hasLost = true;
  }
}
