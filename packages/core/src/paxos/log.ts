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

/**
 * No vote and no value is taken further above the known part of the log than this. Whoever is that far behind fetches first, and a
 * frame that names a slot at random costs no memory for all the slots below it.
 */
export const slotsAheadMax = 65_536;

/** Entries are cut off in runs of this many, so that forgetting costs nothing per slot. */
const compactionRun = 1024;

/**
 * 1. floor ≤ chosenIndex, and every slot in between is present and chosen.
 * 2. A chosen entry never changes its value.
 * 3. Every slot up to `chosenIndex` was handed out by `takeChosen` once, in order, or lies at or under the floor it started with.
 * 4. Nothing that was voted for or chosen above a seal before it was set is in it afterwards.
 */
export class Log<V> {
  /** Slots at or under it are forgotten: every voter applied them. */
  floor: Slot;
  /** Everything up to here is chosen and known. */
  chosenIndex: Slot;
  /** Grows with every change, so that whoever looks again need not look at all slots. */
  revision = 0;
  /** Nothing above it is forgotten: somebody is on the way to it, or it is the index of the snapshot that a store is about to hold. */
  keepAbove: Slot = Infinity;
  private base: Slot;
  private taken: Slot;
  /** Votes at or under it were given in an earlier configuration: their values are chosen, and the votes are void. */
  private sealed: Slot = 0;
  private entries: (LogEntry<V> | undefined)[] = [];
  /** Of the slots up to `measuredTo`, from the floor on. */
  private sizes: number[] = [];
  private bytes = 0;
  private measuredTo: Slot = 0;

  constructor(floor: Slot = 0) {
    this.floor = floor;
    this.base = floor;
    this.chosenIndex = floor;
    this.taken = floor;
  }

  /** Forgets everything, as if it had begun above `floor`. */
  reset(floor: Slot): void {
    this.revision += 1;
    this.floor = floor;
    this.base = floor;
    this.chosenIndex = floor;
    this.taken = floor;
    this.sealed = 0;
    this.entries = [];
    this.forgetAllSizes(floor);
  }

  /**
   * Ends the configuration that decided so far: what it holds above `slot` is void, even if it was chosen, and its votes are nobody's
   * in the next one. The safety rule 1.
   */
  sealAt(slot: Slot): void {
    invariant(slot <= this.chosenIndex && slot >= this.floor, `the log is known up to its stop-sign in slot ${slot}`);
    this.revision += 1;
    this.entries.length = Math.max(0, Math.min(this.entries.length, slot - this.base));
    this.chosenIndex = slot;
    this.taken = slot;
    this.sealed = slot;
    // Beyond it nothing is kept, so that nothing beyond it is measured.
    this.forgetAllSizes(this.floor);
  }

  /** Goes on above a snapshot: whatever it lacks or holds up to `slot` is in the state that was taken up. The safety rule 2. */
  skipTo(slot: Slot): void {
    if (slot <= this.chosenIndex) return;
    this.revision += 1;
    this.entries.splice(0, slot - this.base);
    this.base = slot;
    this.floor = slot;
    this.chosenIndex = slot;
    this.taken = slot;
    this.forgetAllSizes(slot);
    this.advance();
  }

  /** The highest slot with a vote or a value, or the floor. */
  get lastSlot(): Slot {
    return this.base + this.entries.length;
  }

  vote(slot: Slot): { readonly ballot: Ballot; readonly value: V | null } | undefined {
    const entry = this.at(slot);
    return entry?.ballot && slot > this.sealed ? { ballot: entry.ballot, value: entry.value } : undefined;
  }

  /** False for what lies too far ahead to be kept. */
  reaches(slot: Slot): boolean {
    return slot - this.chosenIndex <= slotsAheadMax;
  }

  isChosen(slot: Slot): boolean {
    return slot <= this.chosenIndex || (this.at(slot)?.chosen ?? false);
  }

  valueAt(slot: Slot): V | null | undefined {
    return this.at(slot)?.value;
  }

  /** Keeps a vote. A slot known to be chosen keeps its value: any later vote there is for the same one. */
  keepVote(slot: Slot, ballot: Ballot, value: V | null): void {
    this.revision += 1;
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
    this.revision += 1;
    entry.chosen = true;
    this.advance();
  }

  /** Keeps a value that another replica knows to be chosen. */
  learn(slot: Slot, value: V | null): void {
    if (slot <= this.chosenIndex) return;
    this.revision += 1;
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

  /** The lowest floor at which no more than so many slots and bytes are kept. */
  floorWithin(slotsMax: number, bytesMax: number, sizeOf: (value: V) => number): Slot {
    const floor = this.chosenIndex - slotsMax;
    return bytesMax === Infinity ? floor : Math.max(floor, this.floorByBytes(bytesMax, sizeOf));
  }

  /** Values are measured once, when they are known to be chosen. */
  private floorByBytes(bytesMax: number, sizeOf: (value: V) => number): Slot {
    for (this.measuredTo = Math.max(this.measuredTo, this.floor); this.measuredTo < this.taken;) {
      this.measuredTo += 1;
      const value = this.at(this.measuredTo)?.value ?? null;
      const bytes = value === null ? 1 : sizeOf(value);
      this.sizes.push(bytes);
      this.bytes += bytes;
    }
    let { bytes } = this;
    let excess = 0;
    while (bytes > bytesMax && excess < this.sizes.length) {
      bytes -= this.sizes[excess] ?? 0;
      excess += 1;
    }
    return this.measuredTo - this.sizes.length + excess;
  }

  /** Forgets slots that nobody will ask for again, or who does must take a snapshot. What a snapshot that is served lacks is kept. */
  compactTo(slot: Slot): void {
    const floor = Math.min(slot, this.taken, this.keepAbove);
    if (floor <= this.floor) return;
    this.forgetSizes(floor);
    this.floor = floor;
    this.revision += 1;
    if (floor - this.base < compactionRun) return;
    this.entries.splice(0, floor - this.base);
    this.base = floor;
  }

  private forgetAllSizes(floor: Slot): void {
    this.sizes = [];
    this.bytes = 0;
    this.measuredTo = floor;
  }

  private forgetSizes(floor: Slot): void {
    const first = this.measuredTo - this.sizes.length + 1;
    for (const bytes of this.sizes.splice(0, Math.max(0, floor - first + 1))) this.bytes -= bytes;
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
