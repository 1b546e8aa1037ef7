/**
 * What the locks and elections of one `Quorate` share: its engine, the leases it holds, the calls that wait, and what ends them
 * all at once (a lost session, a closed transport, `close`).
 */
import { isQuorateError, QuorateError } from '../errors.ts';
import type { Operation } from '../operation.ts';
import type { Engine, EngineEvent, RequestOutcome } from '../runtime/engine.ts';
import { publishEvent } from './diagnostics.ts';
import { EventFeed } from './events.ts';
import type { QuorateEvent } from './events.ts';
import type { JoinOptions, ResolvedJoinOptions } from './join-options.ts';
import type { LeaseLoss } from './lease-contract.ts';
import { majorityLostError } from './majority-lost.ts';
import { SequenceMap } from '../sequence-map.ts';
import { Meter } from './metrics.ts';
import type { ResourceWatch } from './resource-watch.ts';

/** A call under way that can be told to give up. */
export interface WaitingCall {
  fail(error: QuorateError): void;
  /** A session is open (again): what could not be asked for before is asked for now. */
  onSession?(): void;
}

/** A lease as the instance sees it. */
export interface LivingLease {
  readonly name: string;
  readonly token: number;
  readonly session: number;
  readonly wasReleased: boolean;
  /** Ends it for its holder. */
  lose(loss: LeaseLoss): void;
  /** Fires its signal, without ending it. */
  abort(error: QuorateError): void;
  /** Releases; never rejects. */
  giveBackQuietly(): Promise<unknown>;
}

/** This process's part in a set of partitions. */
export interface SetOwner {
  readonly name: string;
  /** The partitions whose handlers are still at work, as `set/partition`. */
  readonly unsettled: readonly string[];
  onSessionLost(error: QuorateError): void;
  /** Gives all up, at once where an error is given; resolves when that is done. */
  stop(error?: QuorateError): Promise<void>;
  fail(error: QuorateError): void;
}

type OnFailure = (error: QuorateError) => void;

/** How soon a request is made again that found the window of its session full. */
const fullWindowRetryMs = 10;

export class Instance {
  readonly feed: EventFeed;
  readonly meter = new Meter();
  /** By token. */
  readonly leases = new SequenceMap<LivingLease>();
  /** In the order in which they came, by the numbers that `enlist` gave them. */
  readonly waiting = new SequenceMap<WaitingCall>();
  /** Of these, how many have no session yet to be made under. */
  parked = 0;
  /** How many calls wait for the answer to a change that was asked for before theirs, of the same thing held. */
  waitingChanges = 0;
  #calls = 0;
  readonly watches = new Map<string, ResourceWatch>();
  readonly owners = new Set<SetOwner>();
  readonly setWatches = new Set<{ forget(): void; end(): void }>();
  readonly campaigns = new Set<{ stop(): Promise<void> }>();
  /** `close` was called. */
  isClosing = false;
  /** Nothing is watched any more. */
  isClosed = false;
  /** Callbacks that run under a lease, each with the promise of its end. */
  readonly scopedCalls = new Map<LivingLease, Promise<unknown>>();
  #refuse: (() => QuorateError) | null = null;
  #transportClosed: (() => QuorateError) | null = null;

  constructor(
    readonly engine: Engine,
    readonly options: ResolvedJoinOptions,
  ) {
    this.feed = new EventFeed(options);
    engine.events$.subscribe((event) => this.#onEvent(event));
    const { connection, connectionError } = engine.status;
    // Nobody listened yet when the transport opened.
    if (connection === 'closed') this.#onTransportClosed(connectionError ?? undefined);
  }

  get group(): JoinOptions['group'] {
    return this.options.group;
  }

  get node(): JoinOptions['node'] {
    return this.options.node;
  }

  /** Why no lease can be had any more, or null. Each call throws an error of its own. */
  get refusal(): QuorateError | null {
    return this.#refuse?.() ?? null;
  }

  /** Why no lease can be had for now: a majority of the group is lost, and this process was told to stop there. */
  get bereft(): QuorateError | null {
    if (this.options.whenMajorityIsLost === 'refound' || !this.engine.isBereft) return null;
    return majorityLostError(this.engine.status, 'No lease can be had');
  }

  nowMs(): number {
    return this.engine.host.monotonicMs();
  }

  tell(event: QuorateEvent): void {
    publishEvent(this, event);
    this.feed.tell(event);
  }

  /** No new leases from now on; what waits for one gives up. Leases live on. */
  refuse(error: () => QuorateError): void {
    this.#refuse ??= error;
    for (const call of this.waiting.values()) call.fail(error());
  }

  /** The number under which the call leaves `waiting` again. */
  enlist(call: WaitingCall): number {
    this.#calls += 1;
    this.waiting.set(this.#calls, call);
    return this.#calls;
  }

  /**
   * Makes a request that must not be left undone, such as a release: while the window of the session is full it is tried again,
   * and where the session is over it has nothing left to do. Fails only where the transport is closed or the request too large.
   */
  request(session: number, build: (seq: number) => Operation, onOutcome: (outcome: RequestOutcome) => void, onFailure: OnFailure): void {
    if (this.#transportClosed) return onFailure(this.#transportClosed());
    if (this.engine.session !== session) return onOutcome({ type: 'sessionLost', reason: 'expired here' });
    let number = 0;
    try {
      this.engine.submit(build, (outcome) => {
        if (this.waiting.delete(number)) onOutcome(outcome);
      });
      number = this.enlist({
        fail: (error) => {
          if (error.code === 'TRANSPORT_CLOSED' && this.waiting.delete(number)) onFailure(error);
        },
      });
    } catch (error) {
      if (isQuorateError(error, 'MAILBOX_FULL')) {
        this.engine.host.startTimer(() => this.request(session, build, onOutcome, onFailure), fullWindowRetryMs);
      } else if (isQuorateError(error, 'COMMAND_TOO_LARGE')) onFailure(error);
      else onOutcome({ type: 'sessionLost', reason: 'expired here' });
    }
  }

  #onEvent(event: EngineEvent): void {
    this.tell(event);
    switch (event.type) {
      case 'sessionOpened':
        for (const call of this.waiting.values()) call.onSession?.();
        return;
      case 'majorityLost':
        return this.#onMajorityLost();
      case 'sessionLost':
        return this.#onSessionLost(event.session, event.reason);
      case 'connection':
        if (event.status === 'closed') this.#onTransportClosed(event.error);
        return;
      case 'closeFailed':
        return void (this.feed.isHeard || process.emitWarning(event.error.message));
      case 'stopped':
        return this.#onStopped(event.error);
      default:
        return;
    }
  }

  /** Whoever waits for the group waits in vain; a release goes on waiting, for a seat may yet answer after all. */
  #onMajorityLost(): void {
    for (const call of this.waiting.values()) {
      const error = this.bereft;
      if (error) call.fail(error);
    }
  }

  #onSessionLost(session: number, reason: string): void {
    for (const watch of [...this.watches.values(), ...this.setWatches]) watch.forget();
    const error = new QuorateError('SESSION_LOST', `The session is over (${reason}).`, { details: { reason } });
    for (const lease of this.leases.values()) if (lease.session === session) lease.lose({ code: 'SESSION_LOST', error });
    for (const owner of [...this.owners]) owner.onSessionLost(error);
  }

  #onTransportClosed(cause: Error | undefined): void {
    this.#transportClosed = () => transportClosed(cause);
    this.refuse(this.#transportClosed);
  }

  #onStopped(cause: Error): void {
    const code = isQuorateError(cause) ? cause.code : 'CLOSED';
    const error = new QuorateError(code, 'This node has stopped.', { cause });
    this.refuse(() => new QuorateError(code, 'This node has stopped.', { cause }));
    for (const lease of this.leases.values()) lease.lose({ code: 'SESSION_LOST', error });
    for (const owner of [...this.owners]) owner.fail(error);
  }
}

function transportClosed(cause: Error | undefined): QuorateError {
  return new QuorateError('TRANSPORT_CLOSED', 'The client under this instance is closed.', { cause });
}
