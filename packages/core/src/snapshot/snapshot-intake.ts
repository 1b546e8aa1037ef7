/** Receives a snapshot chunk by chunk into tables that nobody uses yet, and vouches for them only once all of it fits. */
import { createHash } from 'node:crypto';
import { snapshotFormat } from './row.ts';
import type { GroupRow, GroupTables, RowCodec, SnapshotHeader, SnapshotRow } from './row.ts';
import { headerText } from './snapshot-writer.ts';
import { StagedRows } from './staged-rows.ts';

/** `ignored`: not the chunk that is awaited. `refused`: what was staged is of no use and must be thrown away. */
export type Intake =
  | { readonly type: 'taken' }
  | { readonly type: 'ignored' }
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'complete'; readonly group: GroupRow };

/**
 * 1. Chunks of one snapshot only, each once and in order, whatever order they come in.
 * 2. `complete` is said once, when rows, chunks and hash are those of the header; until then nobody may use the tables.
 * 3. After `refused` nothing is taken any more.
 */
export class SnapshotIntake {
  private readonly hash = createHash('sha256');
  private readonly staged: StagedRows;
  private readonly bytes: Uint8Array[] = [];
  private rows = 0;
  private isRefused = false;

  constructor(
    readonly header: SnapshotHeader,
    tables: GroupTables,
    private readonly codec: Pick<RowCodec, 'pack'>,
  ) {
    this.staged = new StagedRows(tables, header.index);
  }

  /** The chunk that is awaited: all before it are in place. */
  get nextChunk(): number {
    return this.bytes.length;
  }

  /** As they would be stored. */
  get chunks(): readonly Uint8Array[] {
    return this.bytes;
  }

  take(hash: string, chunk: number, rows: readonly SnapshotRow[]): Intake {
    const { header } = this;
    if (this.isRefused || hash !== header.hash || chunk !== this.nextChunk || chunk >= header.chunks) return { type: 'ignored' };
    for (const row of rows) if (!this.staged.add(row)) return this.refuse(`a row of chunk ${chunk} has no place in it`);
    this.rows += rows.length;
    const bytes = this.codec.pack(rows);
    this.bytes.push(bytes);
    this.hash.update(bytes);
    return this.nextChunk < header.chunks ? { type: 'taken' } : this.finish();
  }

  private finish(): Intake {
    const { header } = this;
    const { group } = this.staged;
    if (this.rows !== header.rows) return this.refuse(`it has ${this.rows} rows and not ${header.rows}`);
    if (group === null || this.hash.update(headerText(header)).digest('hex') !== header.hash) return this.refuse('its hash is another');
    return { type: 'complete', group };
  }

  private refuse(why: string): Intake {
    this.isRefused = true;
    return { type: 'refused', why };
  }
}

/** Why a snapshot is not even begun; null for one that may be. */
export function refusalOf(header: SnapshotHeader, founding: string): string | null {
  if (header.format !== snapshotFormat) return `it has format ${header.format}, and ${snapshotFormat} is known here`;
  if (header.founding !== founding) return 'it is of another founding';
  return header.chunks > 0 ? null : 'it is empty';
}
