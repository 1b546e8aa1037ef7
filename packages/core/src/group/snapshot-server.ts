/**
 * The snapshot that a member serves: written in slices while nothing is applied, kept for as long as somebody fetches it.
 * `docs/protocol.md`, "Snapshots".
 */
import type { Slot } from '../paxos/message.ts';
import type { FetchSnapshot, SnapshotMessage } from '../snapshot/message.ts';
import type { RowCodec, Snapshot } from '../snapshot/row.ts';
import { SnapshotWriter } from '../snapshot/snapshot-writer.ts';
import type { GroupState } from './group-state.ts';

/** What is served from: the state, and up to where the log above it is gone. */
export interface SnapshotOrigin {
  readonly founding: string;
  readonly state: GroupState;
  readonly floor: Slot;
}

/**
 * 1. While `isWriting`, nothing is applied to the state; everything else goes on.
 * 2. What is served is one whole snapshot; another is written only when it is of no use any more.
 */
export class SnapshotServer {
  private writer: SnapshotWriter | null = null;
  /** Up to where what is being written, or what was written last, was applied. */
  private index: Slot = 0;
  private kept: Snapshot | null = null;
  private askedMs = -Infinity;

  constructor(
    private readonly codec: RowCodec,
    private readonly chunkBytesMax: () => number,
    /** Nobody asked for so long: whoever fetched it has it, or is gone. */
    private readonly keepMs: number,
  ) {}

  get isWriting(): boolean {
    return this.writer !== null;
  }

  /** There is one to be had, or soon will be: the log above its index is kept, for whoever takes it, or stores it, goes on with that. */
  get keepAbove(): Slot {
    return this.writer || this.kept ? this.index : Infinity;
  }

  onFetch({ hash, chunk, above }: FetchSnapshot, origin: SnapshotOrigin, nowMs: number): SnapshotMessage | null {
    const { kept } = this;
    if (kept && kept.header.hash === hash) {
      this.askedMs = nowMs;
      const rows = this.codec.unpack(kept.chunks[chunk] ?? new Uint8Array());
      return rows && { type: 'snapshotChunk', hash, chunk, rows };
    }
    if (!this.writer && kept && kept.header.index > above && kept.header.index >= origin.floor) return this.offer(kept, nowMs);
    if (!this.writer && origin.state.appliedIndex <= above) return null;
    if (!this.writer) this.begin(origin);
    this.askedMs = nowMs;
    return { type: 'snapshotOffer', header: null };
  }

  /** One slice. Returns the snapshot with the last one. */
  step(): Snapshot | null {
    const written = this.writer?.step() ?? null;
    if (!written) return null;
    this.kept = written;
    this.writer = null;
    return written;
  }

  /** However often it is asked for, it is not kept at the price of a log that `isTooLong`. */
  onTick(nowMs: number, isTooLong: boolean): void {
    if (isTooLong || nowMs - this.askedMs >= this.keepMs) this.kept = null;
  }

  /** The state was replaced: what was being written of it is of no use. */
  drop(): void {
    this.writer = null;
    this.kept = null;
  }

  begin({ founding, state }: Pick<SnapshotOrigin, 'founding' | 'state'>): void {
    this.kept = null;
    const { appliedIndex: index, groupRow: group, tables } = state;
    this.index = index;
    const source = { founding, configuration: state.configuration.id, index, group, tables };
    this.writer = new SnapshotWriter(source, this.codec, this.chunkBytesMax());
  }

  private offer({ header }: Snapshot, nowMs: number): SnapshotMessage {
    this.askedMs = nowMs;
    return { type: 'snapshotOffer', header };
  }
}
