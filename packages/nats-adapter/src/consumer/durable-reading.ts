/** One owner reading one durable: messages go to the handler one after the other, and what the handler did with each goes to the server. */
import { setTimeout as delay } from 'node:timers/promises';
import type { OwnedPartition } from '@quorate/core/adapter';
import { Acknowledger } from './acknowledger.ts';
import type { ConsumerContext } from './consumer-context.ts';
import type { Delivery } from './delivery.ts';
import { InOrder } from './in-order.ts';
import type { PartitionDurables, TakenDurable } from './partition-durable.ts';
import { Puller } from './puller.ts';
import { untilLapsed } from './until-lapsed.ts';

/** `atRest`: the next owner can go on with it. `renew`: order can be kept only by a new durable under the same grant. */
export type ReadingEnd = 'atRest' | 'unfinished' | 'renew';

const lookAgainMs = 250;
const restTries = 20;

/**
 * 1. A message is acknowledged after its handler resolved, and never once the lease is over.
 * 2. One whose handler threw is delivered again after a pause, and everything behind it after it.
 * 3. Revoked: nothing more is pulled at once, the running handler is awaited, what waits is given back, every acknowledgement is
 *    confirmed, and the server is asked whether the durable is at rest.
 */
export class DurableReading {
  readonly #acks: Acknowledger;
  readonly #puller: Puller;
  readonly #inOrder: InOrder;
  #wake: () => void = () => undefined;
  #failure: Error | undefined;
  #isRenewed = false;
  #isGone = false;
  #stopped: Promise<void> | undefined;
  #isLooking = false;
  #retryMs = 0;
  /** The place of the message that failed last, and how often it did: only the first of all that waits can. */
  #failing = 0;
  #failures = 0;

  constructor(
    private readonly context: ConsumerContext,
    private readonly owned: OwnedPartition,
    private readonly durables: PartitionDurables,
    private readonly durable: TakenDurable,
    handledUpTo: number,
  ) {
    const { connection, api, options } = context;
    const onError = (error: Error): void => this.fail(error);
    this.#inOrder = new InOrder(options.maxAckPending, { consumerSequence: durable.consumerSequence, handledUpTo });
    this.#acks = new Acknowledger({
      connection,
      mayGoOn: () => this.#mayGoOn,
      onSilence: () => void this.#lookAround(),
      onConfirmed: () => this.#puller.pull(),
      onError,
    });
    this.#puller = new Puller({
      connection,
      nextSubject: api.nextSubject(durable.name),
      inboxPrefix: options.inboxPrefix,
      pullExpiresMs: options.pullExpiresMs,
      room: () => options.maxAckPending - this.#inOrder.waiting.length - this.#acks.underWay,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onTrouble: () => void this.#lookAround(),
      onError,
    });
  }

  /** What this owner is known to have handled. */
  get handledUpTo(): number {
    return this.#inOrder.handledUpTo;
  }

  /** Resolves when the handler has settled and nothing of this durable is held any more; rejects with what made it impossible to go on. */
  async read(): Promise<ReadingEnd> {
    const { signal } = this.owned;
    const onAbort = (): void => {
      void this.#stopPulling();
      this.#wake();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const { ackWaitMs } = this.context.options;
    const patience = setInterval(() => this.#askForPatience(), ackWaitMs / 3);
    try {
      this.#puller.pull();
      for (let next = await this.#next(); next !== undefined; next = await this.#next()) await this.#handle(next);
      return await this.#end();
    } finally {
      clearInterval(patience);
      signal.removeEventListener('abort', onAbort);
      this.#puller.abandon();
    }
  }

  /** The connection to the server is a new one: whatever was asked for before is forgotten. */
  onReconnected(): void {
    this.#puller.resume();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  get #isOver(): boolean {
    return this.owned.signal.aborted || !this.owned.valid || this.#failure !== undefined || this.#isRenewed;
  }

  get #mayGoOn(): boolean {
    return this.owned.valid && this.#failure === undefined && !this.#isGone;
  }

  async #next(): Promise<Delivery | undefined> {
    while (!this.#isOver) {
      const [first] = this.#inOrder.waiting;
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }

  #onDelivery(delivery: Delivery): void {
    const verdict = this.#inOrder.onDelivery(delivery);
    if (verdict === 'queued') return this.#wake();
    if (verdict === 'handled') return this.#acks.ack(delivery);
    if (verdict === 'outOfTurn') return this.#acks.nak(delivery, this.#retryMs);
    if (verdict === 'gap') this.#renew();
  }

  async #handle({ message }: Delivery): Promise<void> {
    const { partition, resource, token, signal } = this.owned;
    try {
      await this.context.handler({ message, partition, resource, token, signal });
    } catch (error) {
      return this.#onFailure(error);
    }
    const handled = this.#inOrder.onHandled();
    if (handled !== undefined) this.#acks.ack(handled);
  }

  async #onFailure(error: unknown): Promise<void> {
    const [failed] = this.#inOrder.waiting;
    // Told to stop, or too late: it goes back with the others.
    if (failed === undefined || this.#isOver) return;
    const { partition, token } = this.owned;
    const { sequence } = failed.message;
    this.#failures = this.#failing === sequence ? this.#failures + 1 : 1;
    this.#failing = sequence;
    const reason = await this.#deadLetter(failed, error);
    if (reason === undefined || this.#isOver) return;
    const { tell, options } = this.context;
    this.#retryMs = options.backoffMs(this.#failures);
    for (const refused of this.#inOrder.onRefused()) this.#acks.nak(refused, this.#retryMs);
    tell({ type: 'messageFailed', partition, token, sequence, failures: this.#failures, retryMs: this.#retryMs, error: reason });
  }

  /** Undefined when the message is put aside for good; otherwise why it is not. */
  async #deadLetter({ message }: Delivery, error: unknown): Promise<unknown> {
    const { deadLetter, tell } = this.context;
    const { partition, resource, token, signal } = this.owned;
    const failures = this.#failures;
    if (deadLetter === undefined || failures < deadLetter.afterFailures) return error;
    try {
      await deadLetter.put({ message, partition, resource, token, signal, error });
    } catch (reason) {
      return reason;
    }
    const put = this.#inOrder.onHandled();
    if (put !== undefined) this.#acks.terminate(put, `failed ${failures} times`);
    tell({ type: 'deadLettered', partition, token, sequence: message.sequence, failures, error });
    return undefined;
  }

  async #end(): Promise<ReadingEnd> {
    if (!this.owned.valid) return 'unfinished';
    if (this.#failure !== undefined) throw this.#failure;
    return (await untilLapsed(this.owned, this.#giveBack())) ?? 'unfinished';
  }

  async #giveBack(): Promise<ReadingEnd> {
    await this.#stopPulling();
    for (const refused of this.#inOrder.onRefused()) this.#acks.nak(refused);
    await this.#acks.settled();
    if (this.#isRenewed) return this.owned.signal.aborted ? 'unfinished' : 'renew';
    return !this.#acks.hasLost && (await this.#isAtRest()) ? 'atRest' : 'unfinished';
  }

  async #isAtRest(): Promise<boolean> {
    for (let tries = 0; tries < restTries && this.owned.valid; tries += 1) {
      const state = await this.durables.stateOf(this.durable.name, this.#inOrder.owed);
      if (state !== 'pulled') return state === 'atRest';
      await delay(tries * 2);
    }
    return false;
  }

  #stopPulling(): Promise<void> {
    this.#stopped ??= this.#puller.stop();
    return this.#stopped;
  }

  #askForPatience(): void {
    // A lease can end without a word; whoever waits for a message is to notice.
    if (!this.owned.valid) return this.#wake();
    for (const delivery of this.#inOrder.waiting) this.#acks.inProgress(delivery);
  }

  /** Nobody answers, or a pull was refused: a leader's election, a successor that closes the durable, or its deletion. */
  async #lookAround(): Promise<void> {
    // Also while the partition is given up: the confirmations that this awaits never come from a durable that is gone.
    if (this.#isLooking || !this.#mayGoOn) return;
    this.#isLooking = true;
    try {
      if (!(await this.durables.isThere(this.owned, this.durable.name))) {
        this.#isGone = true;
        return this.#renew();
      }
      await delay(lookAgainMs);
      if (!this.#isOver) this.#puller.resume();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isLooking = false;
    }
  }

  #renew(): void {
    this.#isRenewed = true;
    this.#wake();
  }
}
