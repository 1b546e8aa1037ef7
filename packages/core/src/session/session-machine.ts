/** The session table by itself, as a machine: opens, uses and ends in, who lives and what is to be done once out. */
import { unreachable } from '../errors.ts';
import type { Numbered } from './answer-window.ts';
import type { SessionKey } from './command.ts';
import type { OpenRefusal, SessionLimits, SessionRequest, SessionTableSnapshot } from './session-table.ts';
import { SessionTable } from './session-table.ts';

/** `answer` is what the session is to get for its sequence if it has not come before; `floor`, up to where it has its answers. */
export type SessionCommand<Answer extends Numbered> =
  | ({ readonly type: 'open' } & SessionRequest)
  | { readonly type: 'use'; readonly session: SessionKey; readonly floor: number; readonly answer: Answer }
  | { readonly type: 'end'; readonly session: SessionKey };

/** - `dropped`: the sequence is at or under the floor. `beyond`: too far above it. `unknown`: no such session lives. */
export type SessionOutput<Answer extends Numbered> =
  | { readonly type: 'opened'; readonly session: SessionKey; readonly retried: boolean; readonly replaced: SessionKey | null }
  | { readonly type: 'refused'; readonly reason: OpenRefusal }
  | { readonly type: 'answered'; readonly session: SessionKey; readonly answer: Answer; readonly isNew: boolean }
  | { readonly type: 'dropped' | 'beyond' | 'ended' | 'unknown'; readonly session: SessionKey };

export interface SessionMachineSnapshot<Answer extends Numbered> {
  readonly step: number;
  readonly sessions: SessionTableSnapshot<Answer>;
}

/** A session's key is the number of the step that opened it. */
export class SessionMachine<Answer extends Numbered> {
  readonly #table: SessionTable<Answer>;
  #step = 0;

  constructor(limits: SessionLimits) {
    this.#table = new SessionTable(limits);
  }

  step(command: SessionCommand<Answer>): SessionOutput<Answer> {
    this.#step += 1;
    switch (command.type) {
      case 'open':
        return this.#open(command);
      case 'use':
        return this.#use(command.session, command.floor, command.answer);
      case 'end':
        return { type: this.#table.end(command.session) === undefined ? 'unknown' : 'ended', session: command.session };
      default:
        return unreachable(command);
    }
  }

  snapshot(): SessionMachineSnapshot<Answer> {
    return { step: this.#step, sessions: this.#table.snapshot() };
  }

  restore({ step, sessions }: SessionMachineSnapshot<Answer>): void {
    this.#step = step;
    this.#table.restore(sessions);
  }

  #open(request: SessionRequest): SessionOutput<Answer> {
    const outcome = this.#table.open(this.#step, request);
    if (outcome.type === 'refused') return outcome;
    return { type: 'opened', session: outcome.session.key, retried: outcome.retried, replaced: outcome.replaced?.key ?? null };
  }

  #use(key: SessionKey, floor: number, answer: Answer): SessionOutput<Answer> {
    const answers = this.#table.get(key)?.answers;
    if (answers === undefined) return { type: 'unknown', session: key };
    answers.raiseFloor(floor);
    if (answer[0] <= answers.floor) return { type: 'dropped', session: key };
    const remembered = answers.recall(answer[0]);
    if (remembered !== undefined) return { type: 'answered', session: key, answer: remembered, isNew: false };
    if (answers.isBeyond(answer[0])) return { type: 'beyond', session: key };
    answers.remember(answer);
    return { type: 'answered', session: key, answer, isNew: true };
  }
}
