/** What voters say to one another about the log. `docs/protocol.md`, "Messages of the log". */
import type { Ballot } from './ballot.ts';
import type { Configuration } from './configuration.ts';

/** The position of a value in the log of one configuration; the first is 1. */
export type Slot = number;

/** A vote kept by an acceptor, or reported by one. `value` is `null` for a no-op. */
export interface Vote<V> {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly value: V | null;
}

export type PaxosMessage<V> =
  Canvass | Support | Prepare | PromiseMade<V> | Reject | Accept<V> | Accepted | Heartbeat | HeartbeatSeen | Abdicate | Fetch | Chosen<V>;

/** Pre-vote: "would you promise this ballot?" Changes nothing at anyone, so a returning voter deposes nobody. */
export interface Canvass {
  readonly type: 'canvass';
  readonly ballot: Ballot;
}

export interface Support {
  readonly type: 'support';
  readonly ballot: Ballot;
}

/** Phase 1a for every slot above `chosenIndex`, up to which the candidate knows the log. */
export interface Prepare {
  readonly type: 'prepare';
  readonly ballot: Ballot;
  readonly chosenIndex: Slot;
}

/**
 * Phase 1b. `chosenIndex` and `floor` are the sender's: a candidate below `chosenIndex` fetches first. `votes` holds what the
 * sender accepted above both chosen indexes, in `parts` frames where one would be too large; it counts when all have come.
 */
export interface PromiseMade<V> {
  readonly type: 'promise';
  readonly ballot: Ballot;
  readonly chosenIndex: Slot;
  /** Slots at or under it are compacted away at the sender. */
  readonly floor: Slot;
  readonly part: number;
  readonly parts: number;
  readonly votes: readonly Vote<V>[];
}

/** Refusal of a canvass, prepare or accept: the ballot to beat, and how long the sender's lease to another binds it yet. */
export interface Reject {
  readonly type: 'reject';
  readonly ballot: Ballot;
  readonly promised: Ballot;
  readonly leaseRemainingMs: number;
}

/** Phase 2a. Everything up to `chosenIndex` is chosen; the proposer's own vote was durable before this left. */
export interface Accept<V> {
  readonly type: 'accept';
  readonly ballot: Ballot;
  readonly slot: Slot;
  readonly value: V | null;
  /** The first slot that this ballot proposes in: cumulative acknowledgements count from it. */
  readonly firstSlot: Slot;
  readonly chosenIndex: Slot;
}

/** Phase 2b, cumulative: every slot of the ballot up to `upTo`, and those of `beyond` above a gap. */
export interface Accepted {
  readonly type: 'accepted';
  readonly ballot: Ballot;
  readonly upTo: Slot;
  readonly beyond: readonly Slot[];
}

/** From the leader to everyone, once a period. `connected` names the voters that acknowledged within an election timeout. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly ballot: Ballot;
  readonly id: number;
  readonly chosenIndex: Slot;
  readonly leaseMs: number;
  readonly connected: readonly string[];
  /** Every voter has applied the log up to here, so it may be forgotten. */
  readonly compactTo: Slot;
}

/** A voter's answer, granting the lease of heartbeat `id`. */
export interface HeartbeatSeen {
  readonly type: 'heartbeatSeen';
  readonly ballot: Ballot;
  readonly id: number;
  readonly appliedIndex: Slot;
}

/** A leader that stopped serving in `ballot` for good frees its granters; `successor` need not wait for its election timeout. */
export interface Abdicate {
  readonly type: 'abdicate';
  readonly ballot: Ballot;
  /** Empty for nobody in particular. */
  readonly successor: string;
}

/** The answer to whoever speaks in an earlier configuration: which there is, and where the log of the one before it ends. */
export interface Moved {
  readonly type: 'moved';
  readonly configuration: Configuration;
  readonly sealedAt: Slot;
}

/** What a standby answers to a heartbeat, whose id is its nonce: that it lives, and what it has applied. Nobody's vote. */
export interface StandbySeen {
  readonly type: 'standbySeen';
  readonly ballot: Ballot;
  readonly id: number;
  readonly appliedIndex: Slot;
}

export interface Fetch {
  readonly type: 'fetch';
  readonly from: Slot;
  readonly to: Slot;
}

/** Chosen values from slot `from` on. Nobody's vote. */
export interface Chosen<V> {
  readonly type: 'chosen';
  readonly from: Slot;
  readonly values: readonly (V | null)[];
  readonly chosenIndex: Slot;
  readonly floor: Slot;
}
