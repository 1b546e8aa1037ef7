/**
 * Entries of a broker's log of foundings to bytes and back. A version stands in front; whatever is not known here is an error, and never
 * passed over: who skips an entry comes to another group. `docs/protocol.md`, "Founding by count".
 */
import { QuorateError, unreachable } from '../errors.ts';
import type { FoundingEntry } from '../paxos/founding-log.ts';
import { isFault, Malformed } from './fault.ts';
import { tokenSeconds } from './command-codec.ts';
import { countBetween, identifier, list, tuple, type Tuple } from './field.ts';
import { readRecord, readSeat, recordTuple, seatTuple } from './founding-codec.ts';
import { packShared, unpack } from './message-pack.ts';
import { checkShape, frameLimits } from './shape.ts';

// stored  => version entry                                         entry: a MessagePack value
// version => 0x01
// entry   => record | joined | ended
// record  => 1 foundingRecord                                      founding-codec.ts
// joined  => 2 founding seat
// ended   => 3 founding tokenSecond

const entryVersion = 1;
const entryCode = { record: 1, joined: 2, ended: 3 } as const;

/** The bytes are the caller's own. */
export function encodeFoundingEntry(entry: FoundingEntry): Uint8Array {
  const packed = packShared(entryTuple(entry));
  const bytes = new Uint8Array(1 + packed.length);
  bytes[0] = entryVersion;
  bytes.set(packed, 1);
  return bytes;
}

/** Throws `ARBITER_CORRUPT`. */
export function decodeFoundingEntry(bytes: Uint8Array, position: number): FoundingEntry {
  try {
    if (bytes.length < 2) throw new Malformed(`${bytes.length} bytes are no entry`);
    if (bytes[0] !== entryVersion) throw new Malformed(`it is of version ${bytes[0]}, and ${entryVersion} is known here`);
    const shape = checkShape(bytes, 1, frameLimits);
    if (isFault(shape)) throw new Malformed(shape.detail);
    if (shape.end !== bytes.length) throw new Malformed('something follows it');
    return readEntry(unpack(bytes.subarray(1), shape));
  } catch (error) {
    const detail = error instanceof Malformed ? error.message : `unforeseen: ${String(error)}`;
    throw new QuorateError('ARBITER_CORRUPT', `Entry ${position} of the log of foundings cannot be read: ${detail}.`, {
      details: { position },
    });
  }
}

function entryTuple(entry: FoundingEntry): Tuple {
  switch (entry.type) {
    case 'record':
      return [entryCode.record, recordTuple(entry.record)];
    case 'joined':
      return [entryCode.joined, entry.founding, seatTuple(entry.seat)];
    case 'ended':
      return [entryCode.ended, entry.founding, entry.tokenSecond];
    default:
      return unreachable(entry);
  }
}

function readEntry(value: unknown): FoundingEntry {
  const fields = list(value, 'entry');
  if (fields[0] === entryCode.record) {
    const [, record] = tuple(fields, 2, 'record');
    return { type: 'record', record: readRecord(record, 'record') };
  }
  if (fields[0] === entryCode.joined) {
    const [, founding, seat] = tuple(fields, 3, 'joined');
    return { type: 'joined', founding: identifier(founding, 'joined.founding'), seat: readSeat(seat, 'joined.seat') };
  }
  if (fields[0] === entryCode.ended) {
    const [, founding, second] = tuple(fields, 3, 'ended');
    return {
      type: 'ended',
      founding: identifier(founding, 'ended.founding'),
      tokenSecond: countBetween(second, tokenSeconds, 'ended.tokenSecond'),
    };
  }
  throw new Malformed('it is of no known kind');
}
