/** Writes a snapshot in slices: a chunk a step, so that a state of any size is written while its member goes on. */
import { createHash } from 'node:crypto';
import { snapshotFormat } from './row.ts';
import type { GroupRow, GroupTables, RowCodec, Snapshot, SnapshotHeader, SnapshotRow } from './row.ts';
import { rowsOf } from './rows-of.ts';

/** A chunk and the frame around it stay within 256 KiB. */
export const chunkBytesMax = 256 * 1024;

export interface SnapshotSource extends Pick<SnapshotHeader, 'founding' | 'configuration' | 'index'> {
  readonly group: GroupRow;
  readonly tables: GroupTables;
}

/**
 * 1. A step takes rows for one chunk, and no more; a chunk is full before its next row would be too much. (A row that were larger than
 *    a chunk would be a chunk of its own: by the caps on names, notes and results none is.)
 * 2. Nothing is applied to the source between the first step and the last.
 * 3. Equal states make equal snapshots.
 */
export class SnapshotWriter {
  private readonly rows: Iterator<SnapshotRow>;
  private readonly hash = createHash('sha256');
  private readonly chunks: Uint8Array[] = [];
  private rowsTaken = 0;
  private next: SnapshotRow | null;

  constructor(
    private readonly source: SnapshotSource,
    private readonly codec: RowCodec,
    private readonly bytesMax: number,
  ) {
    this.rows = rowsOf(source.group, source.tables);
    this.next = this.pull();
  }

  /** The snapshot, once the last chunk is written. */
  step(): Snapshot | null {
    const rows: SnapshotRow[] = [];
    for (let bytes = arrayBytesMax; this.next !== null; this.next = this.pull()) {
      bytes += this.codec.sizeOf(this.next);
      if (rows.length > 0 && bytes > this.bytesMax) break;
      rows.push(this.next);
    }
    const chunk = this.codec.pack(rows);
    this.chunks.push(chunk);
    this.hash.update(chunk);
    this.rowsTaken += rows.length;
    return this.next === null ? this.finished() : null;
  }

  private finished(): Snapshot {
    const { founding, configuration, index } = this.source;
    const { chunks } = this;
    const header = { format: snapshotFormat, founding, configuration, index, rows: this.rowsTaken, chunks: chunks.length };
    return { header: { ...header, hash: this.hash.update(headerText(header)).digest('hex') }, chunks };
  }

  private pull(): SnapshotRow | null {
    const { done, value } = this.rows.next();
    return done ? null : value;
  }
}

/** What the hash covers besides the chunks. */
export function headerText({ format, founding, configuration, index, rows, chunks }: Omit<SnapshotHeader, 'hash'>): string {
  return JSON.stringify([format, founding, configuration, index, rows, chunks]);
}

/** What announces the rows of a chunk. */
const arrayBytesMax = 5;
