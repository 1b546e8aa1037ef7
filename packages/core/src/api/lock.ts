/** A fenced lock with a name: at most one holder in the group, waiters in the order of their requests. */
import { filter, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { resourceKind } from '../lock/command.ts';
import type { LockState } from '../lock/command.ts';
import { acquire, tryAcquire } from './acquisition.ts';
import type { AcquireOptions } from './acquisition.ts';
import { HeldLease } from './held-lease.ts';
import type { Resource } from './held-lease.ts';
import { holdStream } from './hold.ts';
import type { Instance } from './instance.ts';
import type { Lease } from './lease-contract.ts';
import { lockInfoOf } from './lock-info.ts';
import type { LockInfo } from './lock-info.ts';
import { presentState, resourceStates } from './resource-watch.ts';
import { checkCallback, runUnder } from './scoped-call.ts';

/**
 * Locks are not re-entrant: a process that waits for a lock it holds waits until its deadline, and is told so.
 *
 * Calls reject with `LOCK_TIMEOUT` (details: `holder`, `token`, `since`, `place`, `heldByThisProcess`), `NO_QUORUM` where the
 * deadline passed while the group could decide nothing (details: `missing`), `SESSION_LOST` where the session was lost while they
 * waited, `ABORTED`, `QUEUE_FULL`, `LIMIT_REACHED`, `MAILBOX_FULL`, `COMMAND_TOO_LARGE`, `CLOSED`, `TRANSPORT_CLOSED` or `INVALID_OPTIONS`. Without
 * a session they wait for the next one.
 */
export interface Lock {
  readonly name: string;
  /** Waits for the lock and resolves with the lease on it. The caller releases it. */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /** Resolves with the lease if the lock is free, with `undefined` if somebody holds it or waits for it. */
  tryAcquire(options?: AcquireOptions): Promise<Lease | undefined>;
  /**
   * Waits for the lock, runs the callback under it and releases it once the callback has settled. Resolves with the callback's
   * value or rejects with its error. Rejects with `LEASE_LOST` where the lease ended first, even though the callback resolved;
   * its value is then in `cause`. `options.signal` and `timeoutMs` are for the waiting: a callback ends by itself. A callback may call
   * `quorate.close()`, but must not await or return it: it waits for the callback, and past its deadline this is `LEASE_LOST`.
   */
  run<T>(callback: (lease: Lease) => Promise<T> | T, options?: AcquireOptions): Promise<T>;
  /**
   * Cold. Subscribing waits for the lock, for as long as the subscription lasts, and emits the lease; unsubscribing releases it. A
   * lost lease is an error (`SESSION_LOST`), so that what works under it is torn down at once; `retry()` takes the lock again. What
   * `acquire` rejects with is an error a second later, so that `retry()` asks once a second. Completes when the instance closes.
   */
  readonly hold$: Observable<Lease>;
  /**
   * The lock as everyone sees it, now and at each change; the group is asked while there are subscribers. Where this process watches as
   * many locks, elections and sets of partitions as it may (65,536), it errors with `LIMIT_REACHED`, a second later.
   */
  readonly state$: Observable<LockInfo>;
  /**
   * The latest of `state$`, or `undefined` where it is not known: asking for the first time starts the watching, which ends a
   * minute after the last time. Throws `LIMIT_REACHED` where `state$` errors with it.
   */
  readonly state: LockInfo | undefined;
}

export class NamedLock implements Lock, Resource {
  readonly kind = 'lock';
  readonly name: string;
  readonly resource: string;
  readonly #instance: Instance;

  constructor(instance: Instance, name: string) {
    this.#instance = instance;
    this.name = name;
    this.resource = resourceKind.lock + name;
  }

  acquire(options?: AcquireOptions): Promise<HeldLease> {
    return acquire(this.#instance, { resource: this, Lease: HeldLease, value: null, options });
  }

  tryAcquire(options?: AcquireOptions): Promise<HeldLease | undefined> {
    return tryAcquire(this.#instance, { resource: this, Lease: HeldLease, value: null, options });
  }

  async run<T>(callback: (lease: Lease) => Promise<T> | T, options?: AcquireOptions): Promise<T> {
    checkCallback(callback);
    return runUnder(this.#instance, await this.acquire(options), callback);
  }

  get hold$(): Observable<Lease> {
    return holdStream(this.#instance, (options) => this.acquire(options));
  }

  get state$(): Observable<LockInfo> {
    return resourceStates(this.#instance, this.resource).pipe(
      filter((state): state is LockState => state !== null),
      map((state) => lockInfoOf(this.name, state)),
    );
  }

  get state(): LockInfo | undefined {
    const state = presentState(this.#instance, this.resource);
    return state === null ? undefined : lockInfoOf(this.name, state);
  }
}
