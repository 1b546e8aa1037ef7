/** A lease in the hands of this process: valid only under the session it was granted in, and lost for good once it is. */
import { isQuorateError, QuorateError } from '../errors.ts';
import type { LockOp, LockResult, NoteOp, ReleaseOp } from '../lock/command.ts';
import { lockOp, resultCode } from '../lock/command.ts';
import { within } from '../runtime/ending.ts';
import type { RequestOutcome } from '../runtime/engine.ts';
import { ChangeOrder } from './change-order.ts';
import { publishLease } from './diagnostics.ts';
import type { ResourceKind } from './events.ts';
import type { Instance, LivingLease } from './instance.ts';
import type { Lease, LeaseLoss, ReleaseOptions } from './lease-contract.ts';
import { checkNote } from './hand-over.ts';

/** A lock or an election, and how the group calls it. */
export interface Resource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly resource: string;
}

/** How a release went. `ended`: the group says that the lease was over before. */
export type ReleaseOutcome = 'released' | 'expired' | 'ended';

/**
 * 1. It begins held; from held it goes to releasing or lost, from releasing to released or lost; the last two are for good.
 * 2. Valid only while held, under the session of its grant, with time left.
 * 3. Its signal, its promise and its timer exist only where somebody asked.
 */
export class HeldLease implements Lease, LivingLease {
  readonly name: string;
  readonly kind: ResourceKind;
  readonly token: number;
  readonly previous: string | undefined;
  readonly session: number;
  protected readonly instance: Instance;
  readonly #resource: string;
  readonly #grantedAtMs: number;
  #phase: 'held' | 'releasing' | 'released' | 'lost' = 'held';
  #loss: LeaseLoss | null = null;
  #abortion: QuorateError | null = null;
  #controller: AbortController | null = null;
  #lost: Promise<LeaseLoss> | null = null;
  #onLost: ((loss: LeaseLoss) => void) | null = null;
  #release: Promise<ReleaseOutcome> | null = null;
  #onEnd: (() => void) | null = null;
  #isFailureTold = false;
  readonly #changes: ChangeOrder;

  constructor(instance: Instance, { kind, name, resource }: Resource, session: number, [, , token, note]: LockResult, waitedMs: number) {
    this.instance = instance;
    this.#changes = new ChangeOrder(instance);
    this.kind = kind;
    this.name = name;
    this.token = token;
    this.session = session;
    this.previous = typeof note === 'string' ? note : undefined;
    this.#resource = resource;
    this.#grantedAtMs = instance.nowMs();
    instance.leases.set(token, this);
    instance.meter.waits.add(waitedMs);
    publishLease('granted', instance, this, waitedMs);
  }

  get valid(): boolean {
    if (this.#phase !== 'held') return false;
    const { engine } = this.instance;
    if (engine.session === this.session && engine.remainingMs() > 0) return true;
    this.lose({ code: 'SESSION_LOST', error: new QuorateError('SESSION_LOST', `The session that held ${this.what} has run out.`) });
    return false;
  }

  get remainingMs(): number {
    return this.valid ? this.instance.engine.remainingMs() : 0;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      const reason = this.#loss?.error ?? this.#abortion;
      if (reason) this.#controller.abort(reason);
    }
    return this.#controller.signal;
  }

  get lost(): Promise<LeaseLoss> {
    this.#lost ??= new Promise((resolve) => {
      if (this.#loss) resolve(this.#loss);
      else this.#onLost = resolve;
    });
    return this.#lost;
  }

  /** Why it ended before its release, or null. */
  get loss(): LeaseLoss | null {
    if (this.#phase === 'held') void this.valid;
    return this.#loss;
  }

  /** True until it is released or lost. */
  get isLiving(): boolean {
    return this.#phase === 'held' || this.#phase === 'releasing';
  }

  get wasReleased(): boolean {
    return this.#phase === 'released';
  }

  /** Calls the listener once it is neither held nor being released; at once if so already. One listener. */
  onEnd(listener: () => void): void {
    if (this.isLiving) this.#onEnd = listener;
    else listener();
  }

  async note(value: string): Promise<void> {
    checkNote('note', value);
    return this.change(lockOp.note, (seq): NoteOp => [lockOp.note, seq, this.#resource, this.token, value]);
  }

  async release(options?: ReleaseOptions): Promise<'released' | 'lost'> {
    if (options?.note !== undefined) checkNote('note', options.note);
    return (await this.giveBack(options?.note)) === 'released' ? 'released' : 'lost';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const remainingMs = this.isLiving ? this.instance.engine.remainingMs() : 0;
    await within(this.instance.engine.host, remainingMs, this.giveBackQuietly());
  }

  /** Releases, and turns a failure into an event: nobody waits for it. What was over before has no release that could fail. */
  async giveBackQuietly(): Promise<ReleaseOutcome> {
    const isToRelease = this.#phase === 'releasing' || this.valid;
    try {
      const outcome = await this.giveBack();
      if (isToRelease && this.#loss) this.#tellFailed(this.#loss.error);
      return outcome;
    } catch (error) {
      if (isQuorateError(error)) this.#tellFailed(error);
      return 'expired';
    }
  }

  /** `release`, told in full. */
  giveBack(note?: string): Promise<ReleaseOutcome> {
    if (this.#release !== null) return this.#release;
    if (!this.valid) return Promise.resolve(this.#loss?.code === 'NOT_HELD' ? 'ended' : 'expired');
    const release = new Promise<ReleaseOutcome>((resolve, reject) => this.#askRelease(note ?? null, resolve, reject));
    // A request that could not be made leaves the lease as it was.
    if (this.#phase !== 'held') this.#release = release;
    return release;
  }

  lose(loss: LeaseLoss): void {
    if (!this.isLiving) return;
    this.#loss = loss;
    this.#end('lost');
    this.#controller?.abort(loss.error);
    this.#onLost?.(loss);
    this.instance.meter.losses += 1;
    publishLease('lost', this.instance, this, this.#heldMs);
    this.instance.tell({ type: 'leaseLost', kind: this.kind, name: this.name, token: this.token, code: loss.code });
  }

  abort(error: QuorateError): void {
    if (!this.isLiving || this.#abortion) return;
    this.#abortion = error;
    this.#controller?.abort(error);
  }

  protected get what(): string {
    return `the ${this.kind} "${this.name}"`;
  }

  /** A request that names the token and is answered `done`. It waits for the change before it, and a release waits for it. */
  protected change(kind: LockOp[0], build: (seq: number) => LockOp): Promise<void> {
    if (!this.valid) return Promise.reject(this.#notHeld());
    return this.#changes.change(kind, () => this.#askChange(build));
  }

  #askChange(build: (seq: number) => LockOp): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isLiving) return reject(this.#notHeld());
      this.instance.request(
        this.session,
        build,
        (outcome) => {
          const error = this.#refusalIn(outcome);
          if (error) reject(error);
          else resolve();
        },
        reject,
      );
    });
  }

  #askRelease(note: string | null, resolve: (outcome: ReleaseOutcome) => void, reject: (error: unknown) => void): void {
    const { instance, session, token } = this;
    const resource = this.#resource;
    const fail = (error: QuorateError): void => {
      // A request too large leaves the lease as it was; where the transport is gone it runs out.
      if (error.code === 'TRANSPORT_CLOSED') this.lose({ code: 'SESSION_LOST', error });
      else if (this.#phase === 'releasing') {
        this.#phase = 'held';
        this.#release = null;
      }
      reject(error);
    };
    const onOutcome = (outcome: RequestOutcome): void => {
      if (outcome.type !== 'result' || outcome.result[1] !== resultCode.limit || note === null)
        return this.#finishRelease(outcome, resolve);
      // Nothing was freed. The lock matters more than its note.
      const failed = new QuorateError('LIMIT_REACHED', `${this.what} was released without its note.`, { details: { limit: 'notes' } });
      const bare = (seq: number): ReleaseOp => [lockOp.release, seq, resource, token, null];
      instance.request(session, bare, (second) => this.#finishRelease(second, () => reject(failed)), fail);
    };
    this.#phase = 'releasing';
    const ask = (seq: number): ReleaseOp => [lockOp.release, seq, resource, token, note];
    this.#changes.afterAll(() => instance.request(session, ask, onOutcome, fail));
  }

  #finishRelease(outcome: RequestOutcome, resolve: (outcome: ReleaseOutcome) => void): void {
    if (outcome.type === 'result' && outcome.result[1] === resultCode.done) {
      this.#end('released');
      publishLease('released', this.instance, this, this.#heldMs);
      return resolve('released');
    }
    const bySession = outcome.type === 'sessionLost';
    const code = bySession ? 'SESSION_LOST' : 'NOT_HELD';
    const happened = bySession
      ? `The session ended while ${this.what} was being released.`
      : `The group no longer counted this process as the holder of ${this.what}.`;
    this.lose({ code, error: new QuorateError(code, happened) });
    resolve(bySession && outcome.reason !== 'ended by the group' ? 'expired' : 'ended');
  }

  /** Whoever gave it back: the failure is one. */
  #tellFailed(error: QuorateError): void {
    if (this.#isFailureTold) return;
    this.#isFailureTold = true;
    const { kind, name, token } = this;
    this.instance.tell({ type: 'releaseFailed', kind, name, token, error });
  }

  #end(phase: 'released' | 'lost'): void {
    this.#phase = phase;
    this.instance.leases.delete(this.token);
    this.instance.meter.holds.add(this.#heldMs);
    this.#onEnd?.();
  }

  get #heldMs(): number {
    return this.instance.nowMs() - this.#grantedAtMs;
  }

  #refusalIn(outcome: RequestOutcome): QuorateError | null {
    if (outcome.type === 'sessionLost') return new QuorateError('SESSION_LOST', `The session ended while ${this.what} was being changed.`);
    const [, code] = outcome.result;
    if (code === resultCode.done) return null;
    if (code === resultCode.limit) {
      return new QuorateError('LIMIT_REACHED', 'The group holds as many notes as it may.', { details: { limit: 'notes' } });
    }
    return code === resultCode.notHeld ? this.#notHeld() : new QuorateError('UNSUPPORTED', `Changing ${this.what} was refused.`);
  }

  #notHeld(): QuorateError {
    return new QuorateError('NOT_HELD', `The lease on ${this.what} with the token ${this.token} is over.`, { cause: this.#loss?.error });
  }
}
