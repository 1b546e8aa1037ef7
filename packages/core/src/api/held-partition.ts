/** A partition in the hands of this process: valid while keep-alives cover it, and over for good once they do not. */
import { isQuorateError, QuorateError } from '../errors.ts';
import type { PartitionNoteOp, ReleasePartitionOp } from '../partition/command.ts';
import { partitionOp, partitionResult } from '../partition/command.ts';
import type { RequestOutcome } from '../runtime/engine.ts';
import { ChangeOrder } from './change-order.ts';
import { checkNote } from './hand-over.ts';
import type { Instance } from './instance.ts';
import type { OwnedPartition } from './partitions-contract.ts';

export interface PartitionGrant {
  readonly set: string;
  readonly partition: number;
  readonly token: number;
  readonly session: number;
  readonly note: string | null;
}

/**
 * 1. Held, then revoked perhaps, then over: released or lost. Never back.
 * 2. Valid only before it is over, under the session of its grant, and while a keep-alive that was answered covers it.
 */
export class HeldPartition implements OwnedPartition {
  readonly partition: number;
  readonly resource: string;
  readonly token: number;
  readonly previous: string | undefined;
  readonly #instance: Instance;
  readonly #grant: PartitionGrant;
  readonly #controller = new AbortController();
  readonly #changes: ChangeOrder;
  #onLost: ((error: QuorateError) => void) | null = null;
  #isOver = false;
  #isGivenBack = false;
  #lost: QuorateError | null = null;
  #handOver: string | null = null;
  #noted: string | null;
  #progress = 0;

  constructor(instance: Instance, grant: PartitionGrant) {
    this.partition = grant.partition;
    this.resource = `${grant.set}/${grant.partition}`;
    this.token = grant.token;
    this.previous = grant.note ?? undefined;
    this.#noted = grant.note;
    this.#instance = instance;
    this.#changes = new ChangeOrder(instance);
    this.#grant = grant;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get valid(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    if (this.#isOver) return 0;
    const remainingMs = this.#isOfThisSession ? this.#instance.engine.coverMs(this.token) : 0;
    if (remainingMs === 0) this.lose(this.#lostError());
    return remainingMs;
  }

  /** Why it ended before it was given back, or null. Looks at the clocks. */
  get loss(): QuorateError | null {
    void this.valid;
    return this.#lost;
  }

  /** Rises with each note that says something else than the last. */
  get progress(): number {
    return this.#progress;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async note(value: string): Promise<void> {
    checkNote('note', value);
    if (this.#isGivenBack || !this.valid) throw this.#notHeld();
    this.#onNote(value);
    return this.#changes.change(partitionOp.note, () => this.#askNote(value));
  }

  async #askNote(value: string): Promise<void> {
    if (this.#isOver) throw this.#notHeld();
    const { set, session } = this.#grant;
    const outcome = await this.#request(session, (seq): PartitionNoteOp => {
      return [partitionOp.note, seq, set, this.partition, this.token, value];
    });
    if (outcome.type === 'sessionLost')
      throw new QuorateError('SESSION_LOST', `The session ended while a note was left with ${this.what}.`);
    const code = outcome.result[1];
    if (code === partitionResult.limit)
      throw new QuorateError('LIMIT_REACHED', 'The group holds as many notes as it may.', { details: { limit: 'notes' } });
    if (code !== partitionResult.done) throw this.#notHeld();
  }

  handOver(value: string): void {
    checkNote('note', value);
    this.#handOver = value;
    this.#onNote(value);
  }

  /** Fires the signal; the lease lives on until it is released or runs out. */
  revoke(error: QuorateError): void {
    this.#controller.abort(error);
  }

  lose(error: QuorateError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lost = error;
    this.#controller.abort(error);
    this.#onLost?.(error);
  }

  /** Calls the listener when it is found over before it was given back, by whoever looks first. One listener. */
  onLost(listener: (error: QuorateError) => void): void {
    this.#onLost = listener;
  }

  /** Gives it back with its note; resolves with what came of it, `lost` where it was over before. Never rejects. */
  giveBack(): Promise<'released' | 'lost'> {
    const { set, session } = this.#grant;
    const build =
      (note: string | null) =>
      (seq: number): ReleasePartitionOp => {
        return [partitionOp.release, seq, set, this.partition, this.token, note];
      };
    return this.#end(async () => {
      const outcome = await this.#request(session, build(this.#handOver));
      if (this.#handOver === null || outcome.type !== 'result' || outcome.result[1] !== partitionResult.limit) return outcome;
      // The partition matters more than its note.
      return this.#request(session, build(null));
    });
  }

  /** Gives it up as one that this process cannot work on. Never rejects. */
  refuse(): Promise<'released' | 'lost'> {
    const { set, session } = this.#grant;
    return this.#end(() => this.#request(session, (seq) => [partitionOp.refuse, seq, set, this.partition, this.token]));
  }

  get what(): string {
    return `partition ${this.partition} of "${this.#grant.set}"`;
  }

  #onNote(value: string): void {
    if (value !== this.#noted) this.#progress += 1;
    this.#noted = value;
  }

  /** Asks once every note is answered, for it may be chosen before one that is under way. */
  async #end(ask: () => Promise<RequestOutcome>): Promise<'released' | 'lost'> {
    this.#isGivenBack = true;
    try {
      const outcome = await new Promise<RequestOutcome | null>((resolve, reject) => {
        this.#changes.afterAll(() => {
          if (this.#isOver) resolve(null);
          else ask().then(resolve, reject);
        });
      });
      if (this.#isOver) return 'lost';
      const isReleased = outcome?.type === 'result' && outcome.result[1] === partitionResult.done;
      if (!isReleased) this.lose(this.#lostError());
      this.#isOver = true;
      return isReleased ? 'released' : 'lost';
    } catch (error) {
      if (isQuorateError(error)) this.lose(error);
      return 'lost';
    }
  }

  #request(session: number, build: Parameters<Instance['request']>[1]): Promise<RequestOutcome> {
    return new Promise((resolve, reject) => this.#instance.request(session, build, resolve, reject));
  }

  get #isOfThisSession(): boolean {
    return this.#instance.engine.session === this.#grant.session;
  }

  /** Whoever looks at the clocks may find the end of the session before the engine tells of it: the partition ends with it, not by itself. */
  #lostError(): QuorateError {
    if (!this.#isOfThisSession || this.#instance.engine.remainingMs() === 0)
      return new QuorateError('SESSION_LOST', `The session is over, and the lease on ${this.what} (token ${this.token}) with it.`);
    return new QuorateError('LEASE_LOST', `The lease on ${this.what} (token ${this.token}) is over.`);
  }

  #notHeld(): QuorateError {
    return new QuorateError('NOT_HELD', `The lease on ${this.what} with the token ${this.token} is over.`);
  }
}
