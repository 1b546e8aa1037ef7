/** What an instance tells of itself, one typed union, to subscribers and to the logger. */
import { Observable, Subject } from 'rxjs';
import type { QuorateError } from '../errors.ts';
import type { EngineEvent } from '../runtime/engine.ts';
import { logLineOf } from './event-text.ts';
import type { Logger } from './logger.ts';
import type { PartitionEvent } from './partitions-contract.ts';

/** What the group's own machinery tells, and what happens to this process's locks and elections. */
export type QuorateEvent =
  | EngineEvent
  /** An even number of voters survives no more losses than one fewer. */
  | { readonly type: 'evenVoters'; readonly voters: readonly string[] }
  /** A lease of this process ended before it was released. */
  | {
      readonly type: 'leaseLost';
      readonly kind: ResourceKind;
      readonly name: string;
      readonly token: number;
      readonly code: 'SESSION_LOST' | 'NOT_HELD' | 'CLOSED';
    }
  /** A release that nobody waits for failed: the lease ended first (`leaseLost` tells of that too), or runs out by itself. */
  | {
      readonly type: 'releaseFailed';
      readonly kind: ResourceKind;
      readonly name: string;
      readonly token: number;
      readonly error: QuorateError;
    }
  /** A campaign could not enter its election and will try again after `retryMs`; with `retryMs` null it is over. */
  | { readonly type: 'campaignFailed'; readonly name: string; readonly error: QuorateError; readonly retryMs: number | null }
  | PartitionEvent
  | { readonly type: 'closed'; readonly lapsed: readonly string[] };

export type ResourceKind = 'lock' | 'election';

/** Events before the first subscription are kept for it, this many at most: warnings of `join` come before anyone can subscribe. */
const earlyEventsMax = 100;

export class EventFeed {
  readonly #subject = new Subject<QuorateEvent>();
  readonly #logger: Logger | undefined;
  readonly #group: string;
  readonly #node: string;
  #early: QuorateEvent[] | null = [];

  readonly events$ = new Observable<QuorateEvent>((subscriber) => {
    const early = this.#early ?? [];
    this.#early = null;
    for (const event of early) subscriber.next(event);
    return this.#subject.subscribe(subscriber);
  });

  constructor({ group, node, logger }: { readonly group: string; readonly node: string; readonly logger: Logger | undefined }) {
    this.#group = group;
    this.#node = node;
    this.#logger = logger;
  }

  /** Somebody is told at once, or has a log to read. */
  get isHeard(): boolean {
    return this.#logger !== undefined || this.#subject.observed;
  }

  tell(event: QuorateEvent): void {
    this.#log(event);
    if (this.#early === null) return this.#subject.next(event);
    if (this.#early.length === earlyEventsMax) this.#early.shift();
    this.#early.push(event);
  }

  complete(): void {
    this.#subject.complete();
  }

  /** A logger that throws must not stop what it was told of. */
  #log(event: QuorateEvent): void {
    if (this.#logger === undefined) return;
    const { level, text } = logLineOf(event);
    try {
      this.#logger[level]({ group: this.#group, node: this.#node, event }, text);
    } catch {
      return;
    }
  }
}
