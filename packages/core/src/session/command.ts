/**
 * What the log of a group carries: batches of entries that begin a leader's term, open the group, and open, use and end
 * sessions. `Op` is what a session does (today: operations on locks). `docs/protocol.md`, "Commands".
 */

export const entryKind = {
  use: 0,
  begin: 1,
  openGroup: 2,
  openSession: 3,
  closeSession: 4,
  expire: 5,
  rebalance: 6,
  uncover: 7,
  free: 8,
  stopSign: 9,
  raiseLevel: 16,
} as const;

/**
 * A session's number within its founding: slot × 4096 + index of the entry that opened it. A number whose slot is applied and
 * that is not in the table has ended for ever. Frames carry the founding, so that a session of a lost life is refused.
 */
export type SessionKey = number;

export const entriesPerBatchMax = 4096;

export function sessionKeyOf(slot: number, index: number): SessionKey {
  return slot * entriesPerBatchMax + index;
}

export function slotOfSession(session: SessionKey): number {
  return Math.floor(session / entriesPerBatchMax);
}

/** Operations of one session. Every sequence at or under `floor` is applied and its answer received: it is forgotten, and dropped if it comes again. */
export type UseEntry<Op> = readonly [kind: typeof entryKind.use, session: SessionKey, floor: number, ops: readonly Op[]];

/** The first entry of a leader. `stamp` names its ballot; what a leader derives from its clock is void under any other. */
export type BeginEntry = readonly [kind: typeof entryKind.begin, stamp: string];

/** Ends the wait after a founding; nothing is granted before it. Tokens start at `tokenSecond` × 2^22. */
export type OpenGroupEntry = readonly [kind: typeof entryKind.openGroup, stamp: string, tokenSecond: number];

/**
 * `nonce` makes a retry the same open. `instance` names the process start; a session of the same node with another instance
 * must end first. `replaces`: a session of this instance that it has given up itself, 0 for none.
 */
export type OpenSessionEntry = readonly [
  kind: typeof entryKind.openSession,
  nonce: string,
  node: string,
  instance: string,
  ttlMs: number,
  replaces: SessionKey,
];

export type CloseSessionEntry = readonly [kind: typeof entryKind.closeSession, session: SessionKey];

/** A leader's finding that a session was silent for its TTL. Void unless the last `begin` before it has this stamp. */
export type ExpireEntry = readonly [kind: typeof entryKind.expire, session: SessionKey, stamp: string];

/** A leader's finding that the changes of a set's members have settled, and that `gone` were absent for longer than the set's grace. */
export type RebalanceEntry = readonly [kind: typeof entryKind.rebalance, set: string, stamp: string, gone: readonly string[]];

/** A leader's finding that a drain's budget is over. Void like `expire` under another stamp. */
export type UncoverEntry = readonly [kind: typeof entryKind.uncover, set: string, stamp: string, partition: number, token: number];

/** A leader's finding that a full TTL has passed since. Void like `expire` under another stamp. */
export type FreeEntry = readonly [kind: typeof entryKind.free, set: string, stamp: string, partition: number, token: number];

/**
 * A leader's finding that every voter, and every process with a session, can this feature level. Void like `expire` under another
 * stamp; never lowers it.
 */
export type RaiseLevelEntry = readonly [kind: typeof entryKind.raiseLevel, stamp: string, level: number];

/** A voter as it stands in a stop-sign. */
export type SeatTuple = readonly [node: string, incarnation: string];

/**
 * Ends the configuration before `nextId`, which begins with `voters` in the next slot; `gone` are the voters that are none any more,
 * and `named` the names that the group was founded with, none where it was founded without. Stands alone in its batch. Void like `expire` under another stamp.
 */
export type StopSignEntry = readonly [
  kind: typeof entryKind.stopSign,
  stamp: string,
  nextId: number,
  voters: readonly SeatTuple[],
  gone: readonly SeatTuple[],
  named: readonly string[],
];

export type Entry<Op> =
  | UseEntry<Op>
  | BeginEntry
  | OpenGroupEntry
  | OpenSessionEntry
  | CloseSessionEntry
  | ExpireEntry
  | RebalanceEntry
  | UncoverEntry
  | FreeEntry
  | RaiseLevelEntry
  | StopSignEntry;

/** One slot's value. `wallMs` is the leader's calendar time, for people to read; no decision rests on it. */
export type Batch<Op> = readonly [wallMs: number, entries: readonly Entry<Op>[]];

/** The stop-sign that a batch is, or null: beside other entries it means nothing. */
export function stopSignOf<Op>([, entries]: Batch<Op>): StopSignEntry | null {
  const [entry] = entries;
  return entries.length === 1 && entry?.[0] === entryKind.stopSign ? entry : null;
}
