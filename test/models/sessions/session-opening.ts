/** Two starts of one node's process, one after the other or both alive: shipped holders, service and group state, opens that come late. */
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { instanceOf } from '../../../packages/core/src/group/leader-service.ts';
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import type { Model, Step } from '../checker/model.ts';
import { Holders } from './holders.ts';
import type { Holder, HolderTurn } from './holders.ts';
import { Succession } from './succession.ts';
import type { Seats, Turn } from './succession.ts';

const tickMs = 1_000;
const node = 'n';

export interface OpeningBounds {
  readonly ttlTicks: number;
  readonly ticksMax: number;
  /** How often the very first open may arrive; any other arrives once, at any time. */
  readonly copiesMax: number;
  readonly openings: readonly number[];
}

interface State {
  readonly seats: Seats;
  readonly starts: readonly Start[];
  /** Opens under way, and how often each may still arrive. */
  readonly opens: readonly { readonly by: number; readonly message: GroupSessionMessage; readonly left: number }[];
  /** Answers to the node: whoever of its processes is alive hears them. */
  readonly answers: readonly GroupSessionMessage[];
}

interface Start {
  readonly holder: Holder;
  readonly asked: GroupSessionMessage | null;
}

export function sessionOpening(name: string, about: string, bounds: OpeningBounds): Model<unknown> {
  return new SessionOpening(name, about, bounds) as Model<unknown>;
}

class SessionOpening implements Model<State> {
  readonly rules = [10, 17];
  readonly marks = ['name taken', 'admitted after the other', 'replaced by its own process', 'late open', 'retried open'];
  private readonly holders: readonly Holders[];
  private readonly proposers: readonly Proposer[];
  private readonly succession = new Succession({
    reads: 'lease',
    leaseMs: 100 * tickMs,
    rounds: 1,
    lateEchoes: false,
    lateLearning: false,
    heartbeats: false,
  });

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: OpeningBounds,
  ) {
    this.proposers = bounds.openings.map((_, index) => ({ node, incarnation: `n${index + 1}`, run: 1 }));
    const ttlMs = bounds.ttlTicks * tickMs;
    this.holders = this.proposers.map((proposer) => new Holders({ instance: instanceOf(proposer), ttlMs, resendMs: 100 * tickMs }));
  }

  initial(): State[] {
    const { seats } = this.succession.opened();
    return [{ seats, starts: this.holders.map((holders) => ({ holder: holders.idle(), asked: null })), opens: [], answers: [] }];
  }

  *next(state: State): Iterable<Step<State>> {
    const { seats, opens, answers } = state;
    if (seats.nowMs < this.bounds.ticksMax * tickMs) {
      yield { label: `it is ${seats.nowMs + tickMs} ms`, state: { ...state, seats: { ...seats, nowMs: seats.nowMs + tickMs } } };
    }
    for (const turn of this.succession.turns(seats)) yield this.told(state, turn);
    for (const [index, { by, message, left }] of opens.entries()) {
      const from = this.proposers[by];
      const turn = left > 0 && from ? this.succession.hears(seats, 0, from, message) : null;
      const fewer = opens.map((open, other) => (other === index ? { ...open, left: left - 1 } : open));
      if (turn) yield this.told({ ...state, opens: fewer }, turn);
    }
    for (const [index, answer] of answers.entries()) {
      const fewer = answers.filter((_, other) => other !== index);
      yield { label: `${node} receives ${JSON.stringify(answer)}`, state: this.received({ ...state, answers: fewer }, answer) };
    }
    for (const index of state.starts.keys()) yield* this.byItself(state, index);
  }

  check({ seats, starts }: State): string | null {
    if (seats.log.broken !== null) return seats.log.broken;
    const at = { monotonicMs: seats.nowMs, wallMs: seats.nowMs };
    const valid = starts.filter(({ holder }, index) => this.holders[index]?.isValid(holder, at));
    if (valid.length > 1) return 'two processes of one name rely on their sessions at once';
    for (const { holder } of valid) {
      if (holder.phase.type === 'open' && !seats.log.state.session(holder.phase.session))
        return 'the group has ended a session while its holder relies on it (promise 3)';
    }
    return null;
  }

  key({ seats, starts, opens, answers }: State): string {
    const kept = starts.map(({ holder, asked }) => {
      const { phase, openings, replaces, lease, beatDueMs } = holder;
      const inUse = [asked, ...answers].map(idOf);
      return [
        phase,
        openings,
        replaces,
        lease.answered,
        lease.lastId,
        lease.beats.filter(([id]) => inUse.includes(id)),
        beatDueMs <= seats.nowMs,
        asked,
      ];
    });
    return `${this.succession.key(seats)} ${JSON.stringify([kept, opens, answers])}`;
  }

  seen({ seats, starts, opens }: State): string[] {
    const marks: string[] = [];
    const { applied, state } = seats.log;
    const [refused] = applied?.refused ?? [];
    const [opened] = applied?.opened ?? [];
    const instances = this.proposers.map(instanceOf);
    if (refused?.reason === 'nameTaken' && refused.instance === instances[1]) marks.push('name taken');
    if (opened?.instance === instances[1] && (starts[0]?.holder.openings ?? 0) > 0) marks.push('admitted after the other');
    if (applied?.ended.some(({ reason }) => reason === 'replaced')) marks.push('replaced by its own process');
    if (opened?.retried) marks.push('retried open');
    const [living] = [...state.sessions()];
    if (refused && living?.instance === refused.instance && opens.length > 1) marks.push('late open');
    return marks;
  }

  private *byItself(state: State, index: number): Iterable<Step<State>> {
    const holders = this.holders[index];
    const start = state.starts[index];
    if (!holders || !start) return;
    const { holder, asked } = start;
    const { nowMs } = state.seats;
    const at = { monotonicMs: nowMs, wallMs: nowMs };
    const name = `process ${index + 1}`;
    if (holder.phase.type === 'idle' && holder.openings < (this.bounds.openings[index] ?? 0))
      yield { label: `${name} opens a session`, state: this.sent(state, index, holders.step(holder, { type: 'open', at })) };
    if ((holder.phase.type === 'open' || holder.phase.type === 'confirming') && nowMs >= holders.nextDeadlineMs(holder))
      yield { label: `${name} looks at its clock`, state: this.sent(state, index, holders.step(holder, { type: 'tick', at })) };
    const from = this.proposers[index];
    const turn = asked && from && this.succession.hears(state.seats, 0, from, asked);
    if (turn) yield this.told(this.withStart(state, index, { holder, asked: null }), turn);
  }

  private received(state: State, message: GroupSessionMessage): State {
    const at = { monotonicMs: state.seats.nowMs, wallMs: state.seats.nowMs };
    return this.holders.reduce((so, holders, index) => {
      const start = so.starts[index];
      return start ? this.sent(so, index, holders.step(start.holder, { type: 'message', message, at })) : so;
    }, state);
  }

  private sent(state: State, index: number, { holder, send }: HolderTurn): State {
    const asked =
      send.find(({ type }) => type === 'keepAlive') ?? (holder.phase.type === 'idle' ? null : (state.starts[index]?.asked ?? null));
    const opens = send
      .filter(({ type }) => type === 'openSession')
      .map((message) => ({ by: index, message, left: index === 0 && holder.openings === 1 ? this.bounds.copiesMax : 1 }));
    return this.withStart({ ...state, opens: [...state.opens, ...opens] }, index, { holder, asked });
  }

  private withStart(state: State, index: number, start: Start): State {
    return { ...state, starts: state.starts.map((other, at) => (at === index ? start : other)) };
  }

  /** What ends a right or refuses one may be lost at no harm; of equal answers one is enough, and the oldest of three is lost. */
  private told(state: State, { label, seats, answers }: Turn): Step<State> {
    const news = answers.filter(
      ({ node: to, message }) => to === node && (message.type === 'sessionOpened' || message.type === 'keptAlive'),
    );
    const texts = new Map([...state.answers, ...news.map(({ message }) => message)].map((message) => [JSON.stringify(message), message]));
    return { label, state: { ...state, seats, answers: [...texts.values()].slice(-2) } };
  }
}

function idOf(message: GroupSessionMessage | null): number {
  return message?.type === 'keepAlive' || message?.type === 'keptAlive' ? message.id : 0;
}
