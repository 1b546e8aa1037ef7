/** A holder whose clocks misbehave against a leader whose clock goes right: the shipped holder and steward, one session. */
import type { GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import { sessionViewOf } from '../../../packages/core/src/group/watched-states.ts';
import type { Operation, OperationResult, WatchedState } from '../../../packages/core/src/operation.ts';
import { entryKind } from '../../../packages/core/src/session/command.ts';
import { SessionSteward } from '../../../packages/core/src/session/session-steward.ts';
import type { Instant } from '../../../packages/core/src/time/clock.ts';
import type { Model, Step } from '../checker/model.ts';
import { ChosenLog } from './chosen-log.ts';
import { copied, textOf } from './copied.ts';
import { Holders } from './holders.ts';
import type { Holder } from './holders.ts';

const tickMs = 1_000;
const ttlMs = 3 * tickMs;
const constants: ReadonlySet<object> = new Set();

type Steward = SessionSteward<Operation, OperationResult, WatchedState>;

interface State {
  readonly nowMs: number;
  readonly clocks: Instant;
  /** What may happen to the clocks: either of them can be trusted while the other cannot, not neither. */
  readonly fault: 'slow' | 'suspended' | 'set back';
  readonly faults: number;
  readonly log: ChosenLog;
  readonly steward: Steward;
  readonly holder: Holder;
  readonly asked: GroupSessionMessage | null;
  readonly answer: GroupSessionMessage | null;
  readonly foundOver: boolean;
}

export function holderClocks(ticksMax: number): Model<unknown> {
  return new HolderClocks(ticksMax) as Model<unknown>;
}

class HolderClocks implements Model<State> {
  readonly name = 'holder-clocks';
  readonly about: string;
  readonly rules = [7, 10, 17];
  readonly marks = ['expired', 'found over', 'found over by the wall clock alone', 'late answer'];
  private readonly holders = new Holders({ instance: 'x.1', ttlMs, resendMs: 100 * tickMs });

  constructor(private readonly ticksMax: number) {
    this.about = `One holder whose clocks are slow by the drift bound, stop while it is suspended, or are set back, frames late and lost, for ${ticksMax} ticks of a third of the TTL.`;
  }

  initial(): State[] {
    const at = { monotonicMs: 0, wallMs: 0 };
    const opening = this.holders.step(this.holders.idle(), { type: 'open', at });
    const began = ChosenLog.empty().withEntries([entryKind.begin, 's'], [entryKind.openGroup, 's', 1]);
    const log = began.withEntries([entryKind.openSession, 'x.1.1', 'x', 'x.1', ttlMs, 0]);
    const steward: Steward = new SessionSteward<Operation, OperationResult, WatchedState>(
      sessionViewOf(log.state, () => 1e6),
      's',
      0,
      tickMs,
      (states) => [states],
      () => true,
    );
    const [opened] = log.applied?.opened ?? [];
    if (!opened) throw new Error('a session opens in an open group');
    const message: GroupSessionMessage = { type: 'sessionOpened', nonce: opened.nonce, session: opened.session, ttlMs };
    const confirming = this.holders.step(opening.holder, { type: 'message', message, at });
    const state = { nowMs: 0, clocks: at, faults: 0, log, steward, holder: confirming.holder, answer: null, foundOver: false };
    const asked = confirming.send[0] ?? null;
    return (['slow', 'suspended', 'set back'] as const).map((fault) => ({ ...state, asked, fault }));
  }

  *next(state: State): Iterable<Step<State>> {
    const { holder, clocks, asked, answer, nowMs, log, steward } = state;
    if (holder.phase.type === 'idle') return;
    if (nowMs < this.ticksMax * tickMs) yield* this.timePasses(state);
    if (asked?.type === 'keepAlive') {
      const machine = copied(steward, constants);
      const kept = machine.onKeepAlive('x', asked, nowMs);
      if (kept) yield { label: 'the leader answers a keep-alive', state: { ...state, steward: machine, answer: kept } };
    }
    if (answer) {
      const after = this.holders.step(holder, { type: 'message', message: answer, at: clocks }).holder;
      const left = idOf(asked) <= idOf(answer) ? null : asked;
      yield { label: `x receives the answer to keep-alive ${idOf(answer)}`, state: { ...state, holder: after, answer: null, asked: left } };
    }
    if (clocks.monotonicMs >= this.holders.nextDeadlineMs(holder)) {
      const turn = this.holders.step(holder, { type: 'tick', at: clocks });
      const sent = turn.send[0] ?? asked;
      yield {
        label: sent === asked ? 'x looks at its clock' : 'x sends a keep-alive',
        state: { ...state, holder: turn.holder, asked: sent },
      };
    }
    const machine = copied(steward, constants);
    const entries = machine.expire(nowMs, nowMs);
    const longer = log.withEntries(...entries);
    for (const { session, node } of longer.applied?.ended ?? []) machine.ended(session, node);
    (machine as unknown as { view: unknown }).view = sessionViewOf(longer.state, () => 1e6);
    if (entries.length > 0) yield { label: 'the leader ends the silent session', state: { ...state, steward: machine, log: longer } };
    const found = this.holders.asked(holder, clocks);
    if (found.remainingMs === 0 && holder.phase.type === 'open')
      yield { label: 'x finds its session over', state: { ...state, holder: found.holder, foundOver: true } };
  }

  check({ log, holder, clocks, foundOver }: State): string | null {
    if (log.broken !== null) return log.broken;
    if (!this.holders.isValid(holder, clocks)) return null;
    if (foundOver) return 'a session that its holder had found over is relied on again (rule 7)';
    if (holder.phase.type !== 'open' || log.state.session(holder.phase.session)) return null;
    return 'the group has ended a session while its holder relies on it (promise 3)';
  }

  key({ nowMs, clocks, fault, faults, log, steward, holder, asked, answer, foundOver }: State): string {
    const inUse = [idOf(asked), idOf(answer)];
    const beats = holder.lease.beats.filter(([id]) => inUse.includes(id));
    const due = clocks.monotonicMs >= holder.beatDueMs || holder.beatDueMs - clocks.monotonicMs;
    const { phase, lease } = holder;
    const rest = [nowMs, clocks, fault, faults, log.length, phase, lease.answered, lease.lastId, beats, due, asked, answer, foundOver];
    return `${JSON.stringify(rest)} ${textOf(steward, constants)}`;
  }

  seen({ log, foundOver, clocks, holder, asked, answer }: State): string[] {
    const marks: string[] = [];
    if (log.applied && log.applied.ended.length > 0) marks.push('expired');
    if (foundOver) marks.push('found over');
    const { answered } = holder.lease;
    if (answered && clocks.monotonicMs - answered.monotonicMs < tickMs && clocks.wallMs - answered.wallMs >= ttlMs)
      marks.push('found over by the wall clock alone');
    if (answer && idOf(answer) < idOf(asked)) marks.push('late answer');
    return marks;
  }

  private *timePasses(state: State): Iterable<Step<State>> {
    const { nowMs, clocks, fault, faults } = state;
    const { monotonicMs, wallMs } = clocks;
    const later = (label: string, monotonic: number, wall: number, more = faults + 1): Step<State> => ({
      label: `it is ${nowMs + tickMs} ms${label}`,
      state: { ...state, nowMs: nowMs + tickMs, faults: more, clocks: { monotonicMs: monotonicMs + monotonic, wallMs: wallMs + wall } },
    });
    if (fault === 'slow') yield later(', and x’s clocks are slow', 0.99 * tickMs, 0.99 * tickMs, 0);
    else yield later('', tickMs, tickMs, faults);
    if (fault === 'suspended' && faults < 3) yield later(', x was suspended', 0, tickMs);
    if (fault === 'set back' && faults < 2) {
      yield later(', x’s calendar was set back', tickMs, -2 * tickMs);
      yield later(', x’s calendar was set ahead', tickMs, 3 * tickMs);
    }
  }
}

function idOf(message: GroupSessionMessage | null): number {
  return message?.type === 'keepAlive' || message?.type === 'keptAlive' ? message.id : 0;
}
