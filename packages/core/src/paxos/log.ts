/** The log of one replica: its votes, and which of them it knows to be chosen. "Paxos Made Simple" §3. */
import { invariant } from '../errors.ts';
import type { Ballot } from './ballot.ts';
import type { Slot, Vote } from './message.ts';

interface LogEntry<V> {
  /** The ballot of this replica's own vote; null where the value was learned without voting. */
  ballot: Ballot | null;
  value: V | null;
  chosen: boolean;
}

export interface ChosenEntry<V> {
  readonly slot: Slot;
  /** `null` is a no-op. */
  readonly value: V | null;
}

/** Entries are cut off in runs of this many, so that forgetting costs nothing per slot. */
const compactionRun = 1024;

/**
 * 1. floor ≤ chosenIndex, and every slot in between is present and chosen.
 * 2. A chosen entry never changes its value.
 * 3. Every slot up to `chosenIndex` was handed out by `takeChosen` once, in order, or lies at or under the floor it started with.
 */
export class Log<V> {
  /** Slots at or under it are forgotten: every voter applied them. */
  floor: Slot;
  /** Everything up to here is chosen and known. */
  chosenIndex: Slot;
  private base: Slot;
  private taken: Slot;
  private entries: (LogEntry<V> | undefined)[] = [];

  constructor(floor: Slot = 0) {
    this.floor = floor;
    this.base = floor;
    this.chosenIndex = floor;
    this.taken = floor;
  }

  /** Forgets everything, as if it had begun above `floor`. */
  reset(floor: Slot): void {
    this.floor = floor;
    this.base = floor;
    this.chosenIndex = floor;
    this.taken = floor;
    this.entries = [];
  }

  /** The highest slot with a vote or a value, or the floor. */
  get lastSlot(): Slot {
    return this.base + this.entries.length;
  }

  vote(slot: Slot): { readonly ballot: Ballot; readonly value: V | null } | undefined {
    const entry = this.at(slot);
    return entry?.ballot ? { ballot: entry.ballot, value: entry.value } : undefined;
  }

  isChosen(slot: Slot): boolean {
    return slot <= this.chosenIndex || (this.at(slot)?.chosen ?? false);
  }

  valueAt(slot: Slot): V | null | undefined {
    return this.at(slot)?.value;
  }

  /** Keeps a vote. A slot known to be chosen keeps its value: any later vote there is for the same one. */
  keepVote(slot: Slot, ballot: Ballot, value: V | null): void {
    const entry = this.at(slot);
    if (!entry) this.put(slot, { ballot, value, chosen: false });
    else {
      entry.ballot = ballot;
      if (!entry.chosen) entry.value = value;
    }
  }

  /** Marks the present vote of a slot as chosen. */
  choose(slot: Slot): void {
    const entry = this.at(slot);
    if (!entry) return;
    entry.chosen = true;
    this.advance();
  }

  /** Keeps a value that another replica knows to be chosen. */
  learn(slot: Slot, value: V | null): void {
    if (slot <= this.chosenIndex) return;
    const entry = this.at(slot);
    if (!entry) this.put(slot, { ballot: null, value, chosen: true });
    else {
      entry.value = value;
      entry.chosen = true;
    }
    this.advance();
  }

  /** What became known since the last call, in order of slots. */
  takeChosen(): readonly ChosenEntry<V>[] {
    if (this.taken === this.chosenIndex) return none;
    const chosen: ChosenEntry<V>[] = [];
    while (this.taken < this.chosenIndex) {
      this.taken += 1;
      chosen.push({ slot: this.taken, value: this.at(this.taken)?.value ?? null });
    }
    return chosen;
  }

  /**
   * Votes above `slot`, for a promise to `candidate`. What is known to be chosen is reported under the candidate's own ballot, above
   * every vote: a slot that was learned behind a gap must be adopted although this replica may never have voted there.
   */
  votesAbove(slot: Slot, candidate: Ballot): Vote<V>[] {
    const votes: Vote<V>[] = [];
    for (let at = Math.max(slot, this.base) + 1; at <= this.lastSlot; at += 1) {
      const entry = this.at(at);
      if (!entry) continue;
      if (entry.chosen) votes.push({ slot: at, ballot: candidate, value: entry.value });
      else if (entry.ballot) votes.push({ slot: at, ballot: entry.ballot, value: entry.value });
    }
    return votes;
  }

  /** Forgets slots that nobody will ask for again. */
  compactTo(slot: Slot): void {
    const floor = Math.min(slot, this.taken);
    if (floor <= this.floor) return;
    this.floor = floor;
    if (floor - this.base < compactionRun) return;
    this.entries.splice(0, floor - this.base);
    this.base = floor;
  }

  private advance(): void {
    while (this.at(this.chosenIndex + 1)?.chosen) this.chosenIndex += 1;
  }

  private at(slot: Slot): LogEntry<V> | undefined {
    return this.entries[slot - this.base - 1];
  }

  private put(slot: Slot, entry: LogEntry<V>): void {
    invariant(slot > this.base, `slot ${slot} lies above the forgotten part of the log (${this.base})`);
    const index = slot - this.base - 1;
    while (this.entries.length < index) this.entries.push(undefined);
    this.entries[index] = entry;
  }
}

const none: readonly never[] = [];
