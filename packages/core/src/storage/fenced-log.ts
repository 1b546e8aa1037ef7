/**
 * What a store in a broker is made of: one seat's log, written by one process at a time because the broker refuses all others, and
 * pieces of snapshots beside it. An adapter carries these bytes; `log-storage.ts` decides what they are.
 */

export interface LogWrite {
  /** Counts from the last head, which is at 0. A store that keys its entries may let an entry of a later head replace this one. */
  readonly position: number;
  /** At least one, each of at most `partBytesMax`. */
  readonly parts: readonly Uint8Array[];
  /** Of a head alone: whose pieces it points to, if any. Once it is durable nothing before it, and no other piece, is needed. */
  readonly keeps?: string | undefined;
}

/**
 * 1. From the moment that `take` reads, no write of an earlier taker can land any more.
 * 2. What was appended comes back from every later `take`, in order: parts of one write side by side, whole or (a tail of a
 *    writer that died) without its last parts.
 * 3. A write rejects with STORAGE_IN_USE once another has taken the log. After any other rejection nobody knows whether it landed.
 * 4. A log that lost its beginning, or was made anew behind our back, is never read as an empty one where that can be told.
 */
export interface FencedLog {
  /** Keeps earlier takers out, then reads all that is kept, oldest first. May be called again on the same object. */
  take(): Promise<readonly Uint8Array[]>;
  /** Known once the log is taken. */
  readonly partBytesMax: number;
  /** Durable when it resolves. One call at a time. */
  append(write: LogWrite): Promise<void>;
  /** Proves that nobody else has taken the log, by a write that leaves nothing to be read. As `append` otherwise. */
  renew(): Promise<void>;
  /** Durable when it resolves; comes to be of use with the head that keeps `id`. Not while an `append` is under way. */
  putPiece(id: string, index: number, bytes: Uint8Array): Promise<void>;
  /** Those that the last `take` found; undefined in the place of one that is missing. */
  pieces(id: string, count: number): Promise<readonly (Uint8Array | undefined)[]>;
  close(): Promise<void>;
  /** As of `Storage`. */
  readonly zombieMs: number;
}
