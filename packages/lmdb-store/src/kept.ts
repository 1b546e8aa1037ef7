/** What a folder holds: read and checked at a start, and swept of what a crash or a snapshot left behind. */
import type { KeptSeat, MemberRecord } from '@quorate/core/adapter';
import type { Database } from './database.ts';
import type { Write } from './group-commit.ts';
import { appendKey, corrupt, formatVersion, manifestKey, numberOf, partKey, readManifest, unpackRecords, unseal } from './layout.ts';
import type { Manifest } from './layout.ts';

export interface Kept {
  readonly manifest: Manifest;
  /** Number of the last append, void ones too. */
  readonly last: number;
  /** Null for an empty folder, or a discarded one. */
  readonly kept: KeptSeat | null;
}

/** Throws STORAGE_CORRUPT or STORAGE_VERSION, and changes nothing. */
export function readKept({ root, log, chunks }: Database): Kept {
  const sealed = guarded('The manifest', () => root.get(manifestKey));
  if (sealed === undefined) {
    if (log.getKeysCount({ limit: 1 }) > 0) throw corrupt('The manifest is missing.');
    const manifest: Manifest = { format: formatVersion, incarnation: null, run: 0, generation: 0, snapshot: null, base: 0 };
    return { manifest, last: 0, kept: null };
  }
  const manifest = readManifest(sealed);
  const { incarnation, run, base } = manifest;
  const { records, last } = readAppends(log, base);
  if (incarnation === null) return { manifest, last, kept: null };
  const above = readSnapshot(chunks, manifest);
  return {
    manifest,
    last,
    kept: { identity: { incarnation, run }, snapshot: above?.snapshot, records: [...(above?.records ?? []), ...records] },
  };
}

/**
 * A crash leaves no gap, for a transaction is there whole or not at all. One by one: a cursor that comes to a page of zeros ends the process,
 * while a search for a key says that it is damaged.
 */
function readAppends(log: Database['log'], base: number): { records: MemberRecord[]; last: number } {
  const records: MemberRecord[] = [];
  const [lastKey] = guarded('The end of the log', () => [...log.getKeys({ reverse: true, limit: 1 })]);
  const last = Math.max(base, lastKey === undefined ? base : numberOf(lastKey));
  for (let number = base + 1; number <= last; number += 1) {
    const key = appendKey(number);
    const where = `Append ${number}`;
    const sealed = guarded(where, () => log.get(key));
    for (const record of unpackRecords(unseal(key, sealed, where), where)) records.push(record);
  }
  return { records, last };
}

function readSnapshot(
  chunks: Database['chunks'],
  { generation, snapshot }: Manifest,
): Required<Pick<KeptSeat, 'snapshot' | 'records'>> | null {
  if (!snapshot) return null;
  const part = (number: number, what: string): Buffer => {
    const key = partKey(generation, number);
    return unseal(
      key,
      guarded(what, () => chunks.get(key)),
      what,
    );
  };
  const header = part(0, 'The header of the snapshot');
  const bytes = Array.from({ length: snapshot.chunks }, (_, index) => part(index + 1, `Chunk ${index} of the snapshot`));
  const records = unpackRecords(part(snapshot.chunks + 1, 'The part above the snapshot'), 'The part above the snapshot');
  return { snapshot: { index: snapshot.index, header, chunks: bytes }, records };
}

/** What lmdb finds damaged by itself. */
function guarded<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'QuorateError') throw cause;
    throw corrupt(`${what} cannot be read.`, cause);
  }
}

/** Keys removed in one transaction. */
const sweepMax = 2_000;

/** Removes appends that are in the snapshot and parts of other snapshots, some at a time. Nothing that counts is touched. */
export async function sweep(
  { log, chunks }: Database,
  { base, generation, snapshot }: Manifest,
  commit: (write: Write) => Promise<void>,
): Promise<void> {
  const counts = snapshot ? generation : 0;
  for (;;) {
    const appends = [...log.getKeys({ end: appendKey(base + 1), limit: sweepMax })];
    const older = [...chunks.getKeys({ end: partKey(counts, 0), limit: sweepMax })];
    const newer = [...chunks.getKeys({ start: partKey(counts + 1, 0), limit: sweepMax })];
    if (appends.length + older.length + newer.length === 0) return;
    await commit(() => [...appends.map((key) => log.remove(key)), ...[...older, ...newer].map((key) => chunks.remove(key))]);
  }
}
