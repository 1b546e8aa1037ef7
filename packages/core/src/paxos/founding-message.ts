/** What nodes say before, while and after a group is founded. The safety rules 11 to 14; `docs/protocol.md`, "Founding". */
import type { Configuration } from './configuration.ts';
import type { Voters } from './voters.ts';

export type FoundingMessage = Hello | Greeting | Found | FoundingAccepted | FoundingConfirmed;

/** "Who is there?" with a fresh nonce. Anyone with something to say answers with a greeting that echoes it. */
export interface Hello {
  readonly type: 'hello';
  readonly nonce: string;
  /** The voters the sender is configured with; names are sorted. */
  readonly voters: Voters;
  readonly wallMs: number;
}

/** An answer that proves its sender lives now. A retained or replayed greeting echoes no nonce that anyone waits for. */
export interface Greeting {
  readonly type: 'greeting';
  readonly nonce: string;
  readonly voters: Voters;
  readonly wallMs: number;
  /** The second (since 2020) of the highest token the sender remembers, 0 for none. */
  readonly tokenSecond: number;
  readonly longestTtlMs: number;
  /** An earlier founding that the sender gave up, took part in or was told of, and knows no complete one after: the next replaces it. */
  readonly replaces?: string | undefined;
  readonly standing: Standing;
  /** The record the sender accepted, where it has one. */
  readonly record: FoundingRecord | null;
}

/**
 * - `unfounded`: a configured voter, or a candidate, that has accepted no record. `accepted`: one record, completion unknown.
 * - `founded`: knows that its record is complete. `led`: a leader that a majority acknowledges says so.
 * - `live`: a client, or a voter that came back without its memory. `bereft`: as `founded`, and a majority of its group is lost.
 */
export type Standing = 'unfounded' | 'accepted' | 'founded' | 'led' | 'live' | 'bereft';

/** Its sender knows that its record is complete, so that there is a group, or was one that this sender keeps its word to. */
export function provesFounding(standing: Standing): boolean {
  return standing === 'founded' || standing === 'led' || standing === 'bereft';
}

/**
 * 1. Lists exactly the configured voters, or as many candidates as were asked for, each in one incarnation.
 * 2. An incarnation accepts at most one record, ever; where a broker's log decides, at most one that counts.
 * 3. Complete when every founder accepted it; nobody votes before it knows that.
 */
export interface FoundingRecord {
  readonly configuration: Configuration;
  /** Seconds since 2020 above which the tokens of this founding start. */
  readonly tokenSecond: number;
  /** The longest session TTL that this group will ever grant; nothing is granted before it has passed. */
  readonly maxSessionTtlMs: number;
  /** The user's word that there was no earlier life, so that the opening wait is skipped. */
  readonly firstFounding: boolean;
  /** The founding that this one replaces, where a founder knows of one; then nobody's word makes it the first. */
  readonly replaces?: string | undefined;
}

/**
 * To be kept: what this member is a voter of from now on. The promise and the votes above `sealedAt`, which it gave in the configuration
 * before, are void with it.
 */
export interface ConfigurationRecord {
  readonly type: 'configuration';
  /** Of the founding, with the configuration that begins. */
  readonly record: FoundingRecord;
  readonly sealedAt: number;
}

/** The proposal of a record by the first founder in order of names. */
export interface Found {
  readonly type: 'found';
  readonly record: FoundingRecord;
}

/** The sender, in the incarnation of its frame, accepted the record of this founding. */
export interface FoundingAccepted {
  readonly type: 'foundingAccepted';
  readonly founding: string;
}

/** The sender knows that every founder accepted. */
export interface FoundingConfirmed {
  readonly type: 'foundingConfirmed';
  readonly founding: string;
}
