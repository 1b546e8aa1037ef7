/** What users see of a set of partitions: how it is taken part in, looked at and operated. */
import type { Observable } from 'rxjs';
import type { QuorateError } from '../errors.ts';

export interface PartitionsOptions {
  /** How many partitions the set is made with; where it exists, the group's own number counts (event `parametersDiffer`). At most 16,384. */
  readonly count: number;
  /** How long the partitions of a member whose session ended without a word are kept for its return, in milliseconds. Default 2 s. */
  readonly graceMs?: number;
  /** Joins and leaves within this time, in milliseconds, become one change. Default 250 ms. */
  readonly settleMs?: number;
  /** Key → partition as the broker has it. Default: the transport's own (murmur2 on Kafka, FNV-1a elsewhere). */
  readonly partitionOf?: PartitionOf;
}

export type PartitionOf = (key: string | Uint8Array, count: number) => number;

/**
 * A partition in the hands of this process. As for a lock's lease, two processes never hold valid leases on one partition while clock
 * rates differ by no more than 1 %; beyond that, and after a drain's budget, only the token protects.
 */
export interface OwnedPartition {
  readonly partition: number;
  /** `set/partition`: what tokens of this partition are compared under, and what is stamped on messages beside them. */
  readonly resource: string;
  /** The fencing token: larger than that of every earlier grant of anything in the group. A safe integer. */
  readonly token: number;
  /**
   * Fires when the partition is to be given up: `PARTITION_REVOKED` (finish and return; `valid` stays true until the drain's budget
   * is over), `LEASE_LOST` or `SESSION_LOST` (it is over), or `CLOSED`.
   */
  readonly signal: AbortSignal;
  /** The note that the last owner left, if any. */
  readonly previous: string | undefined;
  /** Computed when asked, from the clocks: true while the lease may be relied on. Once false, false for good. */
  readonly valid: boolean;
  /** Milliseconds for which it may be relied on if nothing more is heard from the group; 0 once it is over. */
  readonly remainingMs: number;
  /**
   * Leaves a note with the partition now; the next owner gets it as `previous`. The empty text removes it. Each waits for the one before,
   * and the partition is given back once all are answered; of those that wait only the last is sent, and all have its answer. Rejects with
   * `NOTE_TOO_LARGE`, `NOT_HELD`, `LIMIT_REACHED`, `MAILBOX_FULL` where too many wait, `SESSION_LOST` or `TRANSPORT_CLOSED`.
   */
  note(value: string): Promise<void>;
  /** Sets the note that goes with the release, once the handler has settled; the last one counts. Throws `NOTE_TOO_LARGE`. */
  handOver(value: string): void;
}

export type PartitionHandler = (owned: OwnedPartition) => Promise<void> | void;

export interface OwnOptions {
  /** The share of this process beside the others'; a number from 1e-9 to 1e9. Default 1. */
  readonly weight?: number;
  /** How long the handler of a revoked partition may take, in milliseconds, before the partition's lease runs out. Default 20 s. */
  readonly drainTimeoutMs?: number;
  /** What becomes of a handler that takes longer (event `drainOverrun`): from then on only the token protects, or the process exits. Default `fence`. */
  readonly onDrainTimeout?: 'fence' | 'exit';
  /** Aborting gives everything up in order; `own` then resolves. */
  readonly signal?: AbortSignal;
}

export interface PartitionOwner {
  readonly partition: number;
  /** `revoking`: its owner is to give it up. `overrun`: it took longer than its drain's budget, and its lease runs out. */
  readonly state: 'unowned' | 'owned' | 'revoking' | 'overrun';
  /** Who owns it; undefined for nobody. */
  readonly node: string | undefined;
  /** 0 for nobody. */
  readonly token: number;
  /** Who is to own it; differs from `node` while it moves. */
  readonly home: string | undefined;
  /** Members that gave it up after failures, and are not given it again yet. */
  readonly refusedBy: readonly string[];
}

export interface PartitionMemberInfo {
  readonly node: string;
  /** 0 for one that leaves, and for an excluded node that takes no part. */
  readonly weight: number;
  /**
   * `leaving`: it ended its `own`, and has something to give up still. `absent`: without a session; what it had is kept for its return for a
   * while.
   */
  readonly state: 'present' | 'drained' | 'leaving' | 'excluded' | 'absent';
}

export interface Ownership {
  readonly count: number;
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionOwner[];
  readonly members: readonly PartitionMemberInfo[];
  /** Partition → node. */
  readonly pins: ReadonlyMap<number, string>;
}

/** A change to plan for: everything that it names happens at once, and each node or partition is named once. */
export interface PartitionsChange {
  /** Nodes that come to take part, with a weight of 1 unless said. */
  readonly join?: readonly (string | { readonly node: string; readonly weight?: number })[];
  /** Members that leave, or stay away for longer than the grace. */
  readonly leave?: readonly string[];
  /** Members that restart within the grace, with another weight. */
  readonly weigh?: readonly { readonly node: string; readonly weight: number }[];
  readonly pin?: readonly { readonly partition: number; readonly node: string }[];
  readonly unpin?: readonly number[];
  readonly drain?: readonly string[];
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
  readonly count?: number;
}

export interface PlannedMove {
  readonly partition: number;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * A set of partitions, each owned by one member at a time. All calls that change the set reject with `NOT_A_MEMBER`, `NO_QUORUM`,
 * `SESSION_LOST`, `LIMIT_REACHED`, `INVALID_OPTIONS`, `INVALID_NAME`, `CLOSED` or `TRANSPORT_CLOSED`.
 */
export interface Partitions {
  readonly name: string;
  /** The group's number of partitions; the configured one until it is known. */
  readonly count: number;
  /**
   * Takes part. The handler runs once for each partition that this process is granted, and stops when its signal fires: the next
   * owner starts after its promise has settled, or after its lease has run out. A handler that returns or throws before its
   * signal has failed: it is started again, with growing pauses and under the same token; after five failures in a row the partition is given up,
   * and this process is not given it again for a minute. Each failure is an event. Failures with another note between them, or a minute's work,
   * are not in a row.
   *
   * Resolves once `signal` has fired or the instance closed, and everything is given back. A lost session does not end it: it takes part
   * again with the next one. Rejects with `INVALID_OPTIONS` (also where this process takes part already), `LIMIT_REACHED`, `CLOSED`,
   * `TRANSPORT_CLOSED`, or `MAJORITY_LOST` where no session can follow the one that was lost.
   */
  own(handler: PartitionHandler, options?: OwnOptions): Promise<void>;
  /** What this process owns now, ascending. */
  readonly mine: readonly number[];
  /** `mine`, now and at each change. */
  readonly assignment$: Observable<readonly number[]>;
  /**
   * Every partition with its owner, as the group last told it; null where it is not known. Asking starts the watching, for a minute.
   * Throws `LIMIT_REACHED` where `ownership$` errors with it.
   */
  readonly ownership: Ownership | null;
  /**
   * `ownership`, now and at each change; the group is asked while there are subscribers. Where this process watches as many locks,
   * elections and sets of partitions as it may (65,536), it errors with `LIMIT_REACHED`, a second later.
   */
  readonly ownership$: Observable<Ownership>;
  /** The partition of a key, as the broker places it. */
  partitionOf(key: string | Uint8Array): number;
  /** Who owns a key's partition, as far as `ownership` knows, and throws as that does; undefined for nobody. */
  owner(key: string | Uint8Array): PartitionOwner | undefined;
  /**
   * Runs the callback while this process owns the key's partition; a revocation waits for it like for the handler. Rejects with
   * `NOT_OWNER` (details: `partition`, `owner`), or with `LEASE_LOST` where the lease ended before the callback did.
   */
  whileOwned<T>(key: string | Uint8Array, callback: (owned: OwnedPartition) => Promise<T> | T): Promise<T>;
  /**
   * What would move, and nothing does: computed as the group would, as long as whoever is absent comes back. Rejects with `INVALID_OPTIONS`
   * or `INVALID_NAME` (also for a node that joins and takes part already), with `NOT_A_MEMBER` or `LIMIT_REACHED` where the change itself
   * would, and with `NO_QUORUM` where it cannot be learned in 30 s who owns what.
   */
  plan(change: PartitionsChange): Promise<readonly PlannedMove[]>;
  /** Keeps a partition at a node for as long as that takes part. */
  pin(partition: number, node: string): Promise<void>;
  unpin(partition: number): Promise<void>;
  /** A member gives all up in order, and is given nothing until its session ends. One that is excluded stays so. */
  drain(node: string): Promise<void>;
  /** A node gives all up and is given nothing, now and whenever it comes back, until it is included. */
  exclude(node: string): Promise<void>;
  /** Ends `drain` and `exclude`. */
  include(node: string): Promise<void>;
  /** Changes the number of partitions. Keys move with it: drain what depends on them first. */
  resize(count: number): Promise<void>;
}

/** What happens to the partitions of this process. */
export type PartitionEvent =
  | { readonly type: 'partitionGranted' | 'partitionReleased'; readonly name: string; readonly partition: number; readonly token: number }
  | { readonly type: 'partitionRevoked'; readonly name: string; readonly partition: number; readonly token: number }
  /** Its lease ended before it was given back. */
  | {
      readonly type: 'partitionLost';
      readonly name: string;
      readonly partition: number;
      readonly token: number;
      readonly error: QuorateError;
    }
  /**
   * A handler is still at work after its drain's budget: from now on only the token protects. Also where its lease was lost before, and
   * it kept this process for that long from working under the next one, which was then given up.
   */
  | { readonly type: 'drainOverrun'; readonly name: string; readonly partition: number; readonly token: number }
  /** A handler ended before its signal. With `retryMs` null it is not started again. */
  | {
      readonly type: 'partitionFailed';
      readonly name: string;
      readonly partition: number;
      readonly token: number;
      readonly error: unknown;
      readonly failures: number;
      readonly retryMs: number | null;
    }
  /** The set was made with other parameters than this process names, or than a later call in it does: those that count are `theirs`. */
  | {
      readonly type: 'parametersDiffer';
      readonly name: string;
      readonly ours: PartitionParametersInfo;
      readonly theirs: PartitionParametersInfo;
    }
  /** A later call in this process does not name the `partitionOf` function that the first did, which goes on placing keys. Told once. */
  | { readonly type: 'partitionOfDiffers'; readonly name: string };

export interface PartitionParametersInfo {
  readonly count: number;
  readonly graceMs: number;
  readonly settleMs: number;
}
