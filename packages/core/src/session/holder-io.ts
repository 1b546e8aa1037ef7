/** What goes into a session's holder and what comes out of it. */
import type { Instant } from '../time/clock.ts';
import type { SessionKey } from './command.ts';
import type { HolderCoverSnapshot } from './holder-cover.ts';
import type { HolderLeaseSnapshot } from './holder-lease.ts';
import type { HolderRequestsSnapshot } from './holder-requests.ts';
import type { HolderWatchSnapshot, WatchChange } from './holder-watch.ts';
import type { OpenRefused, SessionMessage } from './message.ts';

export interface HolderOptions<Op, Result, State> {
  readonly ttlMs: number;
  /** How long a request or an open may be unanswered before it is sent again. */
  readonly resendMs: number;
  /** A text that no other holder ever uses: opens are told apart by it. */
  readonly instance: string;
  /** Most requests that may wait for their application. */
  readonly outstandingMax: number;
  /** What one frame has room for, and what a request takes of it. Parts of the watch list are cut to it too. */
  readonly submitBytesMax: () => number;
  readonly sizeOfOp: (op: Op) => number;
  /** Reads the fields that the holder needs of a result: its sequence, and whether a final answer is still to come. */
  readonly seqOf: (result: Result) => number;
  readonly isInterim: (result: Result) => boolean;
  /** What a state is of. */
  readonly resourceOf: (state: State) => string;
}

export type HolderEvent =
  | { readonly type: 'sessionOpened'; readonly session: SessionKey; readonly ttlMs: number }
  | { readonly type: 'sessionRefused'; readonly reason: OpenRefused['reason']; readonly waitMs: number }
  | { readonly type: 'sessionJeopardy'; readonly session: SessionKey; readonly remainingMs: number }
  | { readonly type: 'sessionHealthy'; readonly session: SessionKey }
  | { readonly type: 'sessionLost'; readonly session: SessionKey; readonly reason: SessionLoss };

export type SessionLoss = 'expired here' | 'ended by the group' | 'founding replaced' | 'closed';

export interface HolderOutput<Op, Result, State> {
  /** To the leader. */
  readonly send: SessionMessage<Op, Result, State>[];
  readonly results: Result[];
  readonly states: State[];
  /** What each answered keep-alive covers, where there is anything to cover. */
  readonly covered: (readonly number[])[];
  readonly events: HolderEvent[];
}

export type HolderInput<Op, Result, State> =
  | { readonly type: 'message'; readonly message: SessionMessage<Op, Result, State>; readonly at: Instant }
  | { readonly type: 'tick'; readonly at: Instant }
  /** A leader appeared or changed, or the connection came back: everything unanswered is said again. */
  | { readonly type: 'leaderChanged'; readonly at: Instant }
  | { readonly type: 'foundingReplaced'; readonly at: Instant }
  | { readonly type: 'open'; readonly at: Instant }
  | ({ readonly type: 'watch'; readonly at: Instant } & WatchChange)
  /** There is something new to cover: a keep-alive leaves now. */
  | { readonly type: 'cover'; readonly at: Instant }
  | { readonly type: 'close'; readonly at: Instant };

/**
 * From nothing to a session and back: `confirming` until the first keep-alive under it is answered. `hasLeft`: a leader was asked and has
 * not refused, so there may be a session; `isClosing`: it is to end as soon as its number is known; `waits`: it was told that the group is
 * not open yet, and is told once it is.
 */
export type HolderPhase =
  | { readonly type: 'idle' }
  | { readonly type: 'opening'; readonly nonce: string; sentAtMs: number; hasLeft: boolean; isClosing: boolean; waits: boolean }
  | { readonly type: 'confirming' | 'open'; readonly session: SessionKey; readonly ttlMs: number }
  | { readonly type: 'closing'; readonly session: SessionKey; sentAtMs: number };

export interface RequestUnderWay<Op> {
  readonly seq: number;
  readonly op: Op;
  sentAtMs: number;
}

/** A holder between two steps, as plain data. It keeps nothing of the options: a holder is restored under the same ones. */
export interface HolderSnapshot<Op> {
  readonly phase: Readonly<HolderPhase>;
  readonly openings: number;
  readonly replaces: SessionKey;
  readonly refusedFor: OpenRefused['reason'] | null;
  readonly nextSeq: number;
  readonly requests: HolderRequestsSnapshot<Op>;
  readonly unsent: readonly { readonly seq: number; readonly op: Op }[];
  readonly lease: HolderLeaseSnapshot;
  readonly cover: HolderCoverSnapshot;
  readonly beatDueMs: number;
  readonly jeopardy: boolean;
  readonly watch: HolderWatchSnapshot;
}
