/**
 * The holder's side of a session: it keeps the session alive, knows when its own lease is over, and sees that every request
 * is answered once. Gray & Cheriton, "Leases" (1989); the safety rules 7, 10 and 17; `docs/protocol.md`, "Sessions".
 */
import type { Instant } from '../time/clock.ts';
import type { SessionKey } from './command.ts';
import type { HolderInput, HolderOptions, HolderOutput, HolderPhase, HolderSnapshot, SessionLoss } from './holder-io.ts';
import { HolderCover } from './holder-cover.ts';
import { HolderLease } from './holder-lease.ts';
import { HolderRequests } from './holder-requests.ts';
import { HolderWatch } from './holder-watch.ts';
import type { OpenRefused, SessionMessage, Submit } from './message.ts';
import { runsOf } from './runs.ts';

export type * from './holder-io.ts';

/** Beats per TTL; a beat without an answer is repeated four times as often. */
const beatsPerTtl = 5;

export function keepAlivePeriodMs(ttlMs: number): number {
  return ttlMs / beatsPerTtl;
}

const none: readonly never[] = [];

/**
 * 1. A session serves once a keep-alive sent under it was answered, and until its lease is found over: no later answer revives it.
 * 2. Sequences rise by one; the floor is below every sequence whose application is not confirmed.
 */
export class SessionHolder<Op, Result, State> {
  private phase: HolderPhase = { type: 'idle' };
  private openings = 0;
  private replaces: SessionKey = 0;
  private refusedFor: OpenRefused['reason'] | null = null;
  private nextSeq = 1;
  private readonly requests = new HolderRequests<Op>();
  private unsent: { readonly seq: number; readonly op: Op }[] = [];
  private readonly lease = new HolderLease();
  private readonly cover = new HolderCover();
  private beatDueMs = 0;
  private jeopardy = false;
  private readonly watched: HolderWatch<State>;
  private out: HolderOutput<Op, Result, State> = { send: [], results: [], states: [], covered: [], events: [] };

  constructor(private readonly options: HolderOptions<Op, Result, State>) {
    this.watched = new HolderWatch({ partBytesMax: options.submitBytesMax, resourceOf: options.resourceOf });
  }

  step(input: HolderInput<Op, Result, State>): HolderOutput<Op, Result, State> {
    const out: HolderOutput<Op, Result, State> = (this.out = { send: [], results: [], states: [], covered: [], events: [] });
    switch (input.type) {
      case 'message':
        this.onMessage(input.message, input.at);
        break;
      case 'tick':
        this.onTick(input.at);
        break;
      case 'leaderChanged':
        this.sayAgain(input.at);
        break;
      case 'foundingReplaced':
        this.lose('founding replaced');
        break;
      case 'open':
        if (this.phase.type === 'idle') this.open(input.at);
        break;
      case 'watch':
        this.out.send.push(...this.watched.change(input, this.lastingSession));
        break;
      case 'cover':
        this.beat(input.at);
        break;
      case 'close':
        this.close(input.at);
        break;
    }
    return out;
  }

  /** Takes a request; it leaves at the end of the turn. Returns its sequence, or null if the window is full or no session is open. */
  request(build: (seq: number) => Op): number | null {
    // The group remembers a span of sequences, so it is the span that is bounded: one lost frame holds the floor.
    if (this.phase.type !== 'open' || this.nextSeq - 1 - this.floor >= this.options.outstandingMax) return null;
    const seq = this.nextSeq;
    this.nextSeq += 1;
    this.unsent.push({ seq, op: build(seq) });
    return seq;
  }

  /** What the requests of this turn come to, for the leader. Called once at the end of each turn. */
  takeSubmissions(nowMs: number): readonly Submit<Op>[] {
    if (this.unsent.length === 0 || this.phase.type !== 'open') return none;
    const ops: Op[] = [];
    for (const { seq, op } of this.unsent) {
      this.requests.submitted(seq, op, nowMs);
      ops.push(op);
    }
    this.unsent = [];
    return this.submissionsOf(this.phase.session, ops);
  }

  private submissionsOf(session: SessionKey, ops: readonly Op[]): Submit<Op>[] {
    const { floor } = this;
    const { sizeOfOp, submitBytesMax } = this.options;
    return runsOf(ops, sizeOfOp, submitBytesMax()).map((run) => ({ type: 'submit', session, floor, ops: run }));
  }

  get session(): SessionKey | null {
    return this.phase.type === 'open' ? this.phase.session : null;
  }

  get isIdle(): boolean {
    return this.phase.type === 'idle';
  }

  get inJeopardy(): boolean {
    return this.jeopardy;
  }

  get outstanding(): number {
    return this.requests.size + this.unsent.length;
  }

  get nextDeadlineMs(): number {
    if (this.phase.type === 'idle') return Infinity;
    if (this.phase.type === 'opening' || this.phase.type === 'closing') return this.phase.sentAtMs + this.options.resendMs;
    return this.beatDueMs;
  }

  /** `remainingMs` without its consequence, for checks: looking must not change what it looks at. */
  peekRemainingMs(at: Instant): number {
    return this.phase.type === 'open' ? this.lease.peekMs(this.phase.ttlMs, at) : 0;
  }

  /**
   * How long the holder may still rely on its session, by both clocks, as of `at`. 0 ends it for good, whenever it is found.
   */
  remainingMs(at: Instant): number {
    return this.phase.type === 'open' ? this.lease.remainingMs(this.phase.ttlMs, at) : 0;
  }

  /** True if some keep-alive that was answered covered the token, and that may not be over. */
  isCovered(token: number): boolean {
    return this.cover.has(token);
  }

  /** How long the lease on what has this token may be relied on; 0 once it is over, or the session is. */
  coverMs(token: number, at: Instant): number {
    return this.phase.type === 'open' && this.lease.peekMs(this.phase.ttlMs, at) > 0
      ? this.cover.remainingMs(token, this.phase.ttlMs, at)
      : 0;
  }

  /** Everything that its later outputs depend on, between two steps. */
  snapshot(): HolderSnapshot<Op> {
    const { phase, openings, replaces, refusedFor, nextSeq, beatDueMs, jeopardy } = this;
    return {
      phase: { ...phase },
      openings,
      replaces,
      refusedFor,
      nextSeq,
      requests: this.requests.snapshot(),
      unsent: [...this.unsent],
      lease: this.lease.snapshot(),
      cover: this.cover.snapshot(),
      beatDueMs,
      jeopardy,
      watch: this.watched.snapshot(),
    };
  }

  restore(snapshot: HolderSnapshot<Op>): void {
    this.phase = { ...snapshot.phase };
    this.openings = snapshot.openings;
    this.replaces = snapshot.replaces;
    this.refusedFor = snapshot.refusedFor;
    this.nextSeq = snapshot.nextSeq;
    this.requests.restore(snapshot.requests);
    this.unsent = [...snapshot.unsent];
    this.lease.restore(snapshot.lease);
    this.cover.restore(snapshot.cover);
    this.beatDueMs = snapshot.beatDueMs;
    this.jeopardy = snapshot.jeopardy;
    this.watched.restore(snapshot.watch);
  }

  private get floor(): number {
    return (this.requests.lowest ?? this.unsent[0]?.seq ?? this.nextSeq) - 1;
  }

  // Opening.

  private open(at: Instant): void {
    this.openings += 1;
    this.refusedFor = null;
    const nonce = `${this.options.instance}.${this.openings}`;
    this.phase = { type: 'opening', nonce, sentAtMs: at.monotonicMs, hasLeft: false, isClosing: false, waits: false };
    this.sendOpen(at);
  }

  /** What it last said to open a session went to a leader. */
  openLeft(): void {
    if (this.phase.type === 'opening') this.phase.hasLeft = true;
  }

  private sendOpen(at: Instant): void {
    if (this.phase.type !== 'opening') return;
    this.phase.sentAtMs = at.monotonicMs;
    const { nonce } = this.phase;
    this.out.send.push({ type: 'openSession', nonce, ttlMs: this.options.ttlMs, replaces: this.replaces });
  }

  private onMessage(message: SessionMessage<Op, Result, State>, at: Instant): void {
    switch (message.type) {
      case 'sessionOpened':
        if (this.phase.type === 'opening' && this.phase.nonce === message.nonce) this.confirm(message.session, message.ttlMs, at);
        return;
      case 'openRefused':
        return this.onRefused(message, at);
      case 'replies':
        if (this.isOurs(message.session)) for (const result of message.results) this.onResult(result);
        return;
      case 'keptAlive':
        if (this.isOurs(message.session)) this.onKeptAlive(message, at);
        return;
      case 'sessionEnded':
        if (this.isOurs(message.session)) this.onEnded(message.session, at);
        return;
      case 'watched':
        this.out.states.push(...this.watched.take(message));
        return;
      case 'openSession':
      case 'closeSession':
      case 'submit':
      case 'keepAlive':
      case 'watch':
        return;
    }
  }

  private onRefused({ nonce, reason, waitMs }: OpenRefused, at: Instant): void {
    if (this.phase.type !== 'opening' || this.phase.nonce !== nonce) return;
    if (this.phase.isClosing) return this.forget();
    this.phase.hasLeft = false;
    const hasOpened = this.phase.waits && reason === 'closed' && waitMs === 0;
    this.phase.waits = reason === 'closed' && waitMs > 0;
    if (hasOpened) return this.sendOpen(at);
    if (this.refusedFor === reason) return;
    this.refusedFor = reason;
    this.out.events.push({ type: 'sessionRefused', reason, waitMs });
  }

  /** The session exists; it serves once a keep-alive sent under it was answered, for only then is a send time known. */
  private confirm(session: SessionKey, ttlMs: number, at: Instant): void {
    if (this.phase.type === 'opening' && this.phase.isClosing) return this.sendClose(session, at);
    this.phase = { type: 'confirming', session, ttlMs };
    this.nextSeq = 1;
    this.lease.begin();
    this.watched.begin();
    this.beat(at);
  }

  // Keeping alive.

  private onTick(at: Instant): void {
    const phase = this.phase;
    if (phase.type === 'opening' && at.monotonicMs >= phase.sentAtMs + this.options.resendMs) return this.sendOpen(at);
    if (phase.type === 'closing' && at.monotonicMs >= phase.sentAtMs + this.options.resendMs) return this.close(at);
    if (phase.type === 'confirming' && at.monotonicMs >= this.beatDueMs) return this.beat(at);
    if (phase.type !== 'open') return;
    const remainingMs = this.remainingMs(at);
    if (remainingMs < phase.ttlMs / 2) this.announceJeopardy(phase.session, remainingMs);
    if (remainingMs === 0) return this.lose('expired here');
    if (at.monotonicMs >= this.beatDueMs) this.beat(at);
    this.resend(at);
  }

  private beat(at: Instant): void {
    if (this.phase.type !== 'open' && this.phase.type !== 'confirming') return;
    const { session, ttlMs } = this.phase;
    const id = this.lease.sent(at);
    this.beatDueMs = at.monotonicMs + keepAlivePeriodMs(ttlMs) / 4;
    const pending = this.requests.nextPending();
    this.out.send.push({ type: 'keepAlive', session, id, floor: this.floor, pending, ...this.watched.beat(id) });
    if (this.watched.isUnsent) this.out.send.push(...this.watched.whole(session));
  }

  private onKeptAlive(message: Extract<SessionMessage<Op, Result, State>, { type: 'keptAlive' }>, at: Instant): void {
    const sent = this.lease.sentAt(message.id);
    if (!sent || (this.phase.type !== 'open' && this.phase.type !== 'confirming')) return;
    if (this.phase.type === 'open' && this.remainingMs(at) === 0) return this.lose('expired here');
    this.lease.answer(message.id);
    this.beatDueMs = sent.monotonicMs + keepAlivePeriodMs(this.phase.ttlMs);
    if (this.phase.type === 'confirming') this.begin(this.phase.session, this.phase.ttlMs, at);
    if (this.jeopardy) this.out.events.push({ type: 'sessionHealthy', session: this.phase.session });
    this.jeopardy = false;
    this.takeCover(message.covered, sent, at);
    for (const result of message.results) this.onResult(result);
    this.submitAgain(message.unknown, at);
    if (this.lastingSession !== null) this.out.send.push(...this.watched.answered(message.id, message.watch, this.lastingSession));
  }

  private takeCover(tokens: readonly number[], sent: Instant, at: Instant): void {
    if (this.phase.type !== 'open' || (tokens.length === 0 && this.cover.isEmpty)) return;
    this.cover.cover(tokens, sent, this.phase.ttlMs, at);
    this.out.covered.push(tokens);
  }

  private begin(session: SessionKey, ttlMs: number, at: Instant): void {
    // Confirmed too late to be of use: the lease is already over by our own clocks, and nobody was told that it began.
    if (this.lease.remainingMs(ttlMs, at) === 0) return this.lose('expired here');
    this.phase = { type: 'open', session, ttlMs };
    this.replaces = session;
    this.out.events.push({ type: 'sessionOpened', session, ttlMs });
  }

  private announceJeopardy(session: SessionKey, remainingMs: number): void {
    if (this.jeopardy) return;
    this.jeopardy = true;
    this.out.events.push({ type: 'sessionJeopardy', session, remainingMs });
  }

  private onEnded(session: SessionKey, at: Instant): void {
    // A process that stood still hears of the end from the group before it has looked at its own clock.
    if (this.phase.type === 'open' && this.remainingMs(at) === 0) this.announceJeopardy(session, 0);
    this.lose('ended by the group');
  }

  private lose(reason: SessionLoss): void {
    const phase = this.phase;
    const wasInJeopardy = this.jeopardy;
    this.forget();
    if (phase.type === 'confirming') this.replaces = phase.session;
    // Numbers begin anew with a founding, so one of the last names somebody else's session in this one, or a later one of its own.
    if (reason === 'founding replaced') this.replaces = 0;
    if (phase.type !== 'open' && phase.type !== 'closing') return;
    if (reason === 'expired here' && !wasInJeopardy)
      this.out.events.push({ type: 'sessionJeopardy', session: phase.session, remainingMs: 0 });
    this.out.events.push({ type: 'sessionLost', session: phase.session, reason: phase.type === 'closing' ? 'closed' : reason });
  }

  private forget(): void {
    this.phase = { type: 'idle' };
    this.lease.end();
    this.cover.end();
    this.jeopardy = false;
    this.requests.clear();
    this.unsent = [];
  }

  private close(at: Instant): void {
    const { phase } = this;
    if (phase.type === 'idle') return this.forget();
    if (phase.type !== 'opening') return this.sendClose(phase.session, at);
    // Only the answer to its nonce says which session there is: a leader that never answered is asked again, which opens none beside it.
    if (phase.hasLeft) phase.isClosing = true;
    else this.forget();
  }

  private sendClose(session: SessionKey, at: Instant): void {
    this.out.send.push({ type: 'closeSession', session });
    this.phase = { type: 'closing', session, sentAtMs: at.monotonicMs };
  }

  // Requests and their answers.

  private onResult(result: Result): void {
    if (this.requests.answered(this.options.seqOf(result), this.options.isInterim(result))) this.out.results.push(result);
  }

  private resend(at: Instant): void {
    this.submitAgain(this.requests.late(at.monotonicMs, this.options.resendMs), at);
  }

  private sayAgain(at: Instant): void {
    if (this.phase.type === 'opening') return this.sendOpen(at);
    if (this.phase.type === 'closing') return this.close(at);
    this.watched.repeat();
    this.beat(at);
    this.submitAgain(this.requests.numbers(), at);
  }

  private submitAgain(seqs: readonly number[], at: Instant): void {
    if (this.phase.type !== 'open') return;
    this.out.send.push(...this.submissionsOf(this.phase.session, this.requests.again(seqs, at.monotonicMs)));
  }

  /** What is neither asked for nor given up. */
  private get lastingSession(): SessionKey | null {
    return this.phase.type === 'open' || this.phase.type === 'confirming' ? this.phase.session : null;
  }

  private isOurs(session: SessionKey): boolean {
    return (
      (this.phase.type === 'open' || this.phase.type === 'confirming' || this.phase.type === 'closing') && this.phase.session === session
    );
  }
}
