/** A snapshot of a group's state as bytes, the way a storage keeps it: what is in them is the business of whoever wrote them. */

/**
 * 1. `index` is the slot up to which the state was applied; everything at or under it is in the snapshot.
 * 2. Each chunk is at most 256 KiB. The header says how many there are and what they hash to.
 */
export interface StoredSnapshot {
  readonly index: number;
  readonly header: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}
