/** The storage port on LMDB: appends under numbers without a gap, snapshots beside them, and a manifest that says what counts. */
import { beginRun, QuorateError } from '@quorate/core/adapter';
import type { LoadedMember, MemberRecord, Storage, StoredSnapshot } from '@quorate/core/adapter';
import { claimFolder } from './claim.ts';
import type { Claim } from './claim.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { readKept, sweep } from './kept.ts';
import { appendKey, formatVersion, manifestKey, packManifest, packRecords, partKey, seal } from './layout.ts';
import type { Manifest } from './layout.ts';

export interface LmdbStorageOptions {
  /**
   * The folder of this voter alone, on a local disk; made if it is not there. Not on a network file system, and not to be restored from a
   * backup: delete it instead, and the voter comes back as one that lost its memory.
   */
  readonly path: string;
}

/** Keeps what a voter must find again in a folder. Throws `INVALID_OPTIONS`; nothing is opened before the voter starts. */
export function lmdbStorage({ path }: LmdbStorageOptions): Storage {
  if (typeof path !== 'string' || path === '') throw new QuorateError('INVALID_OPTIONS', '`path` must name a folder.');
  return new LmdbStorage(path);
}

/** About this much of a snapshot goes into one transaction. */
const partsPerTransaction = 4;

interface Opened {
  readonly database: Database;
  readonly claim: Claim;
  readonly commit: GroupCommit;
}

export class LmdbStorage implements Storage {
  private opened: Opened | null = null;
  private manifest: Manifest = emptyManifest;
  /** Number of the last append. */
  private last = 0;

  constructor(
    private readonly path: string,
    /** Of tests: called before each transaction after `load`, and may keep it from happening. */
    private readonly beforeTransaction?: () => Promise<void>,
  ) {}

  async load(mint: () => string): Promise<LoadedMember> {
    this.opened ??= await this.open();
    const { database, commit } = this.opened;
    try {
      const { manifest, last, kept } = readKept(database);
      const { isFresh, ...loaded } = beginRun(kept, mint);
      const base = isFresh ? { ...emptyManifest, generation: manifest.generation, base: last } : manifest;
      this.last = last;
      await this.point({ ...base, ...loaded.identity });
      await sweep(database, this.manifest, (write) => commit.write(write));
      return loaded;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  append(records: readonly MemberRecord[]): Promise<void> {
    if (!this.opened) return Promise.reject(notLoaded());
    const key = appendKey((this.last += 1));
    const value = seal(key, packRecords(records));
    return this.opened.commit.write(({ log }) => [log.put(key, value)]);
  }

  async compact(snapshot: StoredSnapshot, records: readonly MemberRecord[]): Promise<void> {
    if (!this.opened) throw notLoaded();
    const { database, commit } = this.opened;
    const base = this.last;
    const generation = this.manifest.generation + 1;
    const parts = [snapshot.header, ...snapshot.chunks, packRecords(records)];
    for (let first = 0; first < parts.length; first += partsPerTransaction) {
      const some = parts.slice(first, first + partsPerTransaction).map((bytes, offset) => {
        const key = partKey(generation, first + offset);
        return { key, value: seal(key, bytes) };
      });
      await commit.write(({ chunks }) => some.map(({ key, value }) => chunks.put(key, value)));
    }
    await this.point({ ...this.manifest, generation, base, snapshot: { index: snapshot.index, chunks: snapshot.chunks.length } });
    await sweep(database, this.manifest, (write) => commit.write(write));
  }

  async discard(): Promise<void> {
    if (!this.opened) throw notLoaded();
    const { database, commit } = this.opened;
    await this.point({ ...emptyManifest, generation: this.manifest.generation, base: this.last });
    await sweep(database, this.manifest, (write) => commit.write(write));
  }

  async close(): Promise<void> {
    const { opened } = this;
    if (!opened) return;
    await opened.commit.drained();
    await this.leave(opened, new QuorateError('CLOSED', 'The storage was closed.'));
  }

  /** As if the process died now: what waits is not written. */
  async die(): Promise<void> {
    if (this.opened) await this.leave(this.opened, new QuorateError('STORAGE_FAILED', 'The process is dead.'));
  }

  private async leave({ database, claim, commit }: Opened, reason: QuorateError): Promise<void> {
    this.opened = null;
    await commit.stop(reason);
    await database.root.close();
    await claim.end();
  }

  private async open(): Promise<Opened> {
    const database = openDatabase(this.path);
    try {
      const claim = await claimFolder(database, this.path);
      return { database, claim, commit: new GroupCommit(database, claim.number, this.beforeTransaction) };
    } catch (error) {
      await database.root.close();
      throw error;
    }
  }

  /** What counts from now on. */
  private async point(manifest: Manifest): Promise<void> {
    const value = packManifest(manifest);
    await this.opened?.commit.write(({ root }) => [root.put(manifestKey, value)]);
    this.manifest = manifest;
  }
}

const emptyManifest: Manifest = { format: formatVersion, incarnation: null, run: 0, generation: 0, snapshot: null, base: 0 };

function notLoaded(): QuorateError {
  return new QuorateError('STORAGE_FAILED', 'The storage is not loaded.');
}
