/** What session holders and leaders say to each other outside the log. `docs/protocol.md`, "Messages of sessions". */
import type { SessionKey } from './command.ts';

/** `Op`, `Result` and `State` belong to what sessions use: locks today. A `Result` is a tuple whose first field is the sequence. */
export type SessionMessage<Op, Result, State> =
  | OpenSession
  | SessionOpened
  | OpenRefused
  | CloseSession
  | Submit<Op>
  | Replies<Result>
  | KeepAlive
  | KeptAlive<Result>
  | SessionEnded
  | Watch
  | Watched<State>;

/** From a node to the leader; the node and its incarnation are the frame's. */
export interface OpenSession {
  readonly type: 'openSession';
  readonly nonce: string;
  readonly ttlMs: number;
  readonly replaces: SessionKey;
}

export interface SessionOpened {
  readonly type: 'sessionOpened';
  readonly nonce: string;
  readonly session: SessionKey;
  readonly ttlMs: number;
}

/**
 * Nothing is kept of an open that was refused.
 * - `closed`: the group is not open yet; `waitMs` says how long at least. 0, after that, says that it has just opened: ask again.
 * - `nameTaken`: the node's earlier session has not ended; `waitMs` is the longest it can last without its keep-alives.
 * - `limit`: as many sessions as the group allows.
 * - `ttlTooLong`: above the longest TTL that this group ever grants; `waitMs` is that TTL.
 */
export interface OpenRefused {
  readonly type: 'openRefused';
  readonly nonce: string;
  readonly reason: 'closed' | 'nameTaken' | 'limit' | 'ttlTooLong';
  readonly waitMs: number;
}

export interface CloseSession {
  readonly type: 'closeSession';
  readonly session: SessionKey;
}

/** Operations, and the floor up to which the sender has all answers. Resent until answered; applied once. */
export interface Submit<Op> {
  readonly type: 'submit';
  readonly session: SessionKey;
  readonly floor: number;
  readonly ops: readonly Op[];
}

export interface Replies<Result> {
  readonly type: 'replies';
  readonly session: SessionKey;
  readonly results: readonly Result[];
}

/**
 * Never enters the log. `id` is echoed: the holder counts its lease from when it sent that id. `pending` lists the sequences
 * that still wait for a final answer, so that the answer to a lost frame is found within a period.
 */
export interface KeepAlive {
  readonly type: 'keepAlive';
  readonly session: SessionKey;
  readonly id: number;
  readonly floor: number;
  readonly pending: readonly number[];
  /** The version of the sender's watch list, 0 for none, or where the whole of it follows. */
  readonly watchVersion: number;
  /** The newest `Watched.index` it received. */
  readonly watchedIndex: number;
  /** The newest keep-alive whose answer it received, 0 for none since the list left: what was told before that answer and is not here was missed. */
  readonly watchHeard: number;
}

export interface KeptAlive<Result> {
  readonly type: 'keptAlive';
  readonly session: SessionKey;
  readonly id: number;
  /** Final answers to sequences of `pending`. */
  readonly results: readonly Result[];
  /** Sequences of `pending` that never arrived; the holder submits them again. */
  readonly unknown: readonly number[];
  /** The tokens of the partitions that this answer covers, rising; a lease on a partition runs from the newest keep-alive that covered it. */
  readonly covered: readonly number[];
  /** Which part of the holder's watch list the leader has: the holder says again what is missing. */
  readonly watch: WatchProgress;
}

/** A watch list as a leader has it: up to that part of that version, and version 0 for none. */
export interface WatchProgress {
  readonly version: number;
  readonly part: number;
}

/** The session is not in the table any more. Nothing revives it. */
export interface SessionEnded {
  readonly type: 'sessionEnded';
  readonly session: SessionKey;
}

/**
 * A part of the watch list of the sender's session: all that changed of it after the part `since`. With `since` 0 a list of a higher
 * version begins, in place of any other; a part of the list that is known counts only if it is a later one, and `since` has arrived.
 */
export interface Watch {
  readonly type: 'watch';
  readonly session: SessionKey;
  readonly version: number;
  readonly since: number;
  readonly part: number;
  /** Told of in full, even where it was watched before. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** As many resources one process may watch: a leader keeps each by its name, and tells of all of them when it begins. */
export const watchedMax = 65_536;

/**
 * States of watched resources: all of what a `watch` adds, afterwards what changed, and all again of what was not received. `index` counts
 * the updates of this list; this one follows upon any from `since` on. `part` is the newest part of the list that the leader had.
 */
export interface Watched<State> {
  readonly type: 'watched';
  readonly version: number;
  readonly part: number;
  readonly since: number;
  readonly index: number;
  readonly states: readonly State[];
}
