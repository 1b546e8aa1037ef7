/** An election with a name: at most one leader in the group, who proclaims a value for everyone to see. */
import type { Observable } from 'rxjs';
import { resourceKind } from '../lock/command.ts';
import { acquire } from './acquisition.ts';
import type { AcquireOptions } from './acquisition.ts';
import { Campaign } from './campaign.ts';
import type { Candidacy } from './campaign.ts';
import { checkNote } from './hand-over.ts';
import type { Resource } from './held-lease.ts';
import { HeldTerm } from './held-term.ts';
import type { Instance } from './instance.ts';
import { LeaderWatch } from './leader-watch.ts';
import type { CurrentLeader, Leader } from './leader-watch.ts';
import type { Term } from './lease-contract.ts';
import { checkCallback, runUnder } from './scoped-call.ts';

export interface LeadOptions extends AcquireOptions {
  /** What this leader proclaims from its first moment on; at most 1 KiB of UTF-8. */
  readonly value?: string;
}

/** An election is watched from the call of `election(name)` on, for as long as the instance lives. */
export interface Election {
  readonly name: string;
  /**
   * Waits to be elected, runs the callback as leader and resigns once it has settled: one term. Settles as `Lock.run` does, and
   * rejects with `NOTE_TOO_LARGE` for a value over 1 KiB. For work that returns soon, such as a nightly job, use `campaign`: with
   * `lead` every process would be elected in turn and do it again.
   */
  lead<T>(callback: (term: Term) => Promise<T> | T, options?: LeadOptions): Promise<T>;
  /**
   * Takes part for as long as the process lives, and returns at once; `current` of the result is the term while leading. A lost
   * session or term is followed by taking part again. Throws `NOTE_TOO_LARGE`, `CLOSED` or `TRANSPORT_CLOSED`.
   */
  campaign(value?: string): Candidacy;
  /**
   * Who leads, now and at each change. Between two leaders there is always one emission without a leader, as there is when this
   * process loses its session and so cannot know.
   */
  readonly leader$: Observable<Leader>;
  /** The latest of `leader$`, or `undefined` where nobody leads or nobody is known to. */
  readonly current: CurrentLeader | undefined;
}

export class NamedElection implements Election, Resource {
  readonly kind = 'election';
  readonly name: string;
  readonly resource: string;
  readonly #instance: Instance;
  readonly #leaders: LeaderWatch;

  constructor(instance: Instance, name: string) {
    this.#instance = instance;
    this.name = name;
    this.resource = resourceKind.election + name;
    this.#leaders = new LeaderWatch(instance, this.resource);
  }

  async lead<T>(callback: (term: Term) => Promise<T> | T, options?: LeadOptions): Promise<T> {
    checkCallback(callback);
    if (options?.value !== undefined) checkNote('value', options.value);
    const term = await acquire(this.#instance, { resource: this, Lease: HeldTerm, value: options?.value ?? null, options });
    return runUnder(this.#instance, term, callback);
  }

  campaign(value?: string): Candidacy {
    if (value !== undefined) checkNote('value', value);
    const { refusal } = this.#instance;
    if (refusal) throw refusal;
    return new Campaign(this.#instance, this, value ?? null);
  }

  get leader$(): Observable<Leader> {
    return this.#leaders.leader$;
  }

  get current(): CurrentLeader | undefined {
    return this.#leaders.current;
  }

  /** No more is told. */
  end(): void {
    this.#leaders.end();
  }
}
