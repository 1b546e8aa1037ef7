/** Retries, copies and reordering between one process and two replicas: the shipped holder, steward and group state. */
import type { Applied } from '../../../packages/core/src/group/group-applied.ts';
import { checkGroupState } from '../../../packages/core/src/group/group-invariants.ts';
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import type { GroupEntry, GroupSessionMessage } from '../../../packages/core/src/group/member-message.ts';
import { isInterimResult, lockOp, resultCode } from '../../../packages/core/src/lock/command.ts';
import { sessionViewOf } from '../../../packages/core/src/group/watched-states.ts';
import type { Operation, OperationResult, WatchedState } from '../../../packages/core/src/operation.ts';
import { entryKind, sessionKeyOf } from '../../../packages/core/src/session/command.ts';
import { SessionSteward } from '../../../packages/core/src/session/session-steward.ts';
import type { Model, Step } from '../checker/model.ts';
import { maxSessionTtlMs } from './chosen-log.ts';
import { Holders } from './holders.ts';
import type { Holder } from './holders.ts';

const resource = 'l/x';
const ttlMs = 90_000;
const session = sessionKeyOf(1, 2);
const at = { monotonicMs: 0, wallMs: 0 };

export interface OnceBounds {
  readonly requestsMax: number;
  readonly leaderChangesMax: number;
  /** How often one frame arrives at most. */
  readonly copiesMax: number;
}

interface State {
  /** The replica of whoever answers keep-alives, and one that knows only the log. */
  readonly leader: GroupState;
  readonly follower: GroupState;
  readonly holder: Holder;
  /** Submissions under way, and how often each may still arrive. */
  readonly frames: readonly { readonly message: GroupSessionMessage; readonly left: number }[];
  readonly keepAlive: GroupSessionMessage | null;
  readonly answers: readonly GroupSessionMessage[];
  readonly results: readonly OperationResult[];
  readonly requests: readonly Operation[];
  readonly leaderChanges: number;
  readonly granted: number;
  readonly released: number;
  readonly expired: boolean;
  readonly broken: string | null;
}

export function exactlyOnce(name: string, about: string, bounds: OnceBounds): Model<unknown> {
  return new ExactlyOnce(name, about, bounds) as Model<unknown>;
}

class ExactlyOnce implements Model<State> {
  readonly rules = [17];
  readonly marks = ['arrived twice', 'refused after the end', 'under the floor', 'granted again', 'asked for what never arrived'];
  private readonly holders = new Holders({ instance: 'x.1', ttlMs, resendMs: 1_000_000 });

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: OnceBounds,
  ) {}

  initial(): State[] {
    const [leader, follower] = [new GroupState({ maxSessionTtlMs }), new GroupState({ maxSessionTtlMs })];
    const opening: GroupEntry = [entryKind.openSession, 'x.1.1', 'x', 'x.1', ttlMs, 0];
    for (const group of [leader, follower]) group.apply(1, [0, [[entryKind.begin, 's'], [entryKind.openGroup, 's', 1], opening]]);
    const { holder: opened } = this.holders.step(this.holders.idle(), { type: 'open', at });
    const message: GroupSessionMessage = { type: 'sessionOpened', nonce: 'x.1.1', session, ttlMs };
    const confirming = this.holders.step(opened, { type: 'message', message, at }).holder;
    const kept: GroupSessionMessage = {
      type: 'keptAlive',
      session,
      id: 1,
      results: [],
      unknown: [],
      covered: [],
      watch: { version: 0, part: 0 },
    };
    const { holder } = this.holders.step(confirming, { type: 'message', message: kept, at });
    const nothing = { frames: [], keepAlive: null, answers: [], results: [], requests: [] };
    return [{ leader, follower, holder, ...nothing, leaderChanges: 0, granted: 0, released: 0, expired: false, broken: null }];
  }

  *next(state: State): Iterable<Step<State>> {
    const { holder, frames, keepAlive, answers, expired, leaderChanges } = state;
    if (state.broken !== null) return;
    const op = this.nextRequest(state);
    if (op) {
      const { holder: after, send } = this.holders.request(holder, () => op, 0);
      yield {
        label: `x asks: ${JSON.stringify(op)}`,
        state: this.sent({ ...state, holder: after, requests: [...state.requests, op] }, send),
      };
    }
    if (leaderChanges < this.bounds.leaderChangesMax && holder.phase.type === 'open') {
      const { holder: after, send } = this.holders.step(holder, { type: 'leaderChanged', at });
      yield { label: 'x hears of another leader', state: this.sent({ ...state, holder: after, leaderChanges: leaderChanges + 1 }, send) };
    }
    for (const [index, { message, left }] of frames.entries()) {
      if (left === 0 || message.type !== 'submit') continue;
      const fewer = frames.map((frame, other) => (other === index ? { ...frame, left: left - 1 } : frame));
      const entry: GroupEntry = [entryKind.use, message.session, message.floor, message.ops];
      yield { label: `chosen: ${JSON.stringify(entry)}`, state: this.chosen({ ...state, frames: fewer }, entry) };
    }
    if (!expired) yield { label: 'the session expires', state: { ...this.chosen(state, [entryKind.expire, session, 's']), expired: true } };
    if (keepAlive) yield* this.keptAlive(state, keepAlive);
    for (const [index, message] of answers.entries()) {
      const { holder: after, send, results } = this.holders.step(holder, { type: 'message', message, at });
      const fewer = answers.filter((_, other) => other !== index);
      const told = { ...state, holder: after, answers: fewer, results: [...state.results, ...results] };
      yield { label: `x receives ${JSON.stringify(message)}`, state: this.answering(this.sent(told, send), []) };
    }
  }

  check({ broken, leader, follower, granted, released, requests, results, expired }: State): string | null {
    if (broken !== null) return broken;
    const [rule] = [...checkGroupState(leader), ...checkGroupState(follower)];
    if (rule !== undefined) return rule;
    if (JSON.stringify(leader.snapshot()) !== JSON.stringify(follower.snapshot()))
      return 'two replicas of one log differ: something but the log changed one (rule 17)';
    if (granted > requests.filter(([type]) => type === lockOp.acquire).length) return 'an acquire took effect twice (promise 4)';
    if (released > requests.filter(([type]) => type === lockOp.release).length) return 'a release took effect twice (promise 4)';
    const finals = results.filter((result) => !isInterimResult(result)).map(([seq]) => seq);
    if (new Set(finals).size < finals.length) return 'a process was answered twice (promise 4)';
    return expired && leader.session(session) ? 'a session that expired is back (promise 4)' : null;
  }

  key({ leader, follower, holder, ...rest }: State): string {
    const { token, sessions, locks } = leader.snapshot();
    const rows = locks.map(([name, , note, holders, waiters]) => [name, note, holders, waiters]);
    const { lease, watch, beatDueMs, ...kept } = holder;
    const same = leader.appliedIndex === follower.appliedIndex;
    return JSON.stringify([
      token,
      sessions,
      rows,
      same,
      lease.answered !== null,
      lease.beats.map(([id]) => id),
      kept,
      rest,
      Boolean(watch),
      beatDueMs,
    ]);
  }

  seen({ frames, expired, leader, requests, granted, answers }: State): string[] {
    const marks: string[] = [];
    const floor = leader.tables.sessions.get(session)?.answers.floor ?? 0;
    if (frames.some(({ left }) => left < this.bounds.copiesMax - 1)) marks.push('arrived twice');
    if (expired && requests.length > 0 && answers.some(({ type }) => type === 'sessionEnded')) marks.push('refused after the end');
    if (floor >= 2) marks.push('under the floor');
    if (granted === 2) marks.push('granted again');
    if (answers.some((answer) => answer.type === 'keptAlive' && answer.unknown.length > 0)) marks.push('asked for what never arrived');
    return marks;
  }

  /** Acquire, release, acquire …: a release needs the token of the acquire before it. */
  private nextRequest({ requests, results, holder }: State): Operation | null {
    const seq = requests.length + 1;
    if (seq > this.bounds.requestsMax || holder.phase.type !== 'open') return null;
    if (seq % 2 === 1) return [lockOp.acquire, seq, resource, 0, 0, null];
    const grant = results.find(([of, code]) => of === seq - 1 && code === resultCode.granted);
    return grant ? [lockOp.release, seq, resource, grant[2], null] : null;
  }

  private sent(state: State, send: readonly GroupSessionMessage[]): State {
    let { frames, keepAlive } = state;
    for (const message of send) {
      if (message.type === 'keepAlive') keepAlive = message;
      if (message.type !== 'submit') continue;
      const text = JSON.stringify(message);
      const others = frames.filter((frame) => JSON.stringify(frame.message) !== text);
      frames = [...others, { message, left: this.bounds.copiesMax }].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    return { ...state, frames, keepAlive };
  }

  private *keptAlive(state: State, message: GroupSessionMessage): Iterable<Step<State>> {
    if (message.type !== 'keepAlive') return;
    const leader = this.restored(state.leader);
    const steward = new SessionSteward<Operation, OperationResult, WatchedState>(
      Object.assign(
        sessionViewOf(leader, () => 1e6),
        { tables: leader.tables },
      ),
      's',
      0,
      1_000,
      (states) => [states],
      () => true,
    );
    const answer = steward.onKeepAlive('x', message, 0);
    if (answer) yield { label: 'the leader answers a keep-alive', state: this.answering({ ...state, leader, keepAlive: null }, [answer]) };
  }

  private chosen(state: State, entry: GroupEntry): State {
    const [leader, follower] = [this.restored(state.leader), this.restored(state.follower)];
    const applied = leader.apply(leader.appliedIndex + 1, [0, [entry]]);
    follower.apply(follower.appliedIndex + 1, [0, [entry]]);
    const counted = { granted: state.granted + count(applied, 'granted'), released: state.released + count(applied, 'released') };
    const broken = state.expired && applied.events.length > 0 ? 'a command of a session that ended took effect (promise 4)' : null;
    const replies = applied.replies.map(({ results }): GroupSessionMessage => ({ type: 'replies', session, results }));
    const ended = applied.unknownSessions.map((key): GroupSessionMessage => ({ type: 'sessionEnded', session: key }));
    return this.answering({ ...state, leader, follower, ...counted, broken }, [...replies, ...ended]);
  }

  /** An answer that is never received is lost; of equal ones one is enough, and one that is no news now will never be. */
  private answering(state: State, messages: readonly GroupSessionMessage[]): State {
    const texts = new Map([...state.answers, ...messages].map((message) => [JSON.stringify(message), message]));
    const answers = [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
    return { ...state, answers: answers.filter((message) => this.isNews(state.holder, message)) };
  }

  private isNews(before: Holder, message: GroupSessionMessage): boolean {
    const { holder, send, results } = this.holders.step(before, { type: 'message', message, at });
    return send.length > 0 || results.length > 0 || JSON.stringify(holder) !== JSON.stringify(before);
  }

  private restored(from: GroupState): GroupState {
    const group = new GroupState({ maxSessionTtlMs });
    group.restore(from.snapshot());
    return group;
  }
}

function count({ events }: Applied, type: 'granted' | 'released'): number {
  return events.filter((event) => event.type === type).length;
}
