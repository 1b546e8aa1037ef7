/** What goes into a replica of the log and what comes out of it. `docs/protocol.md`, "The replica". */
import type { Random } from '../time/random.ts';
import type { ReplicaRecord } from './acceptor.ts';
import type { Ballot, Proposer } from './ballot.ts';
import type { Configuration } from './configuration.ts';
import type { ChosenEntry, Log } from './log.ts';
import type { Chosen, PaxosMessage, Slot, Vote } from './message.ts';

export type { ReplicaRecord } from './acceptor.ts';

export interface ReplicaTiming {
  readonly heartbeatMs: number;
  /** The shortest silence after which a follower canvasses; the longest is twice that. The leader lease has this length too. */
  readonly electionTimeoutMs: number;
  /** No longer lease is granted; a replica restarted with its memory waits this long before it promises anything. */
  readonly leaseMaxMs: number;
  /** How long an earlier run of this seat may act without knowing of this one; added to that wait. Default 0. */
  readonly zombieMs?: number;
}

export interface ReplicaLimits<V> {
  /** Most bytes of values in one frame. */
  readonly messageBytesMax: number;
  readonly sizeOf: (value: V) => number;
  /** So many slots stay in the log though all voters applied them, for newcomers who have yet to; none unless said. */
  readonly slotsKept?: number;
  /** No more slots and bytes than these stay in the log, whoever has yet to apply them; without limits unless said. */
  readonly slotsMax?: number;
  readonly bytesMax?: number;
}

export interface ReplicaOptions<V> {
  readonly self: Proposer;
  readonly configuration: Configuration;
  readonly timing: ReplicaTiming;
  readonly random: Random;
  readonly limits: ReplicaLimits<V>;
  /** The first value of a new leader, naming its ballot. */
  readonly begin: (ballot: Ballot) => V;
  /** True for a value that may end this configuration when it is applied; absent where none does. */
  readonly isStopSign?: (value: V) => boolean;
  readonly nowMs: number;
  /** What storage kept of an earlier run; absent for a first one. */
  readonly memory?: ReplicaMemory<V>;
  /** What storage kept may be less than what was said: until `trust` it learns, and does nothing else. */
  readonly isInDoubt?: boolean | undefined;
  /** How this configuration came out of an earlier one; absent for that of the founding, and after a restart. */
  readonly succession?: Succession<V>;
}

/** What a replica takes over from the configuration before its own. Neither promises nor votes nor leases are among it. */
export interface Succession<V> {
  /** Sealed. */
  readonly log: Log<V>;
  /** Rounds go on rising, so that no ballot of one configuration is one of another. */
  readonly highestSeen: Ballot;
  /** It led, or is first in line for another reason: it canvasses at once, and again each period. */
  readonly isFirst: boolean;
}

/** What a replica must find again: promises and votes never fall behind what was said. */
export interface ReplicaMemory<V> {
  readonly floor: Slot;
  readonly promised: Ballot;
  /** Everything kept up to here is chosen. */
  readonly chosenIndex: Slot;
  readonly votes: readonly Vote<V>[];
  readonly learned: readonly ChosenEntry<V>[];
}

export type ReplicaDestination = { readonly type: 'all' } | { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };

export interface ReplicaSend<V> {
  readonly to: ReplicaDestination;
  readonly message: PaxosMessage<V>;
}

export type ReplicaEvent =
  | { readonly type: 'canvassing'; readonly ballot: Ballot }
  | { readonly type: 'leading'; readonly ballot: Ballot; readonly beginSlot: Slot; readonly adopted: number; readonly filled: number }
  | { readonly type: 'steppedDown'; readonly ballot: Ballot; readonly reason: 'outbid' | 'majority silent' | 'handed over' | 'moved' }
  | { readonly type: 'following'; readonly ballot: Ballot }
  /**
   * The lease that this leader asks for, `theirsMs` (its election timeout), is more than is granted where one's own is `oursMs`: while
   * that is so it leads by the others, or not at all. Once for each sender and configuration.
   */
  | { readonly type: 'timingDiffers'; readonly node: string; readonly theirsMs: number; readonly oursMs: number };

/** Fields in the order in which they are carried out: nothing is sent before `persist` is durable, nothing applied before that. */
export interface ReplicaOutput<V> {
  readonly persist: ReplicaRecord<V>[];
  readonly send: ReplicaSend<V>[];
  readonly apply: readonly ChosenEntry<V>[];
  readonly events: ReplicaEvent[];
}

/**
 * `nowMs` is monotonic time. `wallMs` is calendar time: a leader gives its lease up by whichever clock ran faster. Absent where there
 * is one clock only.
 */
interface Moment {
  readonly nowMs: number;
  readonly wallMs?: number;
}

export type ReplicaInput<V> =
  | ({ readonly type: 'message'; readonly from: Proposer; readonly message: PaxosMessage<V> } & Moment)
  /** Values that another replica applied, from whichever configuration: final, and nobody's vote. */
  | ({ readonly type: 'chosen'; readonly message: Chosen<V> } & Moment)
  | ({ readonly type: 'propose'; readonly value: V } & Moment)
  /** What was handed out took effect up to here, and no stop-sign among it ended the configuration. */
  | ({ readonly type: 'applied'; readonly upTo: Slot } & Moment)
  /** The state up to there came by a snapshot: the log goes on above it. */
  | ({ readonly type: 'installed'; readonly upTo: Slot } & Moment)
  | ({ readonly type: 'tick' } & Moment)
  /** The end of a turn: cumulative acknowledgements leave. */
  | ({ readonly type: 'flush' } & Moment)
  /** Stop leading in good order; the successor, by name or the one that has most of the log, canvasses without waiting. */
  | ({ readonly type: 'resign'; readonly successor?: string } & Moment);
