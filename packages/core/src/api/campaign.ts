/** Taking part in an election for as long as the process lives: elected, deposed, elected again. */
import { BehaviorSubject, distinctUntilChanged } from 'rxjs';
import type { Observable } from 'rxjs';
import { isQuorateError, QuorateError } from '../errors.ts';
import { acquire } from './acquisition.ts';
import { checkNote } from './hand-over.ts';
import type { Resource } from './held-lease.ts';
import { HeldTerm } from './held-term.ts';
import type { Instance } from './instance.ts';
import type { Term } from './lease-contract.ts';
import { refusalPauseMs } from './refusal.ts';

export interface Candidacy extends AsyncDisposable {
  /** The term while this process leads, `undefined` otherwise; computed when asked. */
  readonly current: Term | undefined;
  /** `current`, now and at each change; completes when the candidacy ends. */
  readonly current$: Observable<Term | undefined>;
  /**
   * Changes the value, of the present term and of those to come. Rejects with `NOTE_TOO_LARGE`, or as `Term.proclaim` does where
   * this process leads.
   */
  proclaim(value: string): Promise<void>;
  /** Gives up the present term and goes to the back of the queue. Does nothing while not leading. */
  resign(): Promise<void>;
  /** Resigns and takes part no more. Idempotent; a release that fails is an event. */
  stop(): Promise<void>;
}

export class Campaign implements Candidacy {
  readonly #instance: Instance;
  readonly #election: Resource;
  readonly #terms = new BehaviorSubject<HeldTerm | undefined>(undefined);
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #value: string | null;

  readonly current$: Observable<Term | undefined> = this.#terms.pipe(distinctUntilChanged());

  constructor(instance: Instance, election: Resource, value: string | null) {
    this.#instance = instance;
    this.#election = election;
    this.#value = value;
    instance.campaigns.add(this);
    this.#ended = this.#takePart();
  }

  get current(): Term | undefined {
    const term = this.#terms.value;
    return term?.valid === true ? term : undefined;
  }

  async proclaim(value: string): Promise<void> {
    checkNote('value', value);
    this.#value = value;
    const { current } = this;
    if (current) await current.proclaim(value);
  }

  async resign(): Promise<void> {
    await this.#terms.value?.release();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#terms.value?.[Symbol.asyncDispose]();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #takePart(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const value = this.#value;
      const term = await this.#beElected(value);
      if (term) await this.#serve(term, value);
    }
    this.#instance.campaigns.delete(this);
    this.#terms.complete();
  }

  async #beElected(value: string | null): Promise<HeldTerm | undefined> {
    const { signal } = this.#stopping;
    const options = { timeoutMs: Infinity, signal };
    try {
      return await acquire(this.#instance, { resource: this.#election, Lease: HeldTerm, value, options });
    } catch (error) {
      if (!signal.aborted) await this.#onFailure(error);
      return undefined;
    }
  }

  /** Until the term is over, by whatever means. */
  async #serve(term: HeldTerm, proclaimed: string | null): Promise<void> {
    if (this.#stopping.signal.aborted) return term[Symbol.asyncDispose]();
    const over = new Promise<void>((resolve) => term.onEnd(resolve));
    // The value may have changed while the request was in the queue. Before anybody hears of the term: what is proclaimed then is newer.
    if (this.#value !== proclaimed && this.#value !== null) term.proclaim(this.#value).catch(() => undefined);
    this.#terms.next(term);
    await over;
    this.#terms.next(undefined);
  }

  /** A lost session needs no pause: the next acquire waits for the next session. */
  async #onFailure(error: unknown): Promise<void> {
    if (isQuorateError(error, 'SESSION_LOST')) return;
    const isOver = this.#instance.refusal !== null;
    const failure = isQuorateError(error) ? error : new QuorateError('INVARIANT', 'A campaign failed.', { cause: error });
    if (isOver) this.#stopping.abort();
    if (failure.code !== 'CLOSED') {
      this.#instance.tell({ type: 'campaignFailed', name: this.#election.name, error: failure, retryMs: isOver ? null : refusalPauseMs });
    }
    if (!isOver) await this.#pause();
  }

  #pause(): Promise<void> {
    const { signal } = this.#stopping;
    const { host } = this.#instance.engine;
    return new Promise((resolve) => {
      const end = (): void => {
        host.stopTimer(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = host.startTimer(end, refusalPauseMs);
      signal.addEventListener('abort', end);
    });
  }
}
