/** Who leads an election, as this process is told: never one leader straight after another. */
import { BehaviorSubject, filter } from 'rxjs';
import type { Observable } from 'rxjs';
import { TermHistory } from '../election/term-history.ts';
import type { Term as KnownTerm } from '../election/term.ts';
import type { LockState } from '../lock/command.ts';
import type { Instance } from './instance.ts';
import { watchResource } from './resource-watch.ts';

/** Without a leader all three are `undefined`. */
export interface Leader {
  readonly leader: string | undefined;
  readonly token: number | undefined;
  readonly value: string | undefined;
}

export interface CurrentLeader {
  readonly leader: string;
  readonly token: number;
  readonly value: string | undefined;
}

const nobody: Leader = { leader: undefined, token: undefined, value: undefined };

export class LeaderWatch {
  readonly #history = new TermHistory();
  /** `null` until the group has told of it for the first time. */
  readonly #leaders = new BehaviorSubject<Leader | null>(null);
  readonly leader$: Observable<Leader> = this.#leaders.pipe(filter((leader): leader is Leader => leader !== null));

  /** Throws LIMIT_REACHED where the process watches as many resources as it may. */
  constructor(instance: Instance, resource: string) {
    const end = (): void => this.end();
    const show = (state: LockState | null): void => this.#show(state === null ? this.#history.refounded() : this.#history.next(state));
    if (instance.isClosed) end();
    else watchResource(instance, resource, { next: show, complete: end });
  }

  get current(): CurrentLeader | undefined {
    const known = this.#leaders.value;
    if (known?.leader === undefined || known.token === undefined) return undefined;
    return { leader: known.leader, token: known.token, value: known.value };
  }

  /** Nobody is known to lead any more. */
  end(): void {
    this.#show(this.#history.refounded());
    this.#leaders.complete();
  }

  #show(terms: readonly (KnownTerm | null)[]): void {
    for (const term of terms) {
      this.#leaders.next(term === null ? nobody : { leader: term.leader, token: term.token, value: term.value ?? undefined });
    }
  }
}
