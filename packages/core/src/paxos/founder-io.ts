/** What goes into a founder and what comes out of it. */
import type { Proposer } from './ballot.ts';
import type { ClocksApart } from './clocks-apart.ts';
import type { Seat } from './configuration.ts';
import type { ArbiterAnswer, ArbiterRequest } from './founding-log.ts';
import type { FoundingMessage, FoundingRecord } from './founding-message.ts';
import type { Voters } from './voters.ts';

export interface FounderOptions {
  readonly self: Proposer;
  /** Sorted; contains `self.node`. */
  readonly voters: readonly string[];
  /** How often a founder repeats itself. */
  readonly periodMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  /** How often everybody is asked, once all voters answer, before anything is proposed. Default 0. */
  readonly questionsToAll?: number;
  readonly memory?: FounderMemory | undefined;
}

export interface FounderMemory {
  readonly record: FoundingRecord | null;
  readonly complete: boolean;
  /** True if every founder was known to have confirmed: one that has lost its memory since will not say it again. */
  readonly confirmed?: boolean;
  readonly tokenSecond: number;
  /** Of an earlier group. */
  readonly inherits?: Inheritance | undefined;
}

/** What is known of an earlier founding, by a survivor that gave it up or by somebody's word: the next founding has to begin above it. */
export interface Inheritance {
  readonly founding: string;
  /** Of the highest token that is remembered. */
  readonly tokenSecond: number;
  /** The longest session TTL that it granted. */
  readonly longestTtlMs: number;
}

/** To be kept: what an incarnation has to know before it accepts a record. */
export type InheritedRecord = { readonly type: 'inherited' } & Inheritance;

export type FounderRecord =
  | InheritedRecord
  | { readonly type: 'founding'; readonly record: FoundingRecord; readonly complete: boolean; readonly confirmed?: boolean }
  /** The incarnation is discarded, as if its storage had been wiped: the holder mints another and starts anew. */
  | { readonly type: 'discarded' };

export type FounderEvent =
  | { readonly type: 'votersDiffer'; readonly node: string; readonly theirs: Voters; readonly ours: Voters }
  | ({ readonly type: 'clocksDiffer' } & ClocksApart)
  | { readonly type: 'foundingAccepted'; readonly founding: string }
  | { readonly type: 'founded'; readonly record: FoundingRecord }
  | { readonly type: 'foundingConfirmed'; readonly founding: string }
  /** A seat that knows completion, or a leader with a majority, answered a fresh nonce: there is a group without this incarnation. */
  | { readonly type: 'groupExists'; readonly record: FoundingRecord; readonly told: string }
  /**
   * The broker's log of foundings lacks one that it held before, or that of a living group, of which `told` is one: it is not taken for
   * an empty one, and this process founds nothing.
   */
  | { readonly type: 'foundingNotKept'; readonly founding: string; readonly told: string | null }
  /** `because`: a seat that never accepts the record; or its proposer, who did not know of an earlier group. */
  | { readonly type: 'gaveUp'; readonly founding: string; readonly because: Seat }
  /** An operator ended the founding that this incarnation had a part in, and the incarnation is discarded. */
  | { readonly type: 'foundingEnded'; readonly founding: string };

export interface FounderOutput {
  readonly persist: FounderRecord[];
  /** Once what is persisted is durable. Asked by founders that a broker's log decides for. */
  arbitrate: ArbiterRequest | null;
  readonly send: {
    readonly to: { readonly type: 'all' } | { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };
    readonly message: FoundingMessage;
  }[];
  readonly events: FounderEvent[];
}

export type FounderInput =
  | {
      readonly type: 'message';
      readonly from: Proposer;
      readonly message: FoundingMessage;
      readonly nowMs: number;
      readonly wallMs: number;
    }
  | { readonly type: 'tick'; readonly nowMs: number; readonly wallMs: number }
  | { readonly type: 'arbiter'; readonly answer: ArbiterAnswer; readonly nowMs: number; readonly wallMs: number };
