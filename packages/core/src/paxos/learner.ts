/** The learner: what is chosen, from whom it is fetched, and what of it is told to others. "Paxos Made Simple" §2.3. */
import type { Acceptor } from './acceptor.ts';
import type { Ballot } from './ballot.ts';
import type { Log } from './log.ts';
import type { Chosen, Slot } from './message.ts';
import type { ReplicaLimits, ReplicaOutput } from './replica-io.ts';

/**
 * 1. A slot is learned from the leader's word only where our vote is of that leader's ballot; otherwise its value is fetched.
 * 2. What is learned without a vote is recorded before anything rests on it.
 */
export class Learner<V> {
  private readonly log: Log<V>;
  private fetchDueMs = -Infinity;
  private recorded: Slot;

  constructor(
    private readonly acceptor: Acceptor<V>,
    private readonly limits: ReplicaLimits<V>,
    /** An unanswered fetch is repeated after this long. */
    private readonly retryMs: number,
  ) {
    this.log = acceptor.log;
    this.recorded = acceptor.log.chosenIndex;
  }

  /** Everything the leader of `ballot` knows to be chosen: ours where we voted in that ballot, else it must be fetched. */
  learnUpTo(ballot: Ballot, chosenIndex: Slot, node: string, nowMs: number, out: ReplicaOutput<V>): void {
    const first = this.log.chosenIndex + 1;
    for (let slot = first; slot <= chosenIndex && this.acceptor.hasVote(ballot, slot); slot += 1) this.log.choose(slot);
    if (chosenIndex > this.log.chosenIndex) this.maybeFetch(node, chosenIndex, nowMs, out);
  }

  /** Unless a fetch was sent a moment ago and has brought nothing yet: what makes us ask may come many times over. */
  maybeFetch(node: string, to: Slot, nowMs: number, out: ReplicaOutput<V>): void {
    if (nowMs >= this.fetchDueMs) this.fetch(node, to, nowMs, out);
  }

  fetch(node: string, to: Slot, nowMs: number, out: ReplicaOutput<V>): void {
    this.fetchDueMs = nowMs + this.retryMs;
    out.send.push({ to: { type: 'node', node }, message: { type: 'fetch', from: this.log.chosenIndex + 1, to } });
  }

  /** As many chosen values from `first` on as one frame holds. */
  chosenFrom(first: Slot, last: Slot): Chosen<V> {
    const { chosenIndex, floor } = this.log;
    const values: (V | null)[] = [];
    let bytes = 0;
    for (let slot = first; slot > floor && slot <= Math.min(last, chosenIndex); slot += 1) {
      const value = this.log.valueAt(slot) ?? null;
      bytes += value === null ? 1 : this.limits.sizeOf(value);
      if (values.length > 0 && bytes > this.limits.messageBytesMax) break;
      values.push(value);
    }
    return { type: 'chosen', from: first, values, chosenIndex, floor };
  }

  /** True if more of the log became known without a gap. */
  onChosen({ from, values }: Chosen<V>, out: ReplicaOutput<V>): boolean {
    const before = this.log.chosenIndex;
    values.forEach((value, index) => {
      const slot = from + index;
      if (slot <= this.log.floor || this.log.isChosen(slot) || !this.log.reaches(slot)) return;
      this.log.learn(slot, value);
      out.persist.push({ type: 'learned', slot, value });
    });
    if (this.log.chosenIndex === before) return false;
    this.fetchDueMs = -Infinity;
    return true;
  }

  /** Others forget what everyone has applied, so what we say we applied must be found again after a restart. */
  record(out: ReplicaOutput<V>): void {
    if (this.recorded === this.log.chosenIndex) return;
    this.recorded = this.log.chosenIndex;
    out.persist.push({ type: 'chosen', upTo: this.recorded });
  }
}
