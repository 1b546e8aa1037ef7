/** Who waits for which request of the present session. */
import { resultCode } from '../lock/command.ts';
import { SequenceMap } from '../sequence-map.ts';
import type { SessionLoss } from '../session/session-holder.ts';
import type { RequestOutcome } from './engine.ts';

export type OutcomeListener = (outcome: RequestOutcome) => void;

export class Outcomes {
  readonly #waiting = new SequenceMap<OutcomeListener>();

  add(seq: number, listener: OutcomeListener): void {
    this.#waiting.set(seq, listener);
  }

  /** `queued` is no end: more follows. */
  settle(seq: number, outcome: RequestOutcome): void {
    const listener = this.#waiting.get(seq);
    if (!listener) return;
    if (outcome.type !== 'result' || outcome.result[1] !== resultCode.queued) this.#waiting.delete(seq);
    listener(outcome);
  }

  /** The session is over: forgets all, and then tells each. */
  end(reason: SessionLoss): void {
    const listeners = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const listener of listeners) listener({ type: 'sessionLost', reason });
  }
}
