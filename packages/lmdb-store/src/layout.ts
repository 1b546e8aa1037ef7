/** How things lie in the database: keys in the order in which they are read, and values under a checksum that covers their key. */
import { createHash } from 'node:crypto';
import { encodeRecord, QuorateError, readRecord } from '@quorate/core/adapter';
import type { MemberRecord } from '@quorate/core/adapter';

// root:    "manifest" => seal json                                identity and pointers; the version of an entry is the claim it is of
//          "owner"    => json                                     the process that has the folder; claim.ts
// log:     number     => seal record*                             one append, numbered from 1 on without a gap
// chunks:  generation part => seal bytes                          part 0: the header; 1 to n: the chunks; above: records
// record   => length bytes                                        bytes as `encodeRecord` makes them
// seal     => 16 bytes                                            of SHA-256 over key and value
// number, generation: 8 bytes, part, length: 4 bytes, big-endian

/** Of the whole folder. A later one is refused. */
export const formatVersion = 1;

export interface Manifest {
  readonly format: number;
  /** Null once it was discarded. */
  readonly incarnation: string | null;
  readonly run: number;
  /** Which snapshot counts; 0 for none. Parts of another one are left over from a crash. */
  readonly generation: number;
  /** What the parts of the snapshot are; null without one. */
  readonly snapshot: { readonly index: number; readonly chunks: number } | null;
  /** Appends numbered up to here are in the snapshot, or void. */
  readonly base: number;
}

export const manifestKey = Buffer.from('manifest');
export const ownerKey = Buffer.from('owner');

export function appendKey(number: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(number));
  return key;
}

export function numberOf(key: Uint8Array): number {
  return Number(Buffer.from(key).readBigUInt64BE(0));
}

export function partKey(generation: number, part: number): Buffer {
  const key = Buffer.alloc(12);
  key.writeBigUInt64BE(BigInt(generation));
  key.writeUInt32BE(part, 8);
  return key;
}

const sealBytes = 16;

export function seal(key: Uint8Array, value: Uint8Array): Buffer {
  return Buffer.concat([sealOf(key, value), value]);
}

/** Throws STORAGE_CORRUPT. `where` says for people which entry it is. */
export function unseal(key: Uint8Array, sealed: Uint8Array | undefined, where: string): Buffer {
  if (sealed === undefined) throw corrupt(`${where} is missing.`);
  const bytes = Buffer.from(sealed);
  const value = bytes.subarray(sealBytes);
  if (bytes.length < sealBytes || !sealOf(key, value).equals(bytes.subarray(0, sealBytes))) throw corrupt(`${where} is changed.`);
  return value;
}

function sealOf(key: Uint8Array, value: Uint8Array): Buffer {
  return createHash('sha256').update(key).update(value).digest().subarray(0, sealBytes);
}

export function packRecords(records: readonly MemberRecord[]): Buffer {
  const pieces: Uint8Array[] = [];
  for (const record of records) {
    const bytes = encodeRecord(record);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

/** Throws STORAGE_CORRUPT, or STORAGE_VERSION for records of a later version. */
export function unpackRecords(bytes: Buffer, where: string): MemberRecord[] {
  const records: MemberRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.length - at < 4 ? Infinity : at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw corrupt(`${where} ends within a record.`);
    records.push(readRecord(bytes.subarray(at + 4, end), where));
    at = end;
  }
  return records;
}

export function packManifest(manifest: Manifest): Buffer {
  return seal(manifestKey, Buffer.from(JSON.stringify(manifest)));
}

/** Throws STORAGE_VERSION or STORAGE_CORRUPT. */
export function readManifest(sealed: Uint8Array): Manifest {
  const manifest = JSON.parse(unseal(manifestKey, sealed, 'The manifest').toString()) as Manifest;
  if (manifest.format === formatVersion) return manifest;
  throw new QuorateError('STORAGE_VERSION', `The folder has format ${manifest.format}; format ${formatVersion} is known here.`);
}

export function corrupt(what: string, cause?: unknown): QuorateError {
  return new QuorateError('STORAGE_CORRUPT', what, cause === undefined ? {} : { cause });
}
