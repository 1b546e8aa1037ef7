/** The requests of a session that are not over: what is on its way to be applied, and what is applied and waits for its final answer. */
import { SequenceMap } from '../sequence-map.ts';
import type { RequestUnderWay } from './holder-io.ts';

/** Sequences that one keep-alive asks after; where more wait, the next ones go on from there. */
const pendingMax = 1024;

export interface HolderRequestsSnapshot<Op> {
  /** Submitted and not known to be applied. */
  readonly unapplied: readonly Readonly<RequestUnderWay<Op>>[];
  /** Applied, with the final answer still to come, in the order in which that was learned. */
  readonly waiting: readonly number[];
  readonly pendingFrom: number;
}

/** A sequence is under way until its final answer, which counts once. */
export class HolderRequests<Op> {
  private readonly unapplied = new SequenceMap<RequestUnderWay<Op>>();
  private readonly waiting = new Set<number>();
  private pendingFrom = 0;

  /** How many are not known to be applied. */
  get size(): number {
    return this.unapplied.size;
  }

  /** The first that is not known to be applied. */
  get lowest(): number | undefined {
    return this.unapplied.lowest;
  }

  submitted(seq: number, op: Op, nowMs: number): void {
    this.unapplied.set(seq, { seq, op, sentAtMs: nowMs });
  }

  /** True if the answer is news. */
  answered(seq: number, isInterim: boolean): boolean {
    const isNew = this.unapplied.delete(seq);
    if (!isInterim) return this.waiting.delete(seq) || isNew;
    if (isNew) this.waiting.add(seq);
    return isNew;
  }

  /** What was sent so long ago that it may be lost. */
  late(nowMs: number, afterMs: number): readonly number[] {
    return this.unapplied.numbers().filter((seq) => nowMs - (this.unapplied.get(seq)?.sentAtMs ?? Infinity) >= afterMs);
  }

  /** All that are not known to be applied. */
  numbers(): readonly number[] {
    return this.unapplied.numbers();
  }

  /** Those of them that are not known to be applied, to be sent once more. */
  again(seqs: readonly number[], nowMs: number): readonly Op[] {
    const ops: Op[] = [];
    for (const seq of seqs) {
      const entry = this.unapplied.get(seq);
      if (!entry) continue;
      entry.sentAtMs = nowMs;
      ops.push(entry.op);
    }
    return ops;
  }

  /** What the next keep-alive asks after. */
  nextPending(): number[] {
    const all = [...this.unapplied.numbers(), ...this.waiting];
    if (all.length <= pendingMax) return all;
    const from = this.pendingFrom % all.length;
    this.pendingFrom = from + pendingMax;
    return [...all.slice(from), ...all.slice(0, from)].slice(0, pendingMax);
  }

  clear(): void {
    this.unapplied.clear();
    this.waiting.clear();
  }

  snapshot(): HolderRequestsSnapshot<Op> {
    const { pendingFrom } = this;
    return { unapplied: this.unapplied.values().map((entry) => ({ ...entry })), waiting: [...this.waiting], pendingFrom };
  }

  restore({ unapplied, waiting, pendingFrom }: HolderRequestsSnapshot<Op>): void {
    this.clear();
    for (const entry of unapplied) this.unapplied.set(entry.seq, { ...entry });
    for (const seq of waiting) this.waiting.add(seq);
    this.pendingFrom = pendingFrom;
  }
}
