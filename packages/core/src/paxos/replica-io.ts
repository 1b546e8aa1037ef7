/** What goes into a replica of the log and what comes out of it. `docs/protocol.md`, "The replica". */
import type { Random } from '../time/random.ts';
import type { ReplicaRecord } from './acceptor.ts';
import type { Ballot, Proposer } from './ballot.ts';
import type { Configuration } from './configuration.ts';
import type { ChosenEntry } from './log.ts';
import type { PaxosMessage, Slot, Vote } from './message.ts';

export type { ReplicaRecord } from './acceptor.ts';

export interface ReplicaTiming {
  readonly heartbeatMs: number;
  /** The shortest silence after which a follower canvasses; the longest is twice that. The leader lease has this length too. */
  readonly electionTimeoutMs: number;
  /** No longer lease is granted; a replica restarted with its memory waits this long before it promises anything. */
  readonly leaseMaxMs: number;
}

export interface ReplicaLimits<V> {
  /** Most bytes of values in one frame. */
  readonly messageBytesMax: number;
  readonly sizeOf: (value: V) => number;
}

export interface ReplicaOptions<V> {
  readonly self: Proposer;
  readonly configuration: Configuration;
  readonly timing: ReplicaTiming;
  readonly random: Random;
  readonly limits: ReplicaLimits<V>;
  /** The first value of a new leader, naming its ballot. */
  readonly begin: (ballot: Ballot) => V;
  readonly nowMs: number;
  /** What storage kept of an earlier run; absent for a first one. */
  readonly memory?: ReplicaMemory<V>;
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
  | { readonly type: 'steppedDown'; readonly ballot: Ballot; readonly reason: 'outbid' | 'majority silent' | 'handed over' }
  | { readonly type: 'following'; readonly ballot: Ballot };

/** Fields in the order in which they are carried out: nothing is sent before `persist` is durable, nothing applied before that. */
export interface ReplicaOutput<V> {
  readonly persist: ReplicaRecord<V>[];
  readonly send: ReplicaSend<V>[];
  readonly apply: readonly ChosenEntry<V>[];
  readonly events: ReplicaEvent[];
}

export type ReplicaInput<V> =
  | { readonly type: 'message'; readonly from: Proposer; readonly message: PaxosMessage<V>; readonly nowMs: number }
  | { readonly type: 'propose'; readonly value: V; readonly nowMs: number }
  | { readonly type: 'tick'; readonly nowMs: number }
  /** The end of a turn: cumulative acknowledgements leave. */
  | { readonly type: 'flush'; readonly nowMs: number }
  /** Stop leading in good order; the candidate named, if any, canvasses without waiting. */
  | { readonly type: 'resign'; readonly nowMs: number };
