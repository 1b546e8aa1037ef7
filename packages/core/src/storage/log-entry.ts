/** The entries of a fenced log as bytes, and what a log of them comes to. Reading trusts nothing: whatever is odd is STORAGE_CORRUPT. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../errors.ts';
import type { MemberRecord } from '../group/member.ts';
import { encodeRecord } from '../codec/record-codec.ts';
import { readRecord } from './read-record.ts';
import type { StoredIdentity } from './storage.ts';

// part    => version kind position:uint32 index:uint16 count:uint16 check slice     the slices of all parts together are the entry
// version => 0x01
// check   => the first 8 bytes of the SHA-256 of all the rest
// head    => 1 meta record*          all that was before it is over
// run     => 2 meta                  a process start that goes on with what there is
// records => 3 record*
// claim   => 4 nonce                 nothing but a fence; stands at no position
// meta    => length:uint32 JSON      record => length:uint32 bytes

const entryVersion = 1;
const kinds = { head: 1, run: 2, records: 3, claim: 4 } as const;
const headBytes = 10;
const checkBytes = 8;
const prefixBytes = headBytes + checkBytes;
const partsMax = 0xffff;

/** Where the pieces of a snapshot are, and how to put them together. */
export interface SnapshotPointer {
  readonly id: string;
  readonly index: number;
  readonly pieces: number;
  /** Of the header, then of each chunk. */
  readonly lengths: readonly number[];
  readonly sha256: string;
}

export interface Head {
  /** Null where the last incarnation discarded itself. */
  readonly identity: StoredIdentity | null;
  readonly snapshot: SnapshotPointer | null;
  readonly records: readonly MemberRecord[];
}

export type LogEntry =
  | ({ readonly kind: 'head' } & Head)
  | { readonly kind: 'run'; readonly identity: StoredIdentity }
  | { readonly kind: 'records'; readonly records: readonly MemberRecord[] };

/** What a log says, and the position of the next entry. */
export interface LogContent extends Head {
  readonly nextPosition: number;
}

interface Part {
  readonly kind: number;
  readonly position: number;
  readonly index: number;
  readonly count: number;
  readonly slice: Uint8Array;
}

/** With random bytes, so that its writer knows it again. */
export function claimPart(nonce: Uint8Array): Uint8Array {
  return partOf(kinds.claim, 0, 0, 1, nonce);
}

export function partsOf(entry: LogEntry, position: number, partBytesMax: number): readonly Uint8Array[] {
  const bytes = Buffer.concat(bodyOf(entry));
  const room = partBytesMax - prefixBytes;
  const count = Math.max(1, Math.ceil(bytes.length / room));
  if (count > partsMax) throw new QuorateError('STORAGE_FAILED', `An entry of ${bytes.length} bytes has no room in this store.`);
  return Array.from({ length: count }, (_, index) =>
    partOf(kinds[entry.kind], position, index, count, bytes.subarray(index * room, (index + 1) * room)),
  );
}

/** Null for a log that nobody has used. Throws STORAGE_CORRUPT and STORAGE_VERSION. */
export function readLog(log: readonly Uint8Array[]): LogContent | null {
  const parts = log.map(readPart);
  const start = lastHead(parts);
  if (start < 0) {
    if (parts.every(({ kind }) => kind === kinds.claim || kind === kinds.head)) return null;
    throw corrupt('its beginning is missing');
  }
  let content: Growing | undefined;
  for (let at = start; at < parts.length;) {
    const end = endOfEntry(parts, at);
    if (end !== undefined) content = withEntry(content, parts.slice(at, end));
    // What a writer left unfinished was acknowledged to nobody; the next thing in the log is the claim of the one after it.
    at = end ?? nextClaim(parts, at);
  }
  return content ?? null;
}

/** Grows in place: a log may hold many thousand entries. */
interface Growing extends LogContent {
  identity: StoredIdentity | null;
  readonly records: MemberRecord[];
  nextPosition: number;
}

function withEntry(content: Growing | undefined, [first, ...others]: readonly Part[]): Growing | undefined {
  if (first === undefined || first.kind === kinds.claim) return content;
  const bytes = new Fields(Buffer.concat([first, ...others].map(({ slice }) => slice)), first.position);
  if (first.kind === kinds.head) {
    const { identity, snapshot } = readHeadMeta(bytes.json());
    return { identity, snapshot, records: bytes.records(), nextPosition: 1 };
  }
  if (content === undefined || first.position !== content.nextPosition) {
    throw corrupt(`entry ${first.position} stands where ${content?.nextPosition ?? 0} belongs`);
  }
  content.nextPosition += 1;
  if (first.kind === kinds.run) content.identity = readIdentity(bytes.json());
  else for (const record of bytes.records()) content.records.push(record);
  return content;
}

function lastHead(parts: readonly Part[]): number {
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    if (parts[at]?.kind === kinds.head && parts[at]?.index === 0 && endOfEntry(parts, at) !== undefined) return at;
  }
  return -1;
}

/** Undefined where the entry that begins here is not whole. */
function endOfEntry(parts: readonly Part[], at: number): number | undefined {
  const first = parts[at];
  if (first === undefined || first.index !== 0)
    throw corrupt(`part ${first?.index ?? 0} of entry ${first?.position ?? 0} follows no other`);
  for (let index = 1; index < first.count; index += 1) {
    const part = parts[at + index];
    const isNext = part?.kind === first.kind && part.position === first.position && part.index === index && part.count === first.count;
    if (!isNext) return undefined;
  }
  return at + first.count;
}

function nextClaim(parts: readonly Part[], from: number): number {
  const at = parts.findIndex(({ kind }, index) => index > from && kind === kinds.claim);
  const end = at < 0 ? parts.length : at;
  if (parts.slice(from, end).some(({ position }) => position !== parts[from]?.position))
    throw corrupt('an entry is not whole, and others follow');
  return end;
}

function readPart(bytes: Uint8Array): Part {
  if (bytes.length < prefixBytes) throw corrupt(`an entry has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  if (version !== entryVersion) {
    throw new QuorateError('STORAGE_VERSION', `The log of this seat has an entry of version ${version}; ${entryVersion} is known here.`);
  }
  const part = { kind: view.getUint8(1), position: view.getUint32(2), index: view.getUint16(6), count: view.getUint16(8) };
  const isKnown = part.kind >= kinds.head && part.kind <= kinds.claim;
  if (!isKnown || part.count === 0 || part.index >= part.count) throw corrupt('an entry is of no known kind');
  if (checkOf(bytes).compare(bytes, headBytes, prefixBytes) !== 0) throw corrupt(`entry ${part.position} is not what was written`);
  return { ...part, slice: bytes.subarray(prefixBytes) };
}

function partOf(kind: number, position: number, index: number, count: number, slice: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefixBytes + slice.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, entryVersion);
  view.setUint8(1, kind);
  view.setUint32(2, position);
  view.setUint16(6, index);
  view.setUint16(8, count);
  bytes.set(slice, prefixBytes);
  bytes.set(checkOf(bytes), headBytes);
  return bytes;
}

function checkOf(bytes: Uint8Array): Buffer {
  const hash = createHash('sha256').update(bytes.subarray(0, headBytes)).update(bytes.subarray(prefixBytes));
  return hash.digest().subarray(0, checkBytes);
}

function bodyOf(entry: LogEntry): Uint8Array[] {
  switch (entry.kind) {
    case 'head':
      return [json({ identity: entry.identity, snapshot: entry.snapshot }), ...entry.records.map(recordField)].flat();
    case 'run':
      return json({ identity: entry.identity });
    case 'records':
      return entry.records.flatMap(recordField);
  }
}

function json(value: unknown): Uint8Array[] {
  return field(Buffer.from(JSON.stringify(value)));
}

function recordField(record: MemberRecord): Uint8Array[] {
  return field(encodeRecord(record));
}

function field(bytes: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

/** The fields of an entry, read one after the other. */
class Fields {
  #at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly position: number,
  ) {}

  json(): unknown {
    const text = this.#next().toString('utf8');
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw corrupt(`what entry ${this.position} says cannot be read`, cause);
    }
  }

  records(): MemberRecord[] {
    const records: MemberRecord[] = [];
    while (this.#at < this.bytes.length) records.push(readRecord(this.#next(), `Entry ${this.position} of the log of this seat`));
    return records;
  }

  #next(): Buffer {
    const from = this.#at + 4;
    const end = from <= this.bytes.length ? from + this.bytes.readUInt32BE(this.#at) : Infinity;
    if (end > this.bytes.length) throw corrupt(`entry ${this.position} ends too early`);
    this.#at = end;
    return this.bytes.subarray(from, end);
  }
}

function readHeadMeta(value: unknown): Pick<Head, 'identity' | 'snapshot'> {
  const { identity, snapshot } = objectOf(value);
  return {
    identity: identity === null ? null : readIdentity({ identity }),
    snapshot: snapshot === null ? null : readPointer(snapshot),
  };
}

function readIdentity(value: unknown): StoredIdentity {
  const { incarnation, run } = objectOf(objectOf(value)['identity']);
  if (typeof incarnation !== 'string' || incarnation === '' || !isCount(run)) throw corrupt('the identity in it is none');
  return { incarnation, run };
}

function readPointer(value: unknown): SnapshotPointer {
  const { id, index, pieces, lengths, sha256 } = objectOf(value);
  const areLengths = Array.isArray(lengths) && lengths.every(isCount);
  if (typeof id !== 'string' || !isCount(index) || !isCount(pieces) || !areLengths || typeof sha256 !== 'string') {
    throw corrupt('the pointer to its snapshot is none');
  }
  return { id, index, pieces, lengths, sha256 };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw corrupt('an entry says nothing that is known');
  return value as Readonly<Record<string, unknown>>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function corrupt(what: string, cause?: unknown): QuorateError {
  return new QuorateError('STORAGE_CORRUPT', `The log of this seat cannot be trusted: ${what}.`, { cause });
}
