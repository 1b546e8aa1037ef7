/** What a process changes of one thing that it holds, in the order of its asking: what is under way together may be chosen in any order. */
import { mailboxFull, outstandingMax } from '../runtime/create-member.ts';
import type { Instance } from './instance.ts';

interface Turn {
  /** Two changes of one kind write the same: the second leaves nothing of the first. */
  readonly kind: number;
  ask: () => Promise<void>;
  isWaiting: boolean;
  answer: Promise<void>;
}

/**
 * 1. One change is under way at a time; the next is asked for once that is answered, however it is answered.
 * 2. Of changes of one kind that wait side by side only the newest is asked for, and all have its answer.
 * 3. In all that this process holds, no more calls wait than a session has room for requests.
 */
export class ChangeOrder {
  #last: Turn | null = null;

  constructor(private readonly instance: Instance) {}

  /** Asks in its turn, at once where nothing is under way. Rejects with what `ask` does, or with `MAILBOX_FULL` where too many calls wait. */
  change(kind: number, ask: () => Promise<void>): Promise<void> {
    const { instance } = this;
    const last = this.#last;
    if (last === null) return this.#turn(kind, ask, null).answer;
    if (instance.waitingChanges >= outstandingMax) return Promise.reject(mailboxFull('the answer to a change before them'));
    instance.waitingChanges += 1;
    const onAnswer = (): void => void (instance.waitingChanges -= 1);
    const turn = last.isWaiting && last.kind === kind ? last : this.#turn(kind, ask, last);
    turn.ask = ask;
    turn.answer.then(onAnswer, onAnswer);
    return turn.answer;
  }

  /** Calls back once everything is answered that was asked for so far; at once where that is so. */
  afterAll(callback: () => void): void {
    if (this.#last === null) callback();
    else this.#last.answer.then(callback, callback);
  }

  #turn(kind: number, ask: () => Promise<void>, before: Turn | null): Turn {
    const turn: Turn = { kind, ask, isWaiting: before !== null, answer: none };
    const begin = (): Promise<void> => {
      turn.isWaiting = false;
      return turn.ask();
    };
    const onAnswer = (): void => {
      if (this.#last === turn) this.#last = null;
    };
    turn.answer = before === null ? begin() : before.answer.then(begin, begin);
    turn.answer.then(onAnswer, onAnswer);
    this.#last = turn;
    return turn;
  }
}

const none = Promise.resolve();
