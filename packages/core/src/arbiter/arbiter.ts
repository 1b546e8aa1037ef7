/**
 * The arbiter port: a log in the broker in which the first record written at a position counts, whoever writes. By it processes that do
 * not know each other's names decide which of their foundings is the group's. Every arbiter passes `arbiterConformance`.
 */

export interface ArbiterOptions {
  /** Any Unicode text; each group has a log of its own. */
  readonly group: string;
}

/**
 * 1. Of the records that are written at one position, one counts, for every reader and for ever; and one at a position counts only
 *    once all positions before it are taken.
 * 2. What was acknowledged is found by every later `read`, whatever happened to processes and brokers meanwhile. What was not
 *    acknowledged may come to be found later, at the position it was written at.
 * 3. A log that lost its beginning, or that lies where it may lose it, is an error and never reads as an empty one.
 */
export interface Arbiter {
  /**
   * All records that count, oldest first: at least those that were acknowledged before the call. Rejects with `ARBITER_MISSING` where the
   * broker has no such log to offer, with `ARBITER_CORRUPT` for one without its beginning, with `INVALID_OPTIONS` for one that is not
   * kept safely, with `TRANSPORT_DENIED`, and with `TRANSPORT_FAILED` where asking again may help.
   */
  read(): Promise<readonly Uint8Array[]>;
  /**
   * Writes a record at a position, which is the number of those before it. True if it counts, false if another has the position. Rejects
   * as `read` does; then nobody knows whether it landed, but every later `read` tells.
   */
  append(position: number, record: Uint8Array): Promise<boolean>;
  /** Frees what was taken; the user's connection stays open. Idempotent. */
  close(): Promise<void>;
}
