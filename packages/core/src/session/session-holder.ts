/**
 * The holder's side of a session: it keeps the session alive, knows when its own lease is over, and sees that every request
 * is answered once. Gray & Cheriton, "Leases" (1989); the safety rules 7, 10 and 17; `docs/protocol.md`, "Sessions".
 */
import { elapsedForOwnRightMs, usableLengthMs } from '../time/clock.ts';
import type { Instant } from '../time/clock.ts';
import { SequenceMap } from '../sequence-map.ts';
import type { SessionKey } from './command.ts';
import type { HolderInput, HolderOptions, HolderOutput, SessionLoss } from './holder-io.ts';
import type { OpenRefused, SessionMessage, Submit } from './message.ts';
import { runsOf } from './runs.ts';

export type * from './holder-io.ts';

/** Beats per TTL; a beat without an answer is repeated four times as often. */
const beatsPerTtl = 5;
/** Sequences that one keep-alive asks after; where more wait, the next ones go on from there. */
const pendingMax = 1024;
/** Several times as many as fit into a TTL: an answer to an older one is worth nothing. */
const rememberedBeats = 64;

export function keepAlivePeriodMs(ttlMs: number): number {
  return ttlMs / beatsPerTtl;
}

const none: readonly never[] = [];

interface Unapplied<Op> {
  readonly op: Op;
  sentAtMs: number;
}

type Phase =
  | { readonly type: 'idle' }
  | { readonly type: 'opening'; readonly nonce: string; sentAtMs: number }
  | { readonly type: 'confirming' | 'open'; readonly session: SessionKey; readonly ttlMs: number }
  | { readonly type: 'closing'; readonly session: SessionKey; sentAtMs: number };

/**
 * 1. The lease runs from the sending of the newest keep-alive that was answered, on the faster of both clocks.
 * 2. A lease found over is over for good: no later answer revives it.
 * 3. Sequences rise by one; the floor is below every sequence whose application is not confirmed.
 */
export class SessionHolder<Op, Result, State> {
  private phase: Phase = { type: 'idle' };
  private openings = 0;
  private replaces: SessionKey = 0;
  private refusedFor: OpenRefused['reason'] | null = null;
  private nextSeq = 1;
  private readonly unapplied = new SequenceMap<Unapplied<Op>>();
  private readonly waiting = new Set<number>();
  private unsent: { readonly seq: number; readonly op: Op }[] = [];
  private answered: Instant | null = null;
  private readonly beats = new Map<number, Instant>();
  private beatId = 0;
  private beatDueMs = -Infinity;
  private pendingFrom = 0;
  private jeopardy = false;
  private watchVersion = 0;
  private watchedIndex = 0;
  private watched: readonly string[] = [];
  private watchUnsent = false;
  private out: HolderOutput<Op, Result, State> = { send: [], results: [], states: [], events: [] };

  constructor(private readonly options: HolderOptions<Op, Result>) {}

  step(input: HolderInput<Op, Result, State>): HolderOutput<Op, Result, State> {
    const out: HolderOutput<Op, Result, State> = (this.out = { send: [], results: [], states: [], events: [] });
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
        this.watch(input.resources);
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
      this.unapplied.set(seq, { op, sentAtMs: nowMs });
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
    return this.unapplied.size + this.unsent.length;
  }

  get nextDeadlineMs(): number {
    if (this.phase.type === 'idle') return Infinity;
    if (this.phase.type === 'opening' || this.phase.type === 'closing') return this.phase.sentAtMs + this.options.resendMs;
    return this.beatDueMs;
  }

  /**
   * How long the holder may still rely on its session, by both clocks, as of `at`. 0 ends it for good, whenever it is found.
   */
  remainingMs(at: Instant): number {
    if (this.phase.type !== 'open' || !this.answered) return 0;
    const remainingMs = usableLengthMs(this.phase.ttlMs) - elapsedForOwnRightMs(this.answered, at);
    if (remainingMs > 0) return remainingMs;
    this.answered = null;
    return 0;
  }

  private get floor(): number {
    return (this.unapplied.lowest ?? this.unsent[0]?.seq ?? this.nextSeq) - 1;
  }

  // Opening.

  private open(at: Instant): void {
    this.openings += 1;
    this.refusedFor = null;
    this.phase = { type: 'opening', nonce: `${this.options.instance}.${this.openings}`, sentAtMs: at.monotonicMs };
    this.sendOpen(at);
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
        if (this.phase.type !== 'opening' || this.phase.nonce !== message.nonce) return;
        if (this.refusedFor === message.reason) return;
        this.refusedFor = message.reason;
        this.out.events.push({ type: 'sessionRefused', reason: message.reason, waitMs: message.waitMs });
        return;
      case 'replies':
        if (this.isOurs(message.session)) for (const result of message.results) this.onResult(result);
        return;
      case 'keptAlive':
        if (this.isOurs(message.session)) this.onKeptAlive(message, at);
        return;
      case 'sessionEnded':
        if (this.isOurs(message.session)) this.lose('ended by the group');
        return;
      case 'watched':
        return this.onWatched(message);
      case 'redirect':
      case 'openSession':
      case 'closeSession':
      case 'submit':
      case 'keepAlive':
      case 'watch':
        return;
    }
  }

  /** The session exists; it serves once a keep-alive sent under it was answered, for only then is a send time known. */
  private confirm(session: SessionKey, ttlMs: number, at: Instant): void {
    this.phase = { type: 'confirming', session, ttlMs };
    this.nextSeq = 1;
    this.answered = null;
    this.watchVersion += 1;
    this.watchUnsent = this.watched.length > 0;
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
    this.beatId += 1;
    this.beats.set(this.beatId, at);
    this.beats.delete(this.beatId - rememberedBeats);
    this.beatDueMs = at.monotonicMs + keepAlivePeriodMs(ttlMs) / 4;
    const pending = this.nextPending();
    const { floor, watchVersion, watchedIndex } = this;
    this.out.send.push({
      type: 'keepAlive',
      session,
      id: this.beatId,
      floor,
      pending,
      watchVersion: this.watched.length ? watchVersion : 0,
      watchedIndex,
    });
    if (this.watchUnsent) this.sendWatch();
  }

  private nextPending(): number[] {
    const all = [...this.unapplied.numbers(), ...this.waiting];
    if (all.length <= pendingMax) return all;
    const from = this.pendingFrom % all.length;
    this.pendingFrom = from + pendingMax;
    return [...all.slice(from), ...all.slice(0, from)].slice(0, pendingMax);
  }

  private onKeptAlive(message: Extract<SessionMessage<Op, Result, State>, { type: 'keptAlive' }>, at: Instant): void {
    const sent = this.beats.get(message.id);
    if (!sent || (this.phase.type !== 'open' && this.phase.type !== 'confirming')) return;
    if (this.phase.type === 'open' && this.remainingMs(at) === 0) return this.lose('expired here');
    for (const id of this.beats.keys()) if (id <= message.id) this.beats.delete(id);
    this.answered = sent;
    this.beatDueMs = sent.monotonicMs + keepAlivePeriodMs(this.phase.ttlMs);
    if (this.phase.type === 'confirming') this.begin(this.phase.session, this.phase.ttlMs, at);
    if (this.jeopardy) this.out.events.push({ type: 'sessionHealthy', session: this.phase.session });
    this.jeopardy = false;
    for (const result of message.results) this.onResult(result);
    this.submitAgain(message.unknown, at);
    if (message.rewatch) this.sendWatch();
  }

  private begin(session: SessionKey, ttlMs: number, at: Instant): void {
    this.phase = { type: 'open', session, ttlMs };
    // Confirmed too late to be of use: the lease is already over by our own clocks.
    if (this.remainingMs(at) === 0) return this.lose('expired here');
    this.replaces = session;
    this.out.events.push({ type: 'sessionOpened', session, ttlMs });
  }

  private announceJeopardy(session: SessionKey, remainingMs: number): void {
    if (this.jeopardy) return;
    this.jeopardy = true;
    this.out.events.push({ type: 'sessionJeopardy', session, remainingMs });
  }

  private lose(reason: SessionLoss): void {
    const phase = this.phase;
    if (phase.type !== 'open' && phase.type !== 'confirming' && phase.type !== 'closing') return this.forget();
    if (reason === 'founding replaced') this.replaces = 0;
    const wasInJeopardy = this.jeopardy;
    this.forget();
    if (phase.type === 'confirming') return;
    if (reason === 'expired here' && !wasInJeopardy)
      this.out.events.push({ type: 'sessionJeopardy', session: phase.session, remainingMs: 0 });
    this.out.events.push({ type: 'sessionLost', session: phase.session, reason: phase.type === 'closing' ? 'closed' : reason });
  }

  private forget(): void {
    this.phase = { type: 'idle' };
    this.answered = null;
    this.jeopardy = false;
    this.unapplied.clear();
    this.waiting.clear();
    this.unsent = [];
    this.beats.clear();
  }

  private close(at: Instant): void {
    if (this.phase.type === 'idle' || this.phase.type === 'opening') return this.forget();
    const { session } = this.phase;
    this.out.send.push({ type: 'closeSession', session });
    this.phase = { type: 'closing', session, sentAtMs: at.monotonicMs };
  }

  // Requests and their answers.

  private onResult(result: Result): void {
    const seq = this.options.seqOf(result);
    const isNew = this.unapplied.delete(seq);
    if (this.options.isInterim(result)) {
      if (!isNew) return;
      this.waiting.add(seq);
    } else if (!this.waiting.delete(seq) && !isNew) return;
    this.out.results.push(result);
  }

  private resend(at: Instant): void {
    const late: number[] = [];
    for (const seq of this.unapplied.numbers()) {
      if (at.monotonicMs - (this.unapplied.get(seq)?.sentAtMs ?? Infinity) >= this.options.resendMs) late.push(seq);
    }
    this.submitAgain(late, at);
  }

  private sayAgain(at: Instant): void {
    if (this.phase.type === 'opening') return this.sendOpen(at);
    if (this.phase.type === 'closing') return this.close(at);
    this.watchUnsent = this.watched.length > 0;
    this.beat(at);
    this.submitAgain(this.unapplied.numbers(), at);
  }

  private submitAgain(seqs: readonly number[], at: Instant): void {
    if (this.phase.type !== 'open') return;
    const ops: Op[] = [];
    for (const seq of seqs) {
      const entry = this.unapplied.get(seq);
      if (!entry) continue;
      entry.sentAtMs = at.monotonicMs;
      ops.push(entry.op);
    }
    this.out.send.push(...this.submissionsOf(this.phase.session, ops));
  }

  // Watching.

  private watch(resources: readonly string[]): void {
    this.watched = resources;
    this.watchVersion += 1;
    this.watchedIndex = 0;
    this.sendWatch();
  }

  private sendWatch(): void {
    if (this.phase.type !== 'open' && this.phase.type !== 'confirming') return;
    this.watchUnsent = false;
    this.watchedIndex = 0;
    this.out.send.push({ type: 'watch', version: this.watchVersion, resources: this.watched });
  }

  /** Updates count up from the full answer; one that is missed shows in the next keep-alive. */
  private onWatched({ version, index, states }: Extract<SessionMessage<Op, Result, State>, { type: 'watched' }>): void {
    if (version !== this.watchVersion || (index !== 1 && index !== this.watchedIndex + 1)) return;
    this.watchedIndex = index;
    this.out.states.push(...states);
  }

  private isOurs(session: SessionKey): boolean {
    return (
      (this.phase.type === 'open' || this.phase.type === 'confirming' || this.phase.type === 'closing') && this.phase.session === session
    );
  }
}
