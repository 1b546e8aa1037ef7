/** How a snapshot goes from one member to another: the receiver asks for one piece after the other. `docs/protocol.md`, "Snapshots". */
import type { SnapshotHeader, SnapshotRow } from './row.ts';

export type SnapshotMessage = FetchSnapshot | SnapshotOffer | SnapshotChunk;

export interface FetchSnapshot {
  readonly type: 'fetchSnapshot';
  /** Empty for any snapshot: the answer is an offer. */
  readonly hash: string;
  readonly chunk: number;
  /** The sender applied everything up to here, so that only a snapshot above it is of use. */
  readonly above: number;
}

/** What can be had; `null` while it is being written. Whoever does not have the snapshot that it is asked for offers another. */
export interface SnapshotOffer {
  readonly type: 'snapshotOffer';
  readonly header: SnapshotHeader | null;
}

export interface SnapshotChunk {
  readonly type: 'snapshotChunk';
  readonly hash: string;
  readonly chunk: number;
  readonly rows: readonly SnapshotRow[];
}
