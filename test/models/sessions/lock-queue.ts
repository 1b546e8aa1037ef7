/** Locks and their queues under every order of arrival: the shipped group state, sessions whose requests overtake each other and come twice. */
import { checkGroupState } from '../../../packages/core/src/group/group-invariants.ts';
import type { Applied } from '../../../packages/core/src/group/group-applied.ts';
import { GroupState } from '../../../packages/core/src/group/group-state.ts';
import type { GroupEntry } from '../../../packages/core/src/group/member-message.ts';
import { isInterimResult, lockOp, resultCode } from '../../../packages/core/src/lock/command.ts';
import type { LockOp } from '../../../packages/core/src/lock/command.ts';
import { entryKind, sessionKeyOf } from '../../../packages/core/src/session/command.ts';
import type { Model, Step } from '../checker/model.ts';
import { maxSessionTtlMs } from './chosen-log.ts';

/** What a process asks for, in the order in which it does; `of` names an earlier acquire by its sequence. */
export type Request =
  | { readonly type: 'acquire'; readonly lock: string }
  | { readonly type: 'release'; readonly lock: string; readonly of: number }
  | { readonly type: 'cancel'; readonly of: number };

export interface QueueBounds {
  readonly programs: readonly (readonly Request[])[];
  /** How many requests arrive once more. */
  readonly copiesMax: number;
  /** Which process may lose its session, if any. */
  readonly dies: number | null;
}

interface State {
  readonly group: GroupState;
  readonly processes: readonly Process[];
  readonly copies: number;
  readonly dead: boolean;
  /** Who waits for each lock, in the order in which their acquires were chosen. */
  readonly queues: Readonly<Record<string, readonly string[]>>;
  readonly lastToken: number;
  readonly broken: string | null;
}

interface Process {
  readonly asked: number;
  /** Sequences that have been applied at least once. */
  readonly arrived: readonly number[];
  /** Final answers by sequence: a token, or 0 for any other. */
  readonly answers: Readonly<Record<number, number>>;
}

export function lockQueue(name: string, about: string, bounds: QueueBounds, marks: readonly string[]): Model<unknown> {
  return new LockQueue(name, about, bounds, marks) as Model<unknown>;
}

class LockQueue implements Model<State> {
  readonly rules = [17];
  private readonly sessions: readonly number[];

  constructor(
    readonly name: string,
    readonly about: string,
    private readonly bounds: QueueBounds,
    readonly marks: readonly string[],
  ) {
    this.sessions = bounds.programs.map((_, index) => sessionKeyOf(1, index + 2));
  }

  initial(): State[] {
    const group = new GroupState({ maxSessionTtlMs });
    const opens = this.sessions.map((_, index): GroupEntry => [
      entryKind.openSession,
      `n${index}`,
      nodeOf(index),
      `${nodeOf(index)}.1`,
      10_000,
      0,
    ]);
    group.apply(1, [0, [[entryKind.begin, 's'], [entryKind.openGroup, 's', 1], ...opens]]);
    const processes = this.sessions.map((): Process => ({ asked: 0, arrived: [], answers: {} }));
    return [{ group, processes, copies: 0, dead: false, queues: {}, lastToken: group.token, broken: null }];
  }

  *next(state: State): Iterable<Step<State>> {
    if (state.broken !== null) return;
    for (const [index, process] of state.processes.entries()) {
      const request = this.bounds.programs[index]?.[process.asked];
      if (request && this.mayAsk(process, request)) {
        yield {
          label: `${nodeOf(index)} asks: ${JSON.stringify(request)}`,
          state: withProcess(state, index, { ...process, asked: process.asked + 1 }),
        };
      }
      for (let seq = 1; seq <= process.asked; seq += 1) yield* this.arrives(state, index, seq);
    }
    if (this.bounds.dies !== null && !state.dead) {
      const [entry, label] = [
        [entryKind.expire, this.sessions[this.bounds.dies] ?? 0, 's'] as const,
        `the session of ${nodeOf(this.bounds.dies)} expires`,
      ];
      yield { label, state: { ...this.applied(state, entry, null), dead: true } };
    }
  }

  check({ group, broken, processes, dead }: State): string | null {
    if (broken !== null) return broken;
    const [rule] = checkGroupState(group);
    if (rule !== undefined) return rule;
    const isOver = processes.every(
      ({ arrived }, index) => (dead && index === this.bounds.dies) || arrived.length === this.bounds.programs[index]?.length,
    );
    return isOver && group.counts.locks > 0 ? 'everything was released or withdrawn, and a lock is held or waited for: an orphan' : null;
  }

  key({ group, processes, copies, dead, queues }: State): string {
    // Slots count every arrival; nothing that can follow depends on them.
    const { token, sessions, locks } = group.snapshot();
    const rows = locks.map(([resource, , note, holders, waiters]) => [resource, note, holders, waiters]).sort();
    return JSON.stringify([token, sessions, rows, processes, copies, dead, queues]);
  }

  seen({ group, processes, copies, dead, queues }: State): string[] {
    const marks: string[] = [];
    if (Object.values(queues).some((queue) => queue.length >= 2)) marks.push('two wait');
    if (copies > 0) marks.push('arrived twice');
    const answers = [...group.tables.sessions.sessions()].map((session) => session.answers.answers());
    const withdrawn = answers.flatMap((all, index) =>
      all.filter(([, code]) => code === resultCode.withdrawn).map(([seq]) => ({ index, seq })),
    );
    for (const { index, seq } of withdrawn) {
      if (!processes[index]?.arrived.includes(seq)) marks.push('cancel before its acquire');
      if ((processes[index]?.answers[seq] ?? 0) > 0) marks.push('cancel crossing its grant');
    }
    if (answers.some((all) => all.some(([, code]) => code === resultCode.notHeld))) marks.push('stale release');
    if (dead && group.counts.locks > 0) marks.push('granted after an expiry');
    return marks;
  }

  /** A token is known only from the answer that brings it. */
  private mayAsk({ answers }: Process, request: Request): boolean {
    return request.type !== 'release' || (answers[request.of] ?? 0) > 0;
  }

  private *arrives(state: State, index: number, seq: number): Iterable<Step<State>> {
    const process = state.processes[index];
    const op = process && this.op(process, index, seq);
    if (!process || !op) return;
    const isCopy = process.arrived.includes(seq);
    if (isCopy && state.copies === this.bounds.copiesMax) return;
    const arrived = isCopy ? process.arrived : [...process.arrived, seq].sort((a, b) => a - b);
    const heard = withProcess({ ...state, copies: state.copies + Number(isCopy) }, index, { ...process, arrived });
    const entry: GroupEntry = [entryKind.use, this.sessions[index] ?? 0, floorOf(process), [op]];
    yield { label: `request ${seq} of ${nodeOf(index)} is applied${isCopy ? ' again' : ''}`, state: this.applied(heard, entry, op) };
  }

  private op({ answers }: Process, index: number, seq: number): LockOp | null {
    const request = this.bounds.programs[index]?.[seq - 1];
    if (request?.type === 'acquire') return [lockOp.acquire, seq, request.lock, 0, 0, null];
    if (request?.type === 'release') return [lockOp.release, seq, request.lock, answers[request.of] ?? 0, null];
    return request ? [lockOp.cancel, seq, request.of] : null;
  }

  private applied(state: State, entry: GroupEntry, op: LockOp | null): State {
    const group = new GroupState({ maxSessionTtlMs });
    group.restore(state.group.snapshot());
    const applied = group.apply(group.appliedIndex + 1, [0, [entry]]);
    const processes = state.processes.map((process, index) => withAnswers(process, applied, this.sessions[index] ?? 0));
    return this.withEvents({ ...state, group, processes }, applied, op);
  }

  /** First in, first out; tokens rise; what is released is what the request named. */
  private withEvents(state: State, { events }: Applied, op: LockOp | null): State {
    const queues = { ...state.queues };
    let { lastToken, broken } = state;
    for (const { type, resource, node, token } of events) {
      const queue = queues[resource] ?? [];
      if (type === 'waiting') queues[resource] = [...queue, node];
      if (type === 'withdrawn') queues[resource] = queue.filter((waiter) => waiter !== node);
      if (type === 'released' && op?.[0] === lockOp.release && op[3] !== token)
        broken ??= `a release of token ${op[3]} freed token ${token}`;
      if (type !== 'granted') continue;
      if (queue.length > 0 && queue[0] !== node)
        broken ??= `${node} is granted ${resource} before ${queue[0]}, which asked first (promise 5)`;
      if (token <= lastToken) broken ??= `token ${token} is granted after ${lastToken} (promise 2)`;
      queues[resource] = queue.slice(1);
      lastToken = token;
    }
    return { ...state, queues, lastToken, broken };
  }
}

function withAnswers(process: Process, { replies }: Applied, session: number): Process {
  const results = replies.find((reply) => reply.session === session)?.results ?? [];
  const answers = { ...process.answers };
  for (const result of results) if (!isInterimResult(result)) answers[result[0]] ??= result[1] === resultCode.granted ? result[2] : 0;
  return { ...process, answers };
}

function withProcess(state: State, index: number, process: Process): State {
  return { ...state, processes: state.processes.map((other, at) => (at === index ? process : other)) };
}

/** Up to here the process has all answers. */
function floorOf({ answers }: Process): number {
  let floor = 0;
  while (answers[floor + 1] !== undefined) floor += 1;
  return floor;
}

function nodeOf(index: number): string {
  return `p${index + 1}`;
}
