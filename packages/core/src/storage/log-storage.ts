/**
 * A member's storage on a fenced log: runs, records, snapshots and their order, the same for every broker. A head begins the log anew:
 * it holds who the member is, a pointer to its snapshot, and the records above that. The safety rules 19 to 21.
 */
import { createHash } from 'node:crypto';
import { isQuorateError, QuorateError } from '../errors.ts';
import type { MemberRecord } from '../group/member.ts';
import { beginRun } from './begin-run.ts';
import type { FencedLog } from './fenced-log.ts';
import { corrupt, partsOf, readLog } from './log-entry.ts';
import type { LogContent, LogEntry, SnapshotPointer } from './log-entry.ts';
import type { LoadedMember, Storage, StoredIdentity, StoredSnapshot } from './storage.ts';

/** Chunks may be larger than what a broker takes at once; pieces are as large as one frame of it. */
const pieceBytesMost = 262_144;

export function logStorage(log: FencedLog): Storage {
  return new LogStorage(log);
}

/**
 * 1. One write is under way at a time; each stands behind all that were asked for before it.
 * 2. After a write that failed, or whose outcome is not known, every later one fails too.
 * 3. A head is written once all pieces that it points to are durable, and repeats what was appended since its snapshot was taken.
 */
class LogStorage implements Storage {
  readonly zombieMs: number;
  #identity: StoredIdentity | null = null;
  #nextPosition = 0;
  #snapshots = 0;
  #last: Promise<void> = Promise.resolve();
  #ended: QuorateError | undefined = new QuorateError('STORAGE_FAILED', 'This storage is not loaded.');
  /** What was appended since the snapshot under way was taken. */
  #since: MemberRecord[] | undefined;

  constructor(private readonly log: FencedLog) {
    this.zombieMs = log.zombieMs;
  }

  async load(mint: () => string): Promise<LoadedMember> {
    await this.#last.catch(() => undefined);
    const content = readLog(await this.log.take());
    const kept = content?.identity
      ? { identity: content.identity, snapshot: await this.#snapshot(content), records: content.records }
      : null;
    const { isFresh, ...loaded } = beginRun(kept, mint);
    this.#ended = undefined;
    this.#last = Promise.resolve();
    this.#since = undefined;
    this.#snapshots = 0;
    this.#identity = loaded.identity;
    this.#nextPosition = content?.nextPosition ?? 0;
    const { identity } = loaded;
    await this.#write(isFresh ? { kind: 'head', identity, snapshot: null, records: [] } : { kind: 'run', identity });
    return loaded;
  }

  append(records: readonly MemberRecord[]): Promise<void> {
    if (records.length === 0) return this.#next(() => this.log.renew());
    this.#since?.push(...records);
    return this.#write({ kind: 'records', records });
  }

  async compact(snapshot: StoredSnapshot, records: readonly MemberRecord[]): Promise<void> {
    const since: MemberRecord[] = (this.#since = []);
    const { incarnation = '', run = 0 } = this.#identity ?? {};
    const id = `${incarnation.slice(0, 8)}-${run}-${(this.#snapshots += 1)}`;
    const bytes = Buffer.concat([snapshot.header, ...snapshot.chunks]);
    const pieces = piecesOf(bytes, Math.min(pieceBytesMost, this.log.partBytesMax));
    for (const [index, piece] of pieces.entries()) await this.#next(() => this.log.putPiece(id, index, piece));
    const lengths = [snapshot.header, ...snapshot.chunks].map(({ length }) => length);
    const pointer = { id, index: snapshot.index, pieces: pieces.length, lengths, sha256: sha256Of(bytes) };
    const head = { kind: 'head', identity: this.#identity, snapshot: pointer, records: [...records, ...since] } as const;
    this.#since = undefined;
    await this.#write(head);
  }

  async discard(): Promise<void> {
    await this.#write({ kind: 'head', identity: null, snapshot: null, records: [] });
    this.#ended = new QuorateError('STORAGE_FAILED', 'This storage was discarded and is not loaded again.');
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    this.#ended ??= new QuorateError('STORAGE_FAILED', 'This storage is closed.');
    await this.log.close();
  }

  #write(entry: LogEntry): Promise<void> {
    return this.#next(() => {
      const position = entry.kind === 'head' ? 0 : this.#nextPosition;
      this.#nextPosition = position + 1;
      const parts = partsOf(entry, position, this.log.partBytesMax);
      return this.log.append({ position, parts, ...(entry.kind === 'head' && { keeps: entry.snapshot?.id }) });
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (this.#ended) throw this.#ended;
      try {
        await work();
      } catch (error) {
        this.#ended = asStorageError(error);
        throw this.#ended;
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #snapshot({ snapshot }: LogContent): Promise<StoredSnapshot | undefined> {
    return snapshot ? assembled(snapshot, await this.log.pieces(snapshot.id, snapshot.pieces)) : undefined;
  }
}

function asStorageError(error: unknown): QuorateError {
  if (isQuorateError(error) && error.code.startsWith('STORAGE_')) return error;
  return new QuorateError('STORAGE_FAILED', 'A write to the store failed, or its outcome is not known.', { cause: error });
}

function piecesOf(bytes: Buffer, bytesMax: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / bytesMax) }, (_, index) => bytes.subarray(index * bytesMax, (index + 1) * bytesMax));
}

function assembled({ index, lengths, sha256 }: SnapshotPointer, pieces: readonly (Uint8Array | undefined)[]): StoredSnapshot {
  const found = pieces.filter((piece) => piece !== undefined);
  if (found.length < pieces.length) throw corrupt(`${pieces.length - found.length} of ${pieces.length} pieces of its snapshot are missing`);
  const bytes = Buffer.concat(found);
  if (sha256Of(bytes) !== sha256) throw corrupt('its snapshot is not what was written');
  let at = 0;
  const [header = new Uint8Array(0), ...chunks] = lengths.map((length) => bytes.subarray(at, (at += length)));
  return { index, header, chunks };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
