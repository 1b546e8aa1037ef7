/** The database in a folder: opened without a bus error where the file was cut short, and with words where it is no database. */
import { existsSync, mkdirSync, openSync, closeSync, readSync, fstatSync, ftruncateSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Database as Lmdb, RootDatabase } from 'lmdb';
import { QuorateError } from '@quorate/core/adapter';
import { corrupt } from './layout.ts';

export interface Database {
  /** The manifest and the owner; its transactions are those of all. */
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly log: Lmdb<Buffer, Buffer>;
  readonly chunks: Lmdb<Buffer, Buffer>;
}

const dataFile = 'data.mdb';

/**
 * Commits are flushed before they are acknowledged, and none is acknowledged before an earlier one. Throws STORAGE_FAILED, STORAGE_CORRUPT or
 * STORAGE_VERSION.
 */
export function openDatabase(path: string): Database {
  try {
    mkdirSync(path, { recursive: true });
    restoreLength(join(path, dataFile));
  } catch (cause) {
    throw new QuorateError('STORAGE_FAILED', `The folder ${path} cannot be used.`, { cause });
  }
  const entries = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const;
  let root: Database['root'] | undefined;
  try {
    root = open<Buffer, Buffer>({ path, ...entries, useVersions: true, overlappingSync: false, noSubdir: false, maxDbs: 4 });
    const log = root.openDB<Buffer, Buffer>({ name: 'log', ...entries });
    const chunks = root.openDB<Buffer, Buffer>({ name: 'chunks', ...entries });
    return { root, log, chunks };
  } catch (cause) {
    root?.close().catch(() => undefined);
    throw databaseError(path, cause);
  }
}

/** What the database said, as the code that it means. */
export function databaseError(path: string, cause: unknown): QuorateError {
  const text = String(cause);
  if (/VERSION_MISMATCH/.test(text)) {
    return new QuorateError('STORAGE_VERSION', `The database in ${path} has a format that this version of lmdb does not read.`, { cause });
  }
  if (/INVALID|CORRUPTED|PAGE_NOTFOUND|BAD_TXN|not an LMDB/i.test(text)) return corrupt(`The database in ${path} is damaged.`, cause);
  return new QuorateError('STORAGE_FAILED', `The database in ${path} cannot be used.`, { cause });
}

// Of a data file: two meta pages at its beginning, the newer of which counts. mdb.c of LMDB, `MDB_meta`.
const meta = { magicAt: 24, magic: 0xbeefc0de, pageSizeAt: 48, lastPageAt: 144, transactionAt: 152, bytes: 168 } as const;

/**
 * The database maps its file, and a page beyond the end of the file would end the process without a word. A file that was cut is made
 * as long as it says it is: pages of zeros are then found out like any other damage.
 */
function restoreLength(file: string): void {
  if (!existsSync(file)) return;
  const descriptor = openSync(file, 'r+');
  try {
    const { size } = fstatSync(descriptor);
    const first = readMeta(descriptor, 0);
    const second = first && readMeta(descriptor, first.pageSize);
    const newer = first && second && second.transaction > first.transaction ? second : first;
    if (!newer) return;
    const length = (newer.lastPage + 1) * newer.pageSize;
    if (size < length && Number.isSafeInteger(length)) ftruncateSync(descriptor, length);
  } finally {
    closeSync(descriptor);
  }
}

function readMeta(descriptor: number, at: number): { pageSize: number; lastPage: number; transaction: bigint } | null {
  const bytes = Buffer.alloc(meta.bytes);
  if (readSync(descriptor, bytes, 0, meta.bytes, at) < meta.bytes || bytes.readUInt32LE(meta.magicAt) !== meta.magic) return null;
  const pageSize = bytes.readUInt32LE(meta.pageSizeAt);
  if (pageSize < 256 || pageSize > 65_536) return null;
  return { pageSize, lastPage: Number(bytes.readBigUInt64LE(meta.lastPageAt)), transaction: bytes.readBigUInt64LE(meta.transactionAt) };
}
