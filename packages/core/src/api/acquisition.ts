/**
 * One request on its way to a lease: asked for under the present session or the next, until it is granted, its deadline passes,
 * the caller aborts it, or the session it waits under is lost. Whichever way it ends, nothing of it is left in the queue.
 */
import { checkOptions } from './check-options.ts';
import { checkSignal } from './signal.ts';
import { isQuorateError, QuorateError } from '../errors.ts';
import { acquireFlag, lockOp, resultCode, want } from '../lock/command.ts';
import type { AcquireOp, CancelOp, LockResult } from '../lock/command.ts';
import { mailboxFull, outstandingMax } from '../runtime/create-member.ts';
import type { RequestOutcome } from '../runtime/engine.ts';
import { callTimeoutMsDefault, checkTimeout } from './duration.ts';
import type { Resource } from './held-lease.ts';
import type { TimerHandle } from '../time/host.ts';
import type { Instance, WaitingCall } from './instance.ts';
import { queueFullError, timeoutError } from './acquire-timeout.ts';

export interface AcquireOptions {
  /** How long to wait, in milliseconds. Default 30 s; `Infinity` must be written. */
  readonly timeoutMs?: number;
  /** Aborting withdraws the request: the call rejects with `ABORTED` and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface AcquireRequest<L> {
  readonly resource: Resource;
  readonly Lease: LeaseClass<L>;
  /** What a leader proclaims from its first moment on. */
  readonly value: string | null;
  readonly options: AcquireOptions | undefined;
}

/** Leases come into being with their grant, so that a session lost in the same moment takes them along. */
export type LeaseClass<L> = new (instance: Instance, resource: Resource, session: number, granted: LockResult, waitedMs: number) => L;

export function acquire<L>(instance: Instance, request: AcquireRequest<L>): Promise<L> {
  return new Promise((resolve, reject) => {
    // A request that queues is never told that the lock is busy.
    const onLease = resolve as (lease: L | undefined) => void;
    new Acquisition(instance, request, 0, onLease, reject).begin();
  });
}

/** Resolves with `undefined` where the lock is held or waited for. */
export function tryAcquire<L>(instance: Instance, request: AcquireRequest<L>): Promise<L | undefined> {
  return new Promise((resolve, reject) => new Acquisition(instance, request, acquireFlag.dontQueue, resolve, reject).begin());
}

/**
 * 1. It is over exactly once, and its promise settles then.
 * 2. `asked` under a session: either the answer ends it, or a cancel is on its way that undoes whatever the answer is.
 */
class Acquisition<L> implements WaitingCall {
  readonly #instance: Instance;
  readonly #request: AcquireRequest<L>;
  readonly #flags: number;
  readonly #resolve: (lease: L | undefined) => void;
  readonly #reject: (error: unknown) => void;
  readonly #beganAtMs: number;
  #phase: 'parked' | 'asked' | 'late' | 'over' = 'parked';
  #timeoutMs = callTimeoutMsDefault;
  #timer: TimerHandle | undefined;
  #onAbort: (() => void) | null = null;
  #isParked = false;
  #number = 0;
  #seq = 0;
  #session = 0;
  #queued: LockResult | null = null;

  constructor(
    instance: Instance,
    request: AcquireRequest<L>,
    flags: number,
    resolve: (lease: L | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.#instance = instance;
    this.#request = request;
    this.#flags = flags;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#beganAtMs = instance.nowMs();
  }

  begin(): void {
    const { options } = this.#request;
    checkOptions('options', options);
    const refusal = this.#instance.refusal ?? this.#instance.bereft;
    if (refusal) return this.#reject(refusal);
    this.#timeoutMs = checkTimeout('timeoutMs', options?.timeoutMs, callTimeoutMsDefault);
    const signal = checkSignal(options?.signal);
    if (signal?.aborted === true) return this.#reject(this.#aborted());
    if (signal) this.#listen(signal);
    this.#number = this.#instance.enlist(this);
    if (this.#timeoutMs !== Infinity)
      this.#timer = this.#instance.engine.host.startTimer<Acquisition<L>>(onDeadline, this.#timeoutMs, this);
    this.onSession();
  }

  /** Asks, where there is a session to ask under. */
  onSession(): void {
    const { engine } = this.#instance;
    const { session } = engine;
    if (this.#phase !== 'parked') return;
    if (session === null) return this.#park();
    this.#leaveParked();
    try {
      this.#seq = engine.submit(this.#build, this.#onOutcome);
      this.#session = session;
      this.#phase = 'asked';
    } catch (error) {
      if (!isQuorateError(error, 'SESSION_LOST')) this.fail(error);
    }
  }

  fail(error: unknown): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'asked') this.#withdraw();
    this.#instance.meter.failures += 1;
    this.#finish();
    this.#reject(error);
  }

  /** More than one session has room for would be refused when it opens, so they are refused now. */
  #park(): void {
    if (this.#isParked) return;
    if (this.#instance.parked >= outstandingMax) return this.fail(mailboxFull('a session to be made under'));
    this.#isParked = true;
    this.#instance.parked += 1;
  }

  #leaveParked(): void {
    if (this.#isParked) this.#instance.parked -= 1;
    this.#isParked = false;
  }

  readonly #build = (seq: number): AcquireOp => {
    const { resource, value } = this.#request;
    return [lockOp.acquire, seq, resource.resource, want.exclusive, this.#flags, value];
  };

  readonly #onOutcome = (outcome: RequestOutcome): void => {
    // An answer that crosses the cancel is undone by it.
    if (this.#phase !== 'asked') return;
    if (outcome.type === 'sessionLost') return this.#onSessionLost(outcome.reason);
    const { result } = outcome;
    switch (result[1]) {
      case resultCode.granted:
        return this.#onGranted(result);
      case resultCode.queued:
        this.#queued = result;
        return;
      case resultCode.busy:
        this.#instance.meter.busy += 1;
        this.#finish();
        return this.#resolve(undefined);
      default:
        this.#phase = 'late';
        return this.fail(this.#refused(result));
    }
  };

  /** A grant may have been long on its way: one that is already over is not handed out. */
  #onGranted(result: LockResult): void {
    const { engine } = this.#instance;
    const { Lease, resource } = this.#request;
    if (engine.session !== this.#session || engine.remainingMs() <= 0) return this.#onSessionLost('expired here');
    this.#finish();
    this.#resolve(new Lease(this.#instance, resource, this.#session, result, this.#waitedMs));
  }

  #onSessionLost(reason: string): void {
    this.#phase = 'late';
    const happened = `The session was lost (${reason}) while ${this.#what} was waited for.`;
    this.fail(this.#instance.refusal ?? new QuorateError('SESSION_LOST', happened, { details: { reason } }));
  }

  #listen(signal: AbortSignal): void {
    this.#onAbort = () => {
      if (this.#phase === 'over') return;
      if (this.#phase === 'asked') this.#withdraw();
      this.#instance.meter.aborts += 1;
      this.#finish();
      this.#reject(this.#aborted());
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * The answer to the cancel says who holds the lock and which place this request had, so it is waited for; but for no longer
   * than a leader takes to answer.
   */
  onDeadline(): void {
    const { engine, options } = this.#instance;
    if (this.#phase !== 'asked') return this.#timeOut(null);
    this.#phase = 'late';
    this.#withdraw((answer) => this.#timeOut(answer));
    if (engine.status.leader === null) return this.#timeOut(null);
    this.#timer = engine.host.startTimer(() => this.#timeOut(null), options.electionTimeoutMs);
  }

  #timeOut(answer: LockResult | null): void {
    if (this.#phase === 'over') return;
    this.#instance.meter.timeouts += 1;
    this.#finish();
    const { resource } = this.#request;
    this.#reject(timeoutError(this.#instance, { resource, timeoutMs: this.#timeoutMs, queued: this.#queued, answer }));
  }

  #withdraw(onAnswer?: (answer: LockResult | null) => void): void {
    const target = this.#seq;
    this.#instance.request(
      this.#session,
      (seq): CancelOp => [lockOp.cancel, seq, target],
      (outcome) => onAnswer?.(outcome.type === 'result' ? outcome.result : null),
      () => onAnswer?.(null),
    );
  }

  #finish(): void {
    this.#phase = 'over';
    this.#leaveParked();
    this.#instance.engine.host.stopTimer(this.#timer);
    this.#instance.waiting.delete(this.#number);
    if (this.#onAbort) this.#request.options?.signal?.removeEventListener('abort', this.#onAbort);
  }

  get #waitedMs(): number {
    return this.#instance.nowMs() - this.#beganAtMs;
  }

  get #what(): string {
    const { kind, name } = this.#request.resource;
    return `the ${kind} "${name}"`;
  }

  #aborted(): QuorateError {
    return new QuorateError('ABORTED', `Waiting for ${this.#what} was aborted.`, { cause: this.#request.options?.signal?.reason });
  }

  #refused(result: LockResult): QuorateError {
    const code = result[1];
    if (code === resultCode.queueFull) return queueFullError(this.#request.resource, result);
    if (code === resultCode.limit) {
      const happened = `The request for ${this.#what} is over the limit of outstanding requests of one session.`;
      return new QuorateError('LIMIT_REACHED', happened, { details: { limit: 'outstanding requests' } });
    }
    return new QuorateError('UNSUPPORTED', `The request for ${this.#what} was refused (${code}).`);
  }
}

/** One function for all timers: a closure for each would be made for nothing, as most grants come in time. */
function onDeadline(acquisition: { onDeadline(): void }): void {
  acquisition.onDeadline();
}
