/**
 * The loop around a member: frames and requests in, one turn at a time; then persist, send, and tell, in that order. Decisions
 * are the member's; this file only carries them out. `docs/protocol.md`, "A turn".
 */
import { BehaviorSubject, Subject, type Observable } from 'rxjs';
import { createSealer, type Sealer } from '../codec/seal.ts';
import { QuorateError } from '../errors.ts';
import type { Member, MemberEvent, MemberInput, MemberOutput } from '../group/member.ts';
import type { MembersView } from '../group/roll.ts';
import type { Operation, WatchedState } from '../operation.ts';
import type { VoterOrder } from '../paxos/voter-order.ts';
import { readClock, type Instant } from '../time/clock.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { LoadedMember } from '../storage/storage.ts';
import type { Channel, ChannelStatus } from '../transport/transport.ts';
import type { Engine, EngineCounters, EngineEvent, EngineOptions, EngineStatus } from './engine.ts';
import { ArbiterLink } from './arbiter-link.ts';
import { ConnectionState } from './connection-state.ts';
import { batchBytesMax, checkOpSize, closeStorage, createMember, loadMember, mailboxFull, storageError } from './create-member.ts';
import { letGo, stoppedLeavingMs, within } from './ending.ts';
import { EventPublisher } from './event-publisher.ts';
import { FrameIntake } from './frame-intake.ts';
import { leaveSeat, SessionEnd } from './leaving.ts';
import { LoopWatch } from './loop-watch.ts';
import { Mailbox } from './mailbox.ts';
import { Outcomes, type OutcomeListener } from './outcomes.ts';
import { packTurn, piledByConfiguration } from './outbox.ts';
import { loadNext, successionOf, type Succession } from './next-incarnation.ts';
import { OwnHeader } from './own-header.ts';
import { openRoomy } from './roomy-channel.ts';
import { RunWriter } from './run-writer.ts';
import { speechOf } from './versions.ts';
import { ToldSession } from './told-session.ts';
import { storeTurn } from './turn-store.ts';
import { Watchers } from './watchers.ts';

/** A loop that was blocked for this part of the session's TTL is worth an event. */
const blockedPartOfTtl = 0.1;
const timerMaxMs = 2 ** 31 - 1;

/** Loads the storage, opens the transport and starts the member. Rejects as `Transport.open` and `Storage.load` do. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const loaded = await loadMember(options);
  const engine = new RunningEngine(options, loaded);
  await engine.connect().catch((error: unknown) => closeStorage(options).then(() => Promise.reject(error)));
  return engine;
}

class RunningEngine implements Engine {
  readonly host: Host;
  private readonly events = new Subject<EngineEvent>();
  private readonly statuses: BehaviorSubject<EngineStatus>;
  private readonly inbox: Mailbox<Uint8Array>;
  private readonly intake: FrameIntake;
  private readonly sealer: Sealer | undefined;
  private readonly publisher: EventPublisher;
  private readonly loopWatch = new LoopWatch();
  private readonly outcomes = new Outcomes();
  private readonly watchers = new Watchers(() => this.scheduleTurn());
  private readonly coverListeners = new Set<(tokens: ReadonlySet<number>) => void>();
  private member: Member;
  private channel: Channel | null = null;
  private readonly connection: ConnectionState;
  private readonly header: OwnHeader;
  private readonly arbiter: ArbiterLink;
  private inputs: MemberInput[] = [];
  private turnDue = false;
  private readonly writer: RunWriter;
  private timer: TimerHandle | undefined;
  private timerDueMs = Infinity;
  private readonly toldSession = new ToldSession();
  private phase: 'running' | 'closing' | 'stopped' = 'running';
  private succession: Promise<void> | undefined;
  private sessionEnd: SessionEnd | undefined;
  private ending: Promise<void> | undefined;
  private readonly counts = { framesIn: 0, framesOut: 0, leaderChanges: 0 };
  /** Of the turn under way, where somebody watches. */
  private observedInputs: MemberInput[] = [];

  constructor(
    private readonly options: EngineOptions,
    loaded: LoadedMember,
  ) {
    this.host = options.host;
    this.sealer = options.secrets.length > 0 ? createSealer(options.secrets) : undefined;
    this.connection = new ConnectionState(options.onOpening);
    this.inbox = new Mailbox(options.mailboxMax);
    this.intake = new FrameIntake(options, this.sealer, (refusal) => this.tell({ type: 'frameRefused', ...refusal }));
    this.publisher = new EventPublisher(options.group, options.publish, () => this.channel, this.host);
    this.writer = new RunWriter(options.storage, this.host, {
      onIdle: () => this.scheduleTurn(),
      onFailure: (cause) => this.stop(storageError('A write to the storage failed.', cause)),
    });
    this.arbiter = new ArbiterLink(options.arbiter, {
      onAnswer: (answer) => this.give({ type: 'arbiter', answer, at: readClock(this.host) }),
      onFailure: (error) => this.tell({ type: 'arbiterFailed', error }),
    });
    this.member = createMember(this.options, loaded, this.frameBytesMax);
    this.header = new OwnHeader(options.group);
    this.statuses = new BehaviorSubject(this.status);
  }

  async connect(): Promise<void> {
    const { group, node, voters, signal, transport } = this.options;
    this.channel = await openRoomy(transport, {
      group,
      node,
      voters,
      signal,
      onFrame: this.onFrame,
      onStatus: (status, error) => this.onConnection(status, error),
      onEvent: (report) => this.tell({ type: 'transport', report }),
    });
    this.connection.become(this.channel.status);
    for (const type of ['open', 'tick'] as const) this.give({ type, at: readClock(this.host) });
  }

  get events$(): Observable<EngineEvent> {
    return this.events.asObservable();
  }

  get status$(): Observable<EngineStatus> {
    return this.statuses.asObservable();
  }

  get status(): EngineStatus {
    const at = readClock(this.host);
    // A lease that ran out unnoticed, while the loop was blocked, is not healthy because nobody has looked yet.
    const { state } = this.toldSession;
    const isOver = state === 'healthy' && this.member.remainingMs(at) === 0;
    return { ...this.member.status(at), ...this.connection.facts, session: isOver ? 'jeopardy' : state };
  }

  get isBereft(): boolean {
    return this.member.survivor.isBereft;
  }

  get counters(): EngineCounters {
    return {
      ...this.counts,
      sessionsLost: this.toldSession.lost,
      framesRefused: this.intake.refused,
      framesDropped: this.inbox.dropped,
      eventLoopLagMs: this.loopWatch.lagMs,
      eventLoopLagMaxMs: this.loopWatch.lagMaxMs,
      ...this.publisher.counters,
    };
  }

  get session(): number | null {
    return this.toldSession.told(this.member.session);
  }

  get founding(): string | null {
    return this.member.inspect.record?.configuration.founding ?? null;
  }

  remainingMs(): number {
    return this.member.remainingMs(readClock(this.host));
  }

  coverMs(token: number): number {
    return this.member.coverMs(token, readClock(this.host));
  }

  onCovered(listener: (tokens: ReadonlySet<number>) => void): () => void {
    this.coverListeners.add(listener);
    return () => this.coverListeners.delete(listener);
  }

  submit(build: (seq: number) => Operation, onOutcome: OutcomeListener): number {
    if (this.phase !== 'running') throw new QuorateError('CLOSED', 'A request was made of an instance that is closed.');
    const { session } = this;
    if (session === null) throw new QuorateError('SESSION_LOST', 'There is no session to make a request under.');
    const seq = this.member.request((next) => {
      const op = checkOpSize(build(next), this.frameBytesMax());
      this.options.observer?.onRequest(this.member, session, op);
      return op;
    });
    if (seq === null) throw mailboxFull('the group');
    this.outcomes.add(seq, onOutcome);
    this.scheduleTurn();
    return seq;
  }

  get members(): MembersView {
    return this.member.members(readClock(this.host));
  }

  order(id: number, order: VoterOrder | null): void {
    if (this.phase !== 'stopped') this.give({ type: 'order', id, order, at: readClock(this.host) });
  }

  watch(resource: string, listener: (state: WatchedState) => void): () => void {
    return this.watchers.add(resource, listener);
  }

  async close(timeoutMs: number, endSession = true): Promise<{ readonly sessionClosed: boolean }> {
    if (this.phase !== 'running') return (await within(this.host, timeoutMs, this.ending), { sessionClosed: false });
    this.phase = 'closing';
    const dueMs = this.host.monotonicMs() + timeoutMs;
    const sessionClosed = endSession && (await this.endSession(timeoutMs));
    await this.leaveSeat(dueMs - this.host.monotonicMs());
    this.give({ type: 'resign', at: readClock(this.host) });
    await new Promise<void>((turnDone) => this.host.afterOthers(turnDone));
    const leftMs = dueMs - this.host.monotonicMs();
    await (this.ending ? within(this.host, leftMs, this.ending) : (this.ending = this.end(leftMs)));
    return { sessionClosed };
  }

  // Turns.

  private readonly onFrame = (bytes: Uint8Array): void => {
    this.counts.framesIn += 1;
    if (this.inbox.put(bytes)) this.scheduleTurn();
    else if (Number.isInteger(Math.log10(this.inbox.dropped))) this.tell({ type: 'overload', dropped: this.inbox.dropped });
  };

  private give(input: MemberInput): void {
    this.inputs.push(input);
    this.scheduleTurn();
  }

  /** After the microtasks of this moment: what many callers do at once becomes one batch, and no timer waits for more. */
  private scheduleTurn(): void {
    if (this.turnDue || this.writer.isBusy || this.phase === 'stopped') return;
    this.turnDue = true;
    this.host.afterThis(this.turn);
  }

  private readonly turn = (): void => {
    this.turnDue = false;
    if (this.writer.isBusy || this.phase === 'stopped') return;
    this.writer.whenFresh(readClock(this.host), this.takeTurn);
  };

  private readonly takeTurn = (at: Instant): void => {
    if (this.phase === 'stopped') return;
    try {
      this.carryOut(this.stepAll(at), at);
    } catch (cause) {
      this.stop(cause instanceof Error ? cause : new Error(String(cause)));
    }
  };

  private stepAll(at: Instant): MemberOutput[] {
    const outputs: MemberOutput[] = [];
    const observed: MemberInput[] | null = this.options.observer ? (this.observedInputs = []) : null;
    const step = (input: MemberInput): void => {
      outputs.push(this.member.step(input));
      observed?.push(input);
    };
    const watch = this.watchers.takeChanged();
    if (watch) step({ type: 'watch', ...watch, at });
    for (const input of this.inputs.splice(0)) step(input);
    const { self } = this.member.inspect;
    for (const bytes of this.inbox.takeAll()) {
      const frame = this.intake.open(bytes, self);
      if (frame) step({ type: 'frame', frame, at });
    }
    step({ type: 'flush', at });
    return outputs;
  }

  /** Persist, then send, then tell: the order of the fields of `MemberOutput`. */
  private carryOut(outputs: readonly MemberOutput[], at: Instant): void {
    const store = storeTurn(this.options.storage, outputs, this.member);
    if (store === null) this.afterWrite(outputs);
    else this.writer.store(store, at, () => this.afterWrite(outputs));
  }

  private afterWrite(outputs: readonly MemberOutput[]): void {
    this.options.observer?.onTurn(this.member, this.observedInputs, outputs);
    for (const { arbitrate } of outputs) if (arbitrate) this.arbiter.carryOut(arbitrate);
    this.send(outputs);
    for (const { results, states, covered, changes, events } of outputs) {
      for (const result of results) this.outcomes.settle(result[0], { type: 'result', result });
      for (const state of states) this.watchers.onState(state);
      for (const tokens of covered) for (const listener of this.coverListeners) listener(new Set(tokens));
      if (changes.length > 0) this.publisher.add(changes, this.founding ?? '');
      for (const event of events) this.onMemberEvent(event);
    }
    this.sessionEnd?.look();
    if (this.phase !== 'stopped') this.setTimer();
  }

  private send(outputs: readonly MemberOutput[]): void {
    const { channel } = this;
    if (!channel) return;
    const speech = speechOf(this.options.versions, this.member.versions.spokenAt(this.host.monotonicMs()));
    const limits = { frameBytesMax: channel.frameBytesMax, sealer: this.sealer, speech };
    for (const { configuration, sends } of piledByConfiguration(outputs)) {
      const { frames, reports } = packTurn(sends, this.header.of(this.member, configuration), limits);
      this.counts.framesOut += frames.length;
      if (frames.length > 0) channel.send(frames);
      for (const report of reports) this.tell({ type: 'transport', report });
    }
  }

  private setTimer(): void {
    // What is due at once is no older than this turn: the loop is late only by what comes after it.
    const dueMs = Math.max(this.member.nextDeadlineMs, this.host.monotonicMs());
    if (this.timer && dueMs >= this.timerDueMs) return;
    this.host.stopTimer(this.timer);
    this.timerDueMs = dueMs;
    this.timer = this.host.startTimer(this.onTimer, Math.min(timerMaxMs, Math.max(0, Math.ceil(dueMs - this.host.monotonicMs()))));
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    const at = readClock(this.host);
    const { lagMs, jumpMs } = this.loopWatch.beat(this.timerDueMs, at);
    if (lagMs >= this.options.sessionTtlMs * blockedPartOfTtl) this.tell({ type: 'eventLoopBlocked', forMs: lagMs });
    if (jumpMs !== 0) this.tell({ type: 'clockJump', byMs: jumpMs });
    this.give({ type: 'tick', at });
  };

  // What happened.

  private onMemberEvent(event: MemberEvent): void {
    this.toldSession.onEvent(event);
    if (event.type === 'leaderChanged') this.counts.leaderChanges += 1;
    if (event.type === 'sessionLost') {
      this.watchers.forget();
      this.outcomes.end(event.reason);
    }
    const succession = successionOf(event, this.member);
    if (succession && (this.phase === 'running' || succession.inherits)) this.startAnew(succession);
    this.tell(event);
  }

  private onConnection(status: ChannelStatus, error?: Error): void {
    const isBack = this.connection.become(status, error);
    this.tell({ type: 'connection', status, error });
    if (isBack) this.give({ type: 'reconnected', at: readClock(this.host) });
  }

  private tell(event: EngineEvent): void {
    this.connection.note(event);
    this.events.next(event);
    this.statuses.next(this.status);
  }

  // Beginning and end.

  private readonly frameBytesMax = (): number => this.channel?.frameBytesMax ?? batchBytesMax;

  /** Whose incarnation is over goes on under another, as if its storage had been wiped; who leaves keeps what that inherits for the next start. */
  private startAnew(succession: Succession): void {
    const goesOn = this.phase === 'running';
    this.writer.isBusy = true;
    const again = async (): Promise<void> => {
      const loaded = await this.writer.settled().then(() => loadNext(this.options, succession));
      if (!goesOn || this.phase === 'stopped') return;
      this.member = createMember(this.options, loaded, this.frameBytesMax, succession.before);
      this.writer.isBusy = false;
      this.watchers.askAgain();
      if (this.phase === 'running') this.give({ type: 'open', at: readClock(this.host) });
      this.give({ type: 'tick', at: readClock(this.host) });
    };
    this.succession = again().catch((cause: unknown) => this.stop(storageError('The storage could not be cleared.', cause)));
  }

  async endSession(timeoutMs: number): Promise<boolean> {
    if (this.phase === 'stopped' || this.connection.status === 'closed') return false;
    // Within four of the longest election timeouts there is a leader, or no majority to tell: then the session runs out by itself.
    const isOver = (): boolean => this.inputs.length === 0 && this.member.inspect.holder.isIdle;
    this.sessionEnd = new SessionEnd(this.host, Math.min(timeoutMs, 8 * this.options.electionTimeoutMs), isOver);
    this.give({ type: 'closeSession', at: readClock(this.host) });
    return this.sessionEnd.inTime;
  }

  /** While nobody leads for so long there is no majority that could give the seat to another. */
  private async leaveSeat(timeoutMs: number): Promise<void> {
    if (this.connection.status === 'closed') return;
    await leaveSeat(this, this.member.inspect.self, { timeoutMs, leaderlessMs: 8 * this.options.electionTimeoutMs });
  }

  private async end(timeoutMs: number): Promise<void> {
    this.phase = 'stopped';
    this.host.stopTimer(this.timer);
    this.publisher.flush();
    this.toldSession.state = 'closed';
    this.outcomes.end('closed');
    const { channel, arbiter, options } = this;
    const held = { channel, arbiter, storage: options.storage, written: () => this.succession };
    await letGo(this.host, held, timeoutMs, { tell: (failure) => this.tell(failure), isHeard: () => this.events.observed });
    this.connection.become('closed');
    this.statuses.next(this.status);
    this.statuses.complete();
    this.events.complete();
  }

  /** Something that cannot happen did, or the storage failed: this voter says nothing more. */
  private stop(error: Error): void {
    if (this.phase === 'stopped') return;
    this.tell({ type: 'stopped', error });
    this.ending = this.end(stoppedLeavingMs);
  }
}
