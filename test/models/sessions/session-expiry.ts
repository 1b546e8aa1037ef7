/** A session's end by one leader against its renewal by another: the shipped holder, services and group state over three rounds. */
import type { Answer } from '../../../packages/core/src/group/leader-service.ts';
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';
import type { Model, Step } from '../checker/model.ts';
import { Holders } from './holders.ts';
import type { Holder } from './holders.ts';
import { Succession } from './succession.ts';
import type { Seats, Turn } from './succession.ts';

const tickMs = 1_000;
/** Every group refuses so long a session: the request is a command that changes nothing. */
const refused: GroupSessionMessage = { type: 'openSession', nonce: 'y', ttlMs: Number.MAX_SAFE_INTEGER, replaces: 0 };

export interface ExpiryBounds {
  readonly reads: 'lease' | 'quorum';
  readonly ttlTicks: number;
  readonly leaseTicks: number;
  /** When the world begins, after a time in which nothing happened, and when it ends. */
  readonly startTick: number;
  readonly ticksMax: number;
  readonly rounds: number;
  readonly keepAlivesMax: number;
  /** What the holder has of its session at first. */
  readonly starts: readonly ('confirming' | 'open')[];
  /** Which rare things it must show: with fewer leaders there are fewer. */
  readonly marks: readonly string[];
}

interface State {
  readonly seats: Seats;
  readonly holder: Holder;
  /** The newest keep-alive that is not lost: it reaches any seat, any number of times, until it is answered. */
  readonly asked: GroupSessionMessage | null;
  /** The newest answer that is not lost. */
  readonly answer: GroupSessionMessage | null;
  /** The process has asked and found its session over. */
  readonly foundOver: boolean;
}

export function sessionExpiry(name: string, about: string, bounds: ExpiryBounds): Model<unknown> {
  return new SessionExpiry(name, about, bounds) as Model<unknown>;
}

class SessionExpiry implements Model<State> {
  readonly rules = [5, 6, 7, 9];
  readonly marks: readonly string[];
  private readonly holders: Holders;
  private readonly succession: Succession;

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: ExpiryBounds,
  ) {
    const { reads, leaseTicks, ttlTicks, rounds, marks } = bounds;
    this.marks = marks;
    this.holders = new Holders({ instance: 'x.1', ttlMs: ttlTicks * tickMs, resendMs: 100 * tickMs });
    this.succession = new Succession({ reads, leaseMs: leaseTicks * tickMs, rounds, lateEchoes: reads === 'quorum', lateLearning: false });
  }

  initial(): State[] {
    const at = { monotonicMs: 0, wallMs: 0 };
    const opening = this.holders.step(this.holders.idle(), { type: 'open', at });
    const [open] = opening.send;
    if (!open) throw new Error('a holder that opens a session asks for it');
    const { seats, answers } = this.succession.opened(['x', open]);
    const opened = answers.find(({ node }) => node === 'x')?.message ?? null;
    const state = { seats, asked: null, foundOver: false };
    const confirming: State = { ...state, holder: opening.holder, answer: opened };
    const starts = { confirming, open: this.confirmed(confirming, at) };
    const nowMs = this.bounds.startTick * tickMs;
    return this.bounds.starts.map((start) => ({ ...starts[start], seats: { ...starts[start].seats, nowMs } }));
  }

  *next(state: State): Iterable<Step<State>> {
    const { seats, holder, asked } = state;
    const { phase } = holder;
    // Nothing more can come of a session that is over on both sides.
    if (phase.type === 'idle' || (phase.type === 'open' && !seats.log.state.session(phase.session) && state.foundOver)) return;
    const at = this.instant(state);
    if (seats.nowMs < this.bounds.ticksMax * tickMs) {
      yield { label: `it is ${seats.nowMs + tickMs} ms`, state: { ...state, seats: { ...seats, nowMs: seats.nowMs + tickMs } } };
    }
    for (const turn of this.succession.turns(seats)) yield* this.told(state, turn);
    for (let index = 0; index < 3; index += 1) {
      const turn = asked && this.succession.hears(seats, index, 'x', asked);
      if (turn && this.mayWait(turn.seats, index)) yield* this.told(state, turn);
    }
    yield* this.behindAnother(state);
    if (state.answer) yield { label: `x receives ${state.answer.type}`, state: this.received(state, at) };
    const mayAsk = holder.lease.lastId < this.bounds.keepAlivesMax;
    if (mayAsk && at.monotonicMs >= this.holders.nextDeadlineMs(holder)) yield* this.beat(state, at);
    const { holder: after, remainingMs } = this.holders.asked(holder, at);
    if (remainingMs === 0 && holder.phase.type === 'open')
      yield { label: 'x finds its session over', state: { ...state, holder: after, foundOver: true } };
  }

  check(state: State): string | null {
    const { seats, holder } = state;
    if (seats.log.broken !== null) return seats.log.broken;
    if (!this.holders.isValid(holder, this.instant(state))) return null;
    if (state.foundOver) return 'a session that its holder had found over is relied on again (rule 7)';
    if (holder.phase.type !== 'open' || seats.log.state.session(holder.phase.session)) return null;
    return 'the group has ended a session while its holder relies on it (promise 3)';
  }

  key(state: State): string {
    const { seats, holder, asked, answer, foundOver } = state;
    // Whether a keep-alive is due is all that matters of when it was; what nobody can answer any more is forgotten.
    const inUse = [idOf(asked), idOf(answer), ...[0, 1, 2].flatMap((index) => this.succession.waiting(seats, index))];
    const beats = holder.lease.beats.filter(([id]) => inUse.includes(id));
    const due = this.instant(state).monotonicMs >= holder.beatDueMs;
    const { phase, lease } = holder;
    const rest = [phase, lease.answered, lease.lastId, beats, due, asked, answer, foundOver];
    return `${this.succession.key(seats)} ${JSON.stringify(rest)}`;
  }

  seen({ seats, holder, foundOver, asked, answer }: State): string[] {
    const marks: string[] = [];
    const ended = seats.log.applied?.ended.some(({ reason }) => reason === 'expired');
    if (ended) marks.push('expired');
    if (foundOver) marks.push('found over');
    const batches = seats.log.key;
    if (seats.rounds === 3 && /\[5,\d+,"1:.*\[1,"3:/.test(batches)) marks.push('adopted from a cut-off leader');
    if (/\[1,"2:.*\[5,\d+,"1:/.test(batches)) marks.push('void expire');
    if (seats.rounds > 1 && answer?.type === 'keptAlive' && seats.log.state.stamp.startsWith('2:'))
      marks.push('renewed by a second leader');
    if (asked?.type === 'keepAlive' && answer?.type === 'keptAlive' && answer.id < asked.id && holder.phase.type === 'open')
      marks.push('late answer');
    return marks;
  }

  private instant({ seats }: State): Instant {
    return { monotonicMs: seats.nowMs, wallMs: seats.nowMs };
  }

  /** The first leader's expiry stands in the slot behind another command: so it can outlive a `begin` that takes the first slot. */
  private *behindAnother(state: State): Iterable<Step<State>> {
    const asked = this.bounds.rounds > 1 && this.succession.hears(state.seats, 0, 'y', refused);
    if (!asked) return;
    const turn = this.succession.looksAtClock(asked.seats, 0);
    const isEnding = this.succession.unchosen(turn.seats, 0) > this.succession.unchosen(asked.seats, 0);
    if (isEnding) yield* this.told(state, { ...turn, label: 'a is asked for something, then finds x silent and proposes its end' });
  }

  /** Under the lease what cannot be answered at once is lost instead; else one keep-alive waits for a quorum round. */
  private mayWait(seats: Seats, index: number): boolean {
    return this.succession.waiting(seats, index).length <= (this.bounds.reads === 'lease' ? 0 : 1);
  }

  private confirmed(state: State, at: Instant): State {
    let confirmed = this.received(state, at);
    const { asked } = confirmed;
    const turn = asked && this.succession.hears(confirmed.seats, 0, 'x', asked);
    if (!turn) throw new Error('a session that opens is kept alive');
    confirmed = { ...confirmed, seats: turn.seats, answer: turn.answers[0]?.message ?? null, asked: null };
    return this.received(confirmed, at);
  }

  private received(state: State, at: Instant): State {
    const { answer } = state;
    if (!answer) return state;
    const { holder, send } = this.holders.step(state.holder, { type: 'message', message: answer, at });
    const [again] = send;
    const asked = again ?? (idOf(state.asked) <= idOf(answer) ? null : state.asked);
    return { ...state, holder, answer: null, asked };
  }

  /** What leaves now takes the place of what left before. */
  private *beat(state: State, at: Instant): Iterable<Step<State>> {
    const { holder, send } = this.holders.step(state.holder, { type: 'tick', at });
    const [asked] = send;
    if (asked) yield { label: 'x sends a keep-alive', state: { ...state, holder, asked } };
    else yield { label: 'x looks at its clock', state: { ...state, holder } };
  }

  private *told(state: State, { label, seats, answers }: Turn): Iterable<Step<State>> {
    const answer = answers.findLast(isForHolder)?.message;
    if (answer) yield { label: `${label}, which answers ${answer.type}`, state: { ...state, seats, answer } };
    else yield { label, state: { ...state, seats } };
  }
}

function isForHolder({ node, message }: Answer): boolean {
  return node === 'x' && (message.type === 'keptAlive' || message.type === 'sessionOpened');
}

function idOf(message: GroupSessionMessage | null): number {
  return message?.type === 'keepAlive' || message?.type === 'keptAlive' ? message.id : 0;
}
