/**
 * A partition that is taken from its owner, by leaders that know of each other or not: the shipped holder, services and group state.
 * What is freed may be granted to anybody at once, so no other owner is needed to see two leases overlap.
 */
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import type { Operation } from '../../../packages/core/src/operation.ts';
import { partitionOp, partitionWatch, phase, placing } from '../../../packages/core/src/partition/command.ts';
import type { Partition } from '../../../packages/core/src/partition/partition-set.ts';
import { entryKind } from '../../../packages/core/src/session/command.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';
import type { Model, Step } from '../checker/model.ts';
import { Holders } from '../sessions/holders.ts';
import type { Holder } from '../sessions/holders.ts';
import { Succession } from '../sessions/succession.ts';
import type { Seats, Turn } from '../sessions/succession.ts';

const tickMs = 1_000;
const set = 's';
/** An operator's session, and with it that session's requests, outlast the world. */
const operatorTtlMs = 90_000;

export interface HandOffBounds {
  readonly ttlTicks: number;
  readonly leaseTicks: number;
  readonly ticksMax: number;
  readonly rounds: number;
  readonly keepAlivesMax: number;
  /** The owner may give the partition back, late and twice; once it is unowned an operator lets the owner have it again. */
  readonly givesBack: boolean;
  /** The word of the grant comes at any time after the first keep-alive covered it. */
  readonly tellsLate: boolean;
  readonly marks: readonly string[];
}

interface State {
  readonly seats: Seats;
  readonly holder: Holder;
  /** The newest keep-alive that is not lost: it reaches any seat, any number of times, until it is answered. */
  readonly asked: GroupSessionMessage | null;
  /** The newest answer that is not lost. */
  readonly answer: GroupSessionMessage | null;
  /** The owner has not been told yet that it owns the partition. */
  readonly isUntold: boolean;
  /** The first token that the owner has given back; it relies on that lease no more. */
  readonly givenBack: number;
  /** How often the release may still reach a leader. */
  readonly releases: number;
  /** The operator may still let the owner take part again. */
  readonly mayInclude: boolean;
}

export class HandOff implements Model<State> {
  readonly rules = [18];
  readonly marks: readonly string[];
  private readonly holders: Holders;
  private readonly succession: Succession;
  private session = 0;
  private operator = 0;

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: HandOffBounds,
  ) {
    const { leaseTicks, ttlTicks, rounds, marks } = bounds;
    this.marks = marks;
    this.holders = new Holders({ instance: 'x.1', ttlMs: ttlTicks * tickMs, resendMs: 100 * tickMs });
    this.succession = new Succession({ reads: 'lease', leaseMs: leaseTicks * tickMs, rounds, lateEchoes: false, lateLearning: false });
  }

  /** The owner has its partition, and an operator has just excluded it: the drain's budget is none. */
  initial(): State[] {
    const at = { monotonicMs: 0, wallMs: 0 };
    const [open] = this.holders.step(this.holders.idle(), { type: 'open', at }).send;
    if (open?.type !== 'openSession') throw new Error('a holder that opens a session asks for it');
    const operator: GroupSessionMessage = { type: 'openSession', nonce: 'y', ttlMs: operatorTtlMs, replaces: 0 };
    const { seats: opened } = this.succession.opened(['x', open], ['y', operator]);
    this.session = opened.log.state.sessionOfNode('x') ?? 0;
    this.operator = opened.log.state.sessionOfNode('y') ?? 0;
    let holder = this.holders.step(this.holders.idle(), { type: 'open', at }).holder;
    const message: GroupSessionMessage = { type: 'sessionOpened', nonce: open.nonce, session: this.session, ttlMs: open.ttlMs };
    const confirming = this.holders.step(holder, { type: 'message', message, at });
    let seats = this.asks(opened, 0, 'x', this.session, [partitionOp.join, 1, set, 1, 1, 1, 0, 0]).seats;
    seats = this.succession.settled(this.succession.looksAtClock(seats, 0).seats).seats;
    const [beat] = confirming.send;
    const kept = beat && this.succession.hears(seats, 0, 'x', beat);
    const answer = kept?.answers[0]?.message;
    if (!kept || !answer) throw new Error('a session that opens is kept alive');
    holder = this.holders.step(confirming.holder, { type: 'message', message: answer, at }).holder;
    seats = this.asks(kept.seats, 0, 'y', this.operator, [partitionOp.place, 1, set, 'x', placing.excluded]).seats;
    seats = this.succession.settled(this.succession.looksAtClock(seats, 0).seats).seats;
    const { givesBack, tellsLate } = this.bounds;
    const state = { seats, holder, asked: null, answer: null, isUntold: tellsLate, givenBack: 0, releases: 0, mayInclude: givesBack };
    return [state];
  }

  *next(state: State): Iterable<Step<State>> {
    const { seats, holder, asked, answer } = state;
    if (holder.phase.type !== 'open') return;
    const at = this.instant(state);
    if (seats.nowMs < this.bounds.ticksMax * tickMs)
      yield { label: `it is ${seats.nowMs + tickMs} ms`, state: { ...state, seats: { ...seats, nowMs: seats.nowMs + tickMs } } };
    for (const turn of this.succession.turns(seats)) yield this.told(state, turn);
    for (let index = 0; index < 3; index += 1) {
      const turn = asked && this.succession.hears(seats, index, 'x', asked);
      // Under the lease what cannot be answered at once is lost instead.
      if (turn && this.succession.waiting(turn.seats, index).length === 0) yield this.told(state, turn);
    }
    if (answer?.type === 'keptAlive') {
      const after = this.holders.step(holder, { type: 'message', message: answer, at }).holder;
      const left = idOf(asked) <= idOf(answer) ? null : asked;
      yield { label: `x receives the answer to ${idOf(answer)}`, state: { ...state, holder: after, answer: null, asked: left } };
    }
    if (holder.lease.lastId < this.bounds.keepAlivesMax && at.monotonicMs >= this.holders.nextDeadlineMs(holder)) {
      const turn = this.holders.step(holder, { type: 'tick', at });
      yield { label: 'x sends a keep-alive', state: { ...state, holder: turn.holder, asked: turn.send.find(isKeepAlive) ?? asked } };
    }
    if (state.isUntold) yield this.hearsOfItsGrant(state, at);
    if (this.bounds.givesBack) yield* this.handsBack(state, at);
  }

  /** What the group has given away nobody may still rely on, but whoever gave it back itself. */
  check(state: State): string | null {
    const { seats, holder } = state;
    if (seats.log.broken !== null) return seats.log.broken;
    const at = this.instant(state);
    const now = this.partition(seats);
    for (const [token] of holder.cover) {
      if (token === now?.token || token === state.givenBack || this.holders.coverMs(holder, token, at) === 0) continue;
      return `the group has given away what ${token} is relied on for (promise 6)`;
    }
    return null;
  }

  key(state: State): string {
    const { seats, holder, asked, answer, isUntold, givenBack, releases, mayInclude } = state;
    const inUse = [idOf(asked), idOf(answer)];
    const beats = holder.lease.beats.filter(([id]) => inUse.includes(id));
    const due = this.instant(state).monotonicMs >= holder.beatDueMs;
    const { phase: stage, lease, cover } = holder;
    const rest = [stage, lease.answered, lease.lastId, beats, cover, due, asked, answer, isUntold, givenBack, releases, mayInclude];
    return `${this.succession.key(seats)} ${JSON.stringify(rest)}`;
  }

  seen({ seats, answer, holder, givenBack }: State): string[] {
    const marks: string[] = [];
    const now = this.partition(seats);
    if (now && now.token !== 0 && !now.isCovered) marks.push('uncovered');
    if (now?.token === 0 && givenBack === 0) marks.push('freed');
    const freer = this.leaderThat(seats, entryKind.free);
    if (freer === '2') marks.push('freed by a second leader');
    if (freer === '2' && this.leaderThat(seats, entryKind.uncover) === '1') marks.push('uncovered by one leader and freed by the next');
    if (answer?.type === 'keptAlive' && now && !now.isCovered && answer.covered.length > 0) marks.push('an answer of before is under way');
    if (givenBack > 0 && now && now.token > givenBack && holder.cover.some(([token]) => token === now.token)) marks.push('owned again');
    return marks;
  }

  /** The round of the leader that ended the lease so, or the partition. */
  private leaderThat({ log }: Seats, kind: number): string | undefined {
    return new RegExp(`\\[${kind},"${set}","(\\d+):`).exec(log.key)?.[1];
  }

  private instant({ seats }: State): Instant {
    return { monotonicMs: seats.nowMs, wallMs: seats.nowMs };
  }

  private partition({ log }: Seats): Partition | undefined {
    return log.state.tables.partitions.set(set)?.partitions[0];
  }

  private told(state: State, { label, seats, answers }: Turn): Step<State> {
    const answer = answers.findLast(({ node, message }) => node === 'x' && message.type === 'keptAlive')?.message;
    return { label: answer ? `${label}, which answers` : label, state: { ...state, seats, answer: answer ?? state.answer } };
  }

  /** The word of the grant itself comes late: nothing may be counted from it. */
  private hearsOfItsGrant(state: State, at: Instant): Step<State> {
    const { token } = this.holderToken(state);
    const rows = [[0, phase.owned, 'x', token, 'x', null] as const];
    const told = {
      resource: `${partitionWatch.own}${set}`,
      version: 1,
      isFull: true,
      count: 1,
      graceMs: 0,
      settleMs: 0,
      members: null,
      rows,
    };
    const watching = this.holders.step(state.holder, { type: 'watch', added: [told.resource], removed: [], at }).holder;
    const message: GroupSessionMessage = {
      type: 'watched',
      version: watching.watch.version,
      part: watching.watch.part,
      since: 0,
      index: 1,
      states: [told],
    };
    const { holder } = this.holders.step(watching, { type: 'message', message, at });
    return { label: 'x hears that it owns the partition', state: { ...state, isUntold: false, holder } };
  }

  /** The release reaches leaders when it likes, and is chosen or not; then the operator lets the owner take part again. */
  private *handsBack(state: State, at: Instant): Iterable<Step<State>> {
    const { seats, holder, givenBack, releases } = state;
    const { token } = this.holderToken(state);
    if (givenBack === 0 && token > 0 && this.holders.coverMs(holder, token, at) > 0)
      yield { label: 'x gives the partition back', state: { ...state, givenBack: token, releases: 1 } };
    for (let index = 0; index < 2; index += 1) {
      if (releases > 0) {
        const turn = this.succession.hears(
          seats,
          index,
          'x',
          this.submitted(this.session, [partitionOp.release, 2, set, 0, givenBack, null]),
        );
        if (turn) yield this.told({ ...state, releases: releases - 1 }, { ...turn, label: `${turn.label}: the release` });
      }
      if (!state.mayInclude || this.partition(seats)?.token !== 0) continue;
      const turn = this.succession.hears(seats, index, 'y', this.submitted(this.operator, [partitionOp.place, 2, set, 'x', placing.usual]));
      if (turn) yield this.told({ ...state, mayInclude: false }, { ...turn, label: `${turn.label}: x is to take part again` });
    }
  }

  private holderToken({ holder }: State): { readonly token: number } {
    return { token: holder.cover.at(0)?.[0] ?? 0 };
  }

  private submitted(session: number, op: Operation): GroupSessionMessage {
    return { type: 'submit', session, floor: 0, ops: [op] };
  }

  private asks(seats: Seats, index: number, node: string, session: number, op: Operation): Turn {
    const turn = this.succession.hears(seats, index, node, this.submitted(session, op));
    if (!turn) throw new Error('the first seat leads');
    return this.succession.settled(turn.seats);
  }
}

function isKeepAlive(message: GroupSessionMessage): boolean {
  return message.type === 'keepAlive';
}

function idOf(message: GroupSessionMessage | null): number {
  return message?.type === 'keepAlive' || message?.type === 'keptAlive' ? message.id : 0;
}
