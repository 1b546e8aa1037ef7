/**
 * Commands on sets of partitions and what they answer, as flat tuples like those of locks. Their numbers and result codes
 * continue those of `lock/command.ts`. `docs/protocol.md`, "Partitions".
 */

export const partitionOp = { join: 16, leave: 17, release: 18, note: 19, refuse: 20, accept: 21, pin: 22, place: 23, resize: 24 } as const;

/** What a set is made with; the first join counts, and later ones learn of it. Times in milliseconds. */
export interface PartitionParameters {
  readonly count: number;
  /** How long partitions of a member whose session ended without a word are kept for its return. */
  readonly graceMs: number;
  /** Changes of membership within this time become one. */
  readonly settleMs: number;
}

/** Takes part under the node's session, or changes how. Makes the set where there is none. */
export type JoinOp = readonly [
  op: typeof partitionOp.join,
  seq: number,
  set: string,
  weight: number,
  drainTimeoutMs: number,
  count: number,
  graceMs: number,
  settleMs: number,
];
/** Gives all up in order and takes no more. */
export type LeaveOp = readonly [op: typeof partitionOp.leave, seq: number, set: string];
/** The owner is done with it. `note`: null leaves the hand-over note as it is, the empty text removes it. */
export type ReleasePartitionOp = readonly [
  op: typeof partitionOp.release,
  seq: number,
  set: string,
  partition: number,
  token: number,
  note: string | null,
];
export type PartitionNoteOp = readonly [
  op: typeof partitionOp.note,
  seq: number,
  set: string,
  partition: number,
  token: number,
  note: string,
];
/** Gives it up, and the node is not given this partition again until it accepts, leaves, or its session ends. */
export type RefuseOp = readonly [op: typeof partitionOp.refuse, seq: number, set: string, partition: number, token: number];
export type AcceptOp = readonly [op: typeof partitionOp.accept, seq: number, set: string, partition: number];
/** Keeps a partition at a node for as long as it takes part; the empty name ends that. */
export type PinOp = readonly [op: typeof partitionOp.pin, seq: number, set: string, partition: number, node: string];
export type PlaceOp = readonly [op: typeof partitionOp.place, seq: number, set: string, node: string, placing: number];
export type ResizeOp = readonly [op: typeof partitionOp.resize, seq: number, set: string, count: number];

export type PartitionOp = JoinOp | LeaveOp | ReleasePartitionOp | PartitionNoteOp | RefuseOp | AcceptOp | PinOp | PlaceOp | ResizeOp;

/**
 * How operators have a node placed: `drained` gives all up in order until its session ends; `excluded` lasts, whether or not the
 * node takes part, until it is `usual` again; a drain on top of it ends by itself, and the exclusion does not.
 */
export const placing = { usual: 0, drained: 1, excluded: 2 } as const;

/** The codes of locks that partitions answer with too, and one of their own. `limit`: too many sets, notes or partitions. */
export const partitionResult = { done: 4, notHeld: 5, limit: 7, unsupported: 8, unknownSet: 10 } as const;

export type PartitionResult = readonly [seq: number, code: number, a: number, b: null];

/** What leaders derive from their clocks; void under another stamp than that of the last `begin`. */
/** Far enough apart for any two machines, and near enough for their sums and ratios to be exact. */
export const weights = { least: 1e-9, most: 1e9 } as const;
export const setsMax = 1_000;
export const partitionsMax = 16_384;
/** Over all sets of a group: the tokens of all of them fit into one answer to a keep-alive. */
export const partitionsInAllMax = 2 ** 16;
/** Of a set: pins, and exclusions. */
export const namesMax = 1_000;
/** Sets are watched under two names: `p/` shows everything, `o/` what the watcher owns, with its notes. */
export const partitionWatch = { all: 'p/', own: 'o/' } as const;

export const phase = { unowned: 0, owned: 1, revoking: 2, overrun: 3 } as const;

/**
 * `home`: who is to own it, empty for nobody; `note` only where the watcher owns it; `refusedBy` only where the watcher sees the whole set,
 * and never empty.
 */
export type PartitionRow = readonly [
  partition: number,
  phase: number,
  node: string,
  token: number,
  home: string,
  note: string | null,
  refusedBy?: readonly string[],
];
/** `mode`: 0 takes part, 1 gives all up, 2 excluded, 3 absent. The weight is 0 of an excluded node that takes no part, and of one that leaves. */
export type MemberRow = readonly [node: string, weight: number, mode: number];
export const memberMode = { present: 0, drained: 1, excluded: 2, absent: 3 } as const;
export type PinRow = readonly [partition: number, node: string];

/** What watchers see of a set. */
export interface PartitionsState {
  readonly resource: string;
  /** The slot as of which it is told. */
  readonly version: number;
  /** True where it begins a full answer: what was known before is over. False where it adds to what is known. */
  readonly isFull: boolean;
  readonly count: number;
  readonly graceMs: number;
  readonly settleMs: number;
  /** Null where nothing of it changed, or the watcher sees only what it owns. */
  readonly members: { readonly rows: readonly MemberRow[]; readonly pins: readonly PinRow[] } | null;
  readonly rows: readonly PartitionRow[];
}
