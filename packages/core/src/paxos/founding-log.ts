/**
 * What a broker's log of foundings comes to: which record is the group's, and whether it is complete. A function of the log alone, so
 * that all who read it agree. The safety rule 22; `docs/protocol.md`, "Founding by count".
 */
import { unreachable } from '../errors.ts';
import type { Seat } from './configuration.ts';
import { isVoter } from './configuration.ts';
import type { FoundingRecord } from './founding-message.ts';

export type FoundingEntry =
  | { readonly type: 'record'; readonly record: FoundingRecord }
  /** A member of the record takes its seat, for good: its own store says so by then. */
  | { readonly type: 'joined'; readonly founding: string; readonly seat: Seat }
  /** An operator's word that a group has lost its majority for good. `tokenSecond`: of the highest token that anyone of it remembered. */
  | { readonly type: 'ended'; readonly founding: string; readonly tokenSecond: number };

/** What a founder asks of the log. Each is answered with the log as it is afterwards, or with a failure. */
export type ArbiterRequest =
  { readonly type: 'read' } | { readonly type: 'append'; readonly position: number; readonly entry: FoundingEntry };

export type ArbiterAnswer = { readonly type: 'log'; readonly entries: readonly FoundingEntry[] } | { readonly type: 'failed' };

/**
 * 1. The first record counts. A later one counts, and replaces the one before, only if that is not complete where it stands.
 * 2. A record is complete once each of its members has joined it. Nobody votes in it before, so that one which was replaced is one in
 *    which nobody voted and nobody ever will: the log says it durably, for members that are gone as well.
 * 3. Joining another record than the one that counts, or without being listed there, means nothing.
 * 4. Ending counts for the record that counts, and only once it is complete. Then none counts until the next one does.
 */
export class FoundingLog {
  private counting: FoundingRecord | null = null;
  private readonly joined = new Set<string>();
  private readonly foundings = new Set<string>();
  private readonly ended = new Set<string>();
  private highestSecond = 0;
  private longestTtlMs = 0;
  private entries = 0;

  constructor(entries: readonly FoundingEntry[] = []) {
    for (const entry of entries) this.take(entry);
  }

  /** The record that counts. */
  get current(): FoundingRecord | null {
    return this.counting;
  }

  get isComplete(): boolean {
    return this.counting !== null && this.counting.configuration.voters.every((seat) => this.hasJoined(seat));
  }

  /** Where the next entry would stand. */
  get length(): number {
    return this.entries;
  }

  /** Above every record that ever counted: tokens of the next founding start higher, and its leases may be as long. */
  get tokenSecond(): number {
    return this.highestSecond;
  }

  get maxSessionTtlMs(): number {
    return this.longestTtlMs;
  }

  /** Members of the record that counts which have not joined it. */
  get missing(): readonly Seat[] {
    return this.counting?.configuration.voters.filter((seat) => !this.hasJoined(seat)) ?? [];
  }

  hasJoined({ incarnation }: Seat): boolean {
    return this.joined.has(incarnation);
  }

  /** It counts, or did. */
  knows(founding: string): boolean {
    return this.foundings.has(founding);
  }

  /** There was a group before the one that the log names, or will. */
  get hasAnyEnded(): boolean {
    return this.ended.size > 0;
  }

  /** It counted, and an operator said that it is over. */
  hasEnded(founding: string): boolean {
    return this.ended.has(founding);
  }

  private take(entry: FoundingEntry): void {
    this.entries += 1;
    switch (entry.type) {
      case 'record':
        return this.takeRecord(entry.record);
      case 'joined':
        return this.takeJoined(entry.founding, entry.seat);
      case 'ended':
        return this.takeEnded(entry.founding, entry.tokenSecond);
      default:
        return unreachable(entry);
    }
  }

  private takeRecord(record: FoundingRecord): void {
    if (this.isComplete) return;
    this.counting = record;
    this.joined.clear();
    this.foundings.add(record.configuration.founding);
    this.highestSecond = Math.max(this.highestSecond, record.tokenSecond);
    this.longestTtlMs = Math.max(this.longestTtlMs, record.maxSessionTtlMs);
  }

  private takeJoined(founding: string, seat: Seat): void {
    const current = this.counting?.configuration;
    if (current?.founding === founding && isVoter(current, seat)) this.joined.add(seat.incarnation);
  }

  private takeEnded(founding: string, tokenSecond: number): void {
    if (!this.isComplete || this.counting?.configuration.founding !== founding) return;
    this.counting = null;
    this.joined.clear();
    this.ended.add(founding);
    this.highestSecond = Math.max(this.highestSecond, tokenSecond);
  }
}
