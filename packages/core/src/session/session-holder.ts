/**
 * The holder's side of a session: it keeps the session alive, knows when its own lease is over, and sees that every request
 * is answered once. Gray & Cheriton, "Leases" (1989); the safety rules 7, 10 and 17; `docs/protocol.md`, "Sessions".
 */
import { elapsedForOwnRightMs, usableLengthMs } from '../time/clock.ts';
import type { Instant } from '../time/clock.ts';
import type { SessionKey } from './command.ts';
import type { OpenRefused, SessionMessage } from './message.ts';

export interface HolderOptions<Result> {
  readonly ttlMs: number;
  /** How long a request or an open may be unanswered before it is sent again. */
  readonly resendMs: number;
  /** A text that no other holder ever uses: opens are told apart by it. */
  readonly instance: string;
  /** Most requests that may wait for their application. */
  readonly outstandingMax: number;
  /** Reads the fields that the holder needs of a result: its sequence, and whether a final answer is still to come. */
  readonly seqOf: (result: Result) => number;
  readonly isInterim: (result: Result) => boolean;
}

export type HolderEvent =
  | { readonly type: 'sessionOpened'; readonly session: SessionKey; readonly ttlMs: number }
  | { readonly type: 'sessionRefused'; readonly reason: OpenRefused['reason']; readonly waitMs: number }
  | { readonly type: 'sessionJeopardy'; readonly session: SessionKey; readonly remainingMs: number }
  | { readonly type: 'sessionHealthy'; readonly session: SessionKey }
  | { readonly type: 'sessionLost'; readonly session: SessionKey; readonly reason: SessionLoss };

export type SessionLoss = 'expired here' | 'ended by the group' | 'founding replaced' | 'closed';

export interface HolderOutput<Op, Result, State> {
  /** To the leader. */
  readonly send: SessionMessage<Op, Result, State>[];
  readonly results: Result[];
  readonly states: State[];
  readonly events: HolderEvent[];
}

export type HolderInput<Op, Result, State> =
  | { readonly type: 'message'; readonly message: SessionMessage<Op, Result, State>; readonly at: Instant }
  | { readonly type: 'tick'; readonly at: Instant }
  /** A leader appeared or changed, or the connection came back: everything unanswered is said again. */
  | { readonly type: 'leaderChanged'; readonly at: Instant }
  | { readonly type: 'foundingReplaced'; readonly at: Instant }
  | { readonly type: 'open'; readonly at: Instant }
  | { readonly type: 'watch'; readonly resources: readonly string[]; readonly at: Instant }
  | { readonly type: 'close'; readonly at: Instant };

/** Beats per TTL; a beat without an answer is repeated four times as often. */
const beatsPerTtl = 5;
const pendingMax = 4096;
/** Several times as many as fit into a TTL: an answer to an older one is worth nothing. */
const rememberedBeats = 64;

export function keepAlivePeriodMs(ttlMs: number): number {
  return ttlMs / beatsPerTtl;
}

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
  private nextSeq = 1;
  private readonly unapplied = new Map<number, Unapplied<Op>>();
  private readonly waiting = new Set<number>();
  private unsent: { readonly seq: number; readonly op: Op }[] = [];
  private answered: Instant | null = null;
  private readonly beats = new Map<number, Instant>();
  private beatId = 0;
  private beatDueMs = -Infinity;
  private jeopardy = false;
  private watchVersion = 0;
  private watchedIndex = 0;
  private watched: readonly string[] = [];
  private watchUnsent = false;
  private out: HolderOutput<Op, Result, State> = { send: [], results: [], states: [], events: [] };

  constructor(private readonly options: HolderOptions<Result>) {}

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
    if (this.phase.type !== 'open' || this.outstanding >= this.options.outstandingMax) return null;
    const seq = this.nextSeq;
    this.nextSeq += 1;
    this.unsent.push({ seq, op: build(seq) });
    return seq;
  }

  /** What the requests of this turn come to, for the leader; null for nothing. Called once at the end of each turn. */
  takeSubmission(nowMs: number): { readonly session: SessionKey; readonly floor: number; readonly ops: readonly Op[] } | null {
    if (this.unsent.length === 0 || this.phase.type !== 'open') return null;
    const ops: Op[] = [];
    for (const { seq, op } of this.unsent) {
      this.unapplied.set(seq, { op, sentAtMs: nowMs });
      ops.push(op);
    }
    this.unsent = [];
    return { session: this.phase.session, floor: this.floor, ops };
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
    for (const seq of this.unapplied.keys()) return seq - 1;
    return (this.unsent[0]?.seq ?? this.nextSeq) - 1;
  }

  // Opening.

  private open(at: Instant): void {
    this.openings += 1;
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
    const pending = [...this.unapplied.keys(), ...this.waiting].slice(0, pendingMax);
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
    this.forget();
    if (phase.type === 'confirming') return;
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
    for (const [seq, { sentAtMs }] of this.unapplied) if (at.monotonicMs - sentAtMs >= this.options.resendMs) late.push(seq);
    this.submitAgain(late, at);
  }

  private sayAgain(at: Instant): void {
    if (this.phase.type === 'opening') return this.sendOpen(at);
    if (this.phase.type === 'closing') return this.close(at);
    this.watchUnsent = this.watched.length > 0;
    this.beat(at);
    this.submitAgain([...this.unapplied.keys()], at);
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
    if (ops.length > 0) this.out.send.push({ type: 'submit', session: this.phase.session, floor: this.floor, ops });
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
