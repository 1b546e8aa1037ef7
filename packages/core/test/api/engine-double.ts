/** An engine whose answers and sessions a test gives by hand. */
import { BehaviorSubject, Subject } from 'rxjs';
import { QuorateError } from '../../src/errors.ts';
import type { MembersView } from '../../src/group/roll.ts';
import type { VoterOrder } from '../../src/paxos/voter-order.ts';
import type { Operation, OperationResult, WatchedState } from '../../src/operation.ts';
import type { Engine, EngineEvent, EngineStatus, RequestOutcome } from '../../src/runtime/engine.ts';
import { systemHost } from '../../src/runtime/system-host.ts';

export class EngineDouble implements Engine {
  readonly host = systemHost;
  readonly events = new Subject<EngineEvent>();
  readonly events$ = this.events.asObservable();
  readonly counters = {
    framesIn: 1,
    framesOut: 2,
    framesRefused: 3,
    framesDropped: 4,
    leaderChanges: 5,
    sessionsLost: 6,
    eventLoopLagMs: 7,
    eventLoopLagMaxMs: 8,
    eventsPublished: 9,
    eventsDropped: 10,
  };
  session: number | null = 1;
  founding: string | null = 'f';
  remaining = 1_000;
  /** What the next `submit` throws. */
  failure: QuorateError | null = null;
  readonly ops: Operation[] = [];
  readonly closings: { readonly timeoutMs: number; readonly endSession: boolean }[] = [];
  readonly watchers = new Map<string, (state: WatchedState) => void>();
  #status: EngineStatus = {
    role: 'leader',
    leader: 'n',
    connected: ['n'],
    candidates: null,
    majorityLost: null,
    founding: 'f',
    voters: ['n'],
    configuration: 1,
    readiness: 'ready',
    stage: 'open',
    opensInMs: 0,
    appliedIndex: 1,
    level: 1,
    connection: 'connected',
    connectionError: null,
    session: 'healthy',
  };
  readonly status$ = new BehaviorSubject(this.status);
  members: MembersView = { configuration: 1, voters: [{ node: 'n', incarnation: 'i', isHeard: true }], standbys: [], clients: [] };
  readonly orders: { readonly id: number; readonly order: VoterOrder | null }[] = [];
  readonly #outcomes = new Map<number, (outcome: RequestOutcome) => void>();
  #seq = 0;

  get status(): EngineStatus {
    return this.#status;
  }

  set status(status: EngineStatus) {
    this.#status = status;
  }

  get isBereft(): boolean {
    return this.#status.majorityLost?.told === null;
  }

  order(id: number, order: VoterOrder | null): void {
    this.orders.push({ id, order });
  }

  remainingMs(): number {
    return this.session === null ? 0 : this.remaining;
  }

  readonly covered = new Map<number, number>();
  readonly coverListeners = new Set<(tokens: ReadonlySet<number>) => void>();

  coverMs(token: number): number {
    return this.session === null ? 0 : (this.covered.get(token) ?? 0);
  }

  onCovered(listener: (tokens: ReadonlySet<number>) => void): () => void {
    this.coverListeners.add(listener);
    return () => this.coverListeners.delete(listener);
  }

  submit(build: (seq: number) => Operation, onOutcome: (outcome: RequestOutcome) => void): number {
    const { failure } = this;
    this.failure = null;
    if (failure) throw failure;
    if (this.session === null) throw new QuorateError('SESSION_LOST', 'No session.');
    this.#seq += 1;
    this.ops.push(build(this.#seq));
    this.#outcomes.set(this.#seq, onOutcome);
    return this.#seq;
  }

  watch(resource: string, listener: (state: WatchedState) => void): () => void {
    this.watchers.set(resource, listener);
    return () => this.watchers.delete(resource);
  }

  endSession(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(timeoutMs: number, endSession = true): Promise<{ readonly sessionClosed: boolean }> {
    this.closings.push({ timeoutMs, endSession });
    return Promise.resolve({ sessionClosed: endSession });
  }

  /** Answers the request with that sequence. */
  answer(result: OperationResult): void {
    this.#outcomes.get(result[0])?.({ type: 'result', result });
  }

  /** As the engine does it: the session first, then the outcomes, then the event. */
  loseSession(next: number | null = null): void {
    const session = this.session ?? 0;
    this.session = next;
    for (const [seq, onOutcome] of [...this.#outcomes]) {
      this.#outcomes.delete(seq);
      onOutcome({ type: 'sessionLost', reason: 'expired here' });
    }
    this.events.next({ type: 'sessionLost', session, reason: 'expired here' });
  }

  openSession(session: number): void {
    this.session = session;
    this.events.next({ type: 'sessionOpened', session, ttlMs: 1_000 });
  }
}
