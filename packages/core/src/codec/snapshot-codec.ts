/** Snapshots to bytes and back: the chunks as they are hashed and stored, and the same rows within messages. `docs/protocol.md`, "Snapshots". */
import { unreachable } from '../errors.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';
import { rowKind } from '../snapshot/row.ts';
import type { RowCodec, SnapshotHeader, SnapshotRow } from '../snapshot/row.ts';
import { checkResult, checkSeat, levels, noteOrNull, resource } from './command-codec.ts';
import { isFault, Malformed } from './fault.ts';
import { count, countBetween, each, flag, identifier, list, milliseconds, name, nameOrNobody, stamp, tuple, type Tuple } from './field.ts';
import { messageCode } from './message-code.ts';
import { packShared, unpack } from './message-pack.ts';
import { checkSet, partitionCounts, partitionNumbers, weight } from './partition-codec.ts';
import { checkShape, frameLimits } from './shape.ts';
import { packedBytesMax } from './size.ts';

// chunk     => [row]
// header    => format founding configuration index rows chunks hash
// row       => group | session | answer | lock | claim | set | member | excluded | pin | refusal | partition | replaced
// group     => 0 stamp isOpen token level (configuration [seat] sealedAt [incarnation] [node])   seat => node incarnation
// session   => 1 key nonce node instance ttlMs replaces floor
// answer    => 2 seq code a (holder | note | null)                command-codec.ts
// lock      => 3 resource version (note | null)
// claim     => 4 session node seq want token sinceWallMs (value | null)
// set       => 5 name count graceMs settleMs isUnsettled
// member    => 6 node session weight drainTimeoutMs isDrained isLeaving
// excluded  => 7 node
// pin       => 8 partition node
// refusal   => 9 partition node
// replaced  => 11 incarnation
// partition => 10 (home | "") (node | "") session token isRevoked isCovered (note | null)

const hashPattern = /^[0-9a-f]{64}$/;
const wantLeast = -1;

export const rowCodec: RowCodec = {
  sizeOf: packedBytesMax,
  pack: (rows) => packShared(rows).slice(),
  unpack: (chunk) => readAll(chunk, (value) => each(value, 'chunk', readRow)),
  packHeader: (header) => packShared(headerTuple(header)).slice(),
  unpackHeader: (bytes) => readAll(bytes, (value) => readSnapshotHeader(value, 'header')),
};

/** Null for bytes that are not exactly one value of the grammar. */
function readAll<T>(bytes: Uint8Array, read: (value: unknown) => T): T | null {
  const shape = checkShape(bytes, 0, frameLimits);
  if (isFault(shape) || shape.end !== bytes.length) return null;
  try {
    return read(unpack(bytes, shape));
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function headerTuple({ format, founding, configuration, index, rows, chunks, hash }: SnapshotHeader): Tuple {
  return [format, founding, configuration, index, rows, chunks, hash];
}

function readSnapshotHeader(value: unknown, field: string): SnapshotHeader {
  const [format, founding, configuration, index, rows, chunks, hash] = tuple(value, 7, field);
  return {
    format: count(format, 'header.format'),
    founding: identifier(founding, 'header.founding'),
    configuration: count(configuration, 'header.configuration'),
    index: count(index, 'header.index'),
    rows: count(rows, 'header.rows'),
    chunks: count(chunks, 'header.chunks'),
    hash: snapshotHash(hash, 'header.hash'),
  };
}

function snapshotHash(value: unknown, field: string): string {
  const known = identifier(value, field);
  if (!hashPattern.test(known)) throw new Malformed(`${field} is no hash`);
  return known;
}

function readRow(value: unknown, field: string): SnapshotRow {
  checkRow(list(value, field));
  return value as SnapshotRow;
}

function checkRow(row: Tuple): void {
  switch (row[0]) {
    case rowKind.group:
      tuple(row, 6, 'group');
      stamp(row[1], 'group.stamp');
      flag(row[2], 'group.isOpen');
      count(row[3], 'group.token');
      countBetween(row[4], levels, 'group.level');
      checkMembership(row[5]);
      return;
    case rowKind.replaced:
      tuple(row, 2, 'replaced');
      identifier(row[1], 'replaced.incarnation');
      return;
    case rowKind.session:
      tuple(row, 8, 'session');
      count(row[1], 'session.key');
      identifier(row[2], 'session.nonce');
      name(row[3], 'session.node');
      identifier(row[4], 'session.instance');
      milliseconds(row[5], 'session.ttlMs');
      count(row[6], 'session.replaces');
      count(row[7], 'session.floor');
      return;
    case rowKind.answer:
      tuple(row, 5, 'answer');
      return checkResult(row.slice(1));
    case rowKind.lock:
      tuple(row, 4, 'lock');
      resource(row[1], 'lock.resource');
      count(row[2], 'lock.version');
      noteOrNull(row[3], 'lock.note');
      return;
    case rowKind.claim:
      return checkClaim(row);
    default:
      return checkRowOfSet(row);
  }
}

function checkMembership(value: unknown): void {
  const [id, voters, sealedAt, replaced, named] = tuple(value, 5, 'group.membership');
  count(id, 'membership.configuration');
  each(voters, 'membership.voters', checkSeat);
  count(sealedAt, 'membership.sealedAt');
  each(replaced, 'membership.replaced', identifier);
  each(named, 'membership.named', name);
}

function checkClaim(row: Tuple): void {
  tuple(row, 8, 'claim');
  count(row[1], 'claim.session');
  name(row[2], 'claim.node');
  count(row[3], 'claim.seq');
  if (row[4] !== wantLeast) count(row[4], 'claim.want');
  count(row[5], 'claim.token');
  milliseconds(row[6], 'claim.sinceWallMs');
  noteOrNull(row[7], 'claim.value');
}

function checkRowOfSet(row: Tuple): void {
  switch (row[0]) {
    case rowKind.set:
      tuple(row, 6, 'set');
      checkSet(row[1]);
      countBetween(row[2], partitionCounts, 'set.count');
      milliseconds(row[3], 'set.graceMs');
      milliseconds(row[4], 'set.settleMs');
      flag(row[5], 'set.isUnsettled');
      return;
    case rowKind.member:
      tuple(row, 7, 'member');
      name(row[1], 'member.node');
      count(row[2], 'member.session');
      weight(row[3]);
      milliseconds(row[4], 'member.drainTimeoutMs');
      flag(row[5], 'member.isDrained');
      flag(row[6], 'member.isLeaving');
      return;
    case rowKind.excluded:
      tuple(row, 2, 'excluded');
      name(row[1], 'excluded.node');
      return;
    case rowKind.pin:
    case rowKind.refusal:
      tuple(row, 3, 'pin');
      countBetween(row[1], partitionNumbers, 'pin.partition');
      name(row[2], 'pin.node');
      return;
    case rowKind.partition:
      tuple(row, 8, 'partition');
      nameOrNobody(row[1], 'partition.home');
      nameOrNobody(row[2], 'partition.node');
      count(row[3], 'partition.session');
      count(row[4], 'partition.token');
      flag(row[5], 'partition.isRevoked');
      flag(row[6], 'partition.isCovered');
      noteOrNull(row[7], 'partition.note');
      return;
    default:
      throw new Malformed('row is of no known kind');
  }
}

// fetchSnapshot => 128 (hash | "") chunk above
// snapshotOffer => 129 (header | null)
// snapshotChunk => 130 hash chunk [row]

export function snapshotTuple(message: SnapshotMessage): Tuple {
  switch (message.type) {
    case 'fetchSnapshot':
      return [messageCode.fetchSnapshot, message.hash, message.chunk, message.above];
    case 'snapshotOffer':
      return [messageCode.snapshotOffer, message.header && headerTuple(message.header)];
    case 'snapshotChunk':
      return [messageCode.snapshotChunk, message.hash, message.chunk, message.rows];
    default:
      return unreachable(message);
  }
}

/** `null` for a code that is no message of snapshots. */
export function readSnapshotMessage(code: number, fields: Tuple): SnapshotMessage | null {
  switch (code) {
    case messageCode.fetchSnapshot: {
      const [, hash, chunk, above] = tuple(fields, 4, 'fetchSnapshot');
      return {
        type: 'fetchSnapshot',
        hash: hash === '' ? '' : snapshotHash(hash, 'fetchSnapshot.hash'),
        chunk: count(chunk, 'fetchSnapshot.chunk'),
        above: count(above, 'fetchSnapshot.above'),
      };
    }
    case messageCode.snapshotOffer: {
      const [, header] = tuple(fields, 2, 'snapshotOffer');
      return { type: 'snapshotOffer', header: header === null ? null : readSnapshotHeader(header, 'snapshotOffer.header') };
    }
    case messageCode.snapshotChunk: {
      const [, hash, chunk, rows] = tuple(fields, 4, 'snapshotChunk');
      return {
        type: 'snapshotChunk',
        hash: snapshotHash(hash, 'snapshotChunk.hash'),
        chunk: count(chunk, 'snapshotChunk.chunk'),
        rows: each(rows, 'snapshotChunk.rows', readRow),
      };
    }
    default:
      return null;
  }
}
