/** Phase 1 of a candidate: who promised, what they had accepted, and what follows from it. "Paxos Made Simple" §3. */
import { compareBallots } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';
import { slotsAheadMax } from './log.ts';
import type { PromiseMade, Slot, Vote } from './message.ts';
import type { ReplicaLimits } from './replica-io.ts';

/** The pages that have come of one answer to the prepare. */
interface PartialPromise<V> {
  readonly run: number;
  readonly chosenIndex: Slot;
  readonly expected: number;
  readonly parts: Map<number, PromiseMade<V>>;
}

/**
 * 1. Only whole promises of distinct voters for this very ballot count; pages of two answers to one prepare are never put together,
 *    for a voter that learned something in between cuts them elsewhere.
 * 2. Per slot the vote of the highest ballot is adopted; a slot that no vote names may be filled with a no-op.
 * 3. Nothing at or under the highest chosen index among the promises is proposed: it is fetched.
 */
export class PhaseOne<V> {
  private readonly partial = new Map<string, PartialPromise<V>>();
  private readonly promisedBy = new Set<string>();
  private readonly highest = new Map<Slot, Vote<V>>();
  private knownBy: { readonly node: string; readonly chosenIndex: Slot } = { node: '', chosenIndex: 0 };

  constructor(
    readonly ballot: Ballot,
    private readonly majority: number,
  ) {}

  get isComplete(): boolean {
    return this.promisedBy.size >= this.majority;
  }

  /** The promiser that knows most of the log, and how much. */
  get mostAdvanced(): { readonly node: string; readonly chosenIndex: Slot } {
    return this.knownBy;
  }

  onPromise({ node, run }: Proposer, promise: PromiseMade<V>): void {
    if (compareBallots(promise.ballot, this.ballot) !== 0 || this.promisedBy.has(node)) return;
    const { chosenIndex, parts: expected } = promise;
    // No voter keeps a vote that far ahead, and every gap below it would be filled with a no-op.
    if (promise.votes.some(({ slot }) => slot - chosenIndex > slotsAheadMax)) return;
    let partial = this.partial.get(node);
    if (partial && chosenIndex < partial.chosenIndex) return;
    if (!partial || partial.run !== run || partial.chosenIndex !== chosenIndex || partial.expected !== expected) {
      partial = { run, chosenIndex, expected, parts: new Map() };
      this.partial.set(node, partial);
    }
    partial.parts.set(promise.part, promise);
    if (partial.parts.size < expected) return;
    this.partial.delete(node);
    this.promisedBy.add(node);
    for (const part of partial.parts.values()) this.count(node, part);
  }

  /** The value to propose in each slot above `chosenIndex`, in order; `null` fills a gap. */
  adopted(chosenIndex: Slot): { readonly slot: Slot; readonly value: V | null }[] {
    let last = chosenIndex;
    for (const slot of this.highest.keys()) last = Math.max(last, slot);
    const values: { readonly slot: Slot; readonly value: V | null }[] = [];
    for (let slot = chosenIndex + 1; slot <= last; slot += 1) values.push({ slot, value: this.highest.get(slot)?.value ?? null });
    return values;
  }

  private count(node: string, promise: PromiseMade<V>): void {
    if (promise.chosenIndex > this.knownBy.chosenIndex) this.knownBy = { node, chosenIndex: promise.chosenIndex };
    for (const vote of promise.votes) {
      const known = this.highest.get(vote.slot);
      if (!known || compareBallots(vote.ballot, known.ballot) > 0) this.highest.set(vote.slot, vote);
    }
  }
}

/** The votes of a promise, cut into pages that each fit into a frame; at least one, be it empty. */
export function pagesOf<V>(votes: readonly Vote<V>[], { messageBytesMax, sizeOf }: ReplicaLimits<V>): Vote<V>[][] {
  const pages: Vote<V>[][] = [[]];
  let bytes = 0;
  for (const vote of votes) {
    const size = vote.value === null ? 1 : sizeOf(vote.value);
    if (bytes > 0 && bytes + size > messageBytesMax) {
      pages.push([]);
      bytes = 0;
    }
    bytes += size;
    pages.at(-1)?.push(vote);
  }
  return pages;
}
