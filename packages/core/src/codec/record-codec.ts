/**
 * Records of a member to bytes and back, for stores. Reading is total: whatever the bytes are, the answer is a record or a fault.
 * `docs/protocol.md`, "Records".
 */
import { unreachable } from '../errors.ts';
import type { Operation } from '../operation.ts';
import type { FounderRecord, InheritedRecord } from '../paxos/founding.ts';
import type { ReplicaRecord } from '../paxos/acceptor.ts';
import type { ConfigurationRecord } from '../paxos/founding-message.ts';
import type { PositionRecord } from '../paxos/store-message.ts';
import type { Batch } from '../session/command.ts';
import { readValue, tokenSeconds } from './command-codec.ts';
import { fault, isFault, Malformed, type FrameFault } from './fault.ts';
import { count, countBetween, flag, identifier, list, milliseconds, tuple, type Tuple } from './field.ts';
import { readRecord as readFoundingRecord, recordTuple as foundingRecordTuple } from './founding-codec.ts';
import { ballotTuple, readBallot } from './log-codec.ts';
import { packShared, unpack } from './message-pack.ts';
import { checkShape, frameLimits } from './shape.ts';

// stored    => version record                                     record: a MessagePack value
// version   => 0x01
// record    => founding | discarded | promised | voted | learned | chosen | configuration | inherited | position
// founding  => 1 foundingRecord complete confirmed                founding-codec.ts
// discarded => 2
// promised  => 3 ballot                                           log-codec.ts
// voted     => 4 slot ballot value                                command-codec.ts
// learned   => 5 slot value
// chosen    => 6 upTo
// configuration => 7 foundingRecord sealedAt
// inherited => 8 founding tokenSecond longestTtlMs
// position  => 9 position

const recordVersion = 1;
const recordCode = {
  founding: 1,
  discarded: 2,
  promised: 3,
  voted: 4,
  learned: 5,
  chosen: 6,
  configuration: 7,
  inherited: 8,
  position: 9,
} as const;

type StoredRecord = FounderRecord | InheritedRecord | ReplicaRecord<Batch<Operation>> | ConfigurationRecord | PositionRecord;

/** The bytes are the caller's own. */
export function encodeRecord(record: StoredRecord): Uint8Array {
  const packed = packShared(recordTuple(record));
  const bytes = new Uint8Array(1 + packed.length);
  bytes[0] = recordVersion;
  bytes.set(packed, 1);
  return bytes;
}

export function decodeRecord(bytes: Uint8Array): StoredRecord | FrameFault {
  if (bytes.length < 2) return fault('truncated', `A record of ${bytes.length} bytes.`);
  const version = bytes[0];
  if (version !== recordVersion) {
    return { ...fault('version', `A record of version ${version}; version ${recordVersion} is known here.`), version };
  }
  const shape = checkShape(bytes, 1, frameLimits);
  if (isFault(shape)) return shape;
  if (shape.end !== bytes.length) return fault('malformed', `${bytes.length - shape.end} bytes follow the record.`);
  try {
    return readTuple(unpack(bytes.subarray(1), shape));
  } catch (error) {
    return fault('malformed', error instanceof Malformed ? error.message : `Unforeseen: ${String(error)}`);
  }
}

function recordTuple(record: StoredRecord): Tuple {
  switch (record.type) {
    case 'founding':
      return [recordCode.founding, foundingRecordTuple(record.record), record.complete, record.confirmed ?? false];
    case 'discarded':
      return [recordCode.discarded];
    case 'promised':
      return [recordCode.promised, ballotTuple(record.ballot)];
    case 'voted':
      return [recordCode.voted, record.slot, ballotTuple(record.ballot), record.value];
    case 'learned':
      return [recordCode.learned, record.slot, record.value];
    case 'chosen':
      return [recordCode.chosen, record.upTo];
    case 'configuration':
      return [recordCode.configuration, foundingRecordTuple(record.record), record.sealedAt];
    case 'inherited':
      return [recordCode.inherited, record.founding, record.tokenSecond, record.longestTtlMs];
    case 'position':
      return [recordCode.position, record.position];
    default:
      return unreachable(record);
  }
}

function readTuple(value: unknown): StoredRecord {
  const fields = list(value, 'record');
  switch (fields[0]) {
    case recordCode.founding: {
      const [, record, complete, confirmed] = tuple(fields, 4, 'founding');
      return {
        type: 'founding',
        record: readFoundingRecord(record, 'founding.record'),
        complete: flag(complete, 'founding.complete'),
        confirmed: flag(confirmed, 'founding.confirmed'),
      };
    }
    case recordCode.discarded:
      tuple(fields, 1, 'discarded');
      return { type: 'discarded' };
    case recordCode.promised: {
      const [, ballot] = tuple(fields, 2, 'promised');
      return { type: 'promised', ballot: readBallot(ballot, 'promised.ballot') };
    }
    case recordCode.voted: {
      const [, slot, ballot, batch] = tuple(fields, 4, 'voted');
      return {
        type: 'voted',
        slot: count(slot, 'voted.slot'),
        ballot: readBallot(ballot, 'voted.ballot'),
        value: readValue(batch, 'voted.value'),
      };
    }
    case recordCode.learned: {
      const [, slot, batch] = tuple(fields, 3, 'learned');
      return { type: 'learned', slot: count(slot, 'learned.slot'), value: readValue(batch, 'learned.value') };
    }
    case recordCode.chosen: {
      const [, upTo] = tuple(fields, 2, 'chosen');
      return { type: 'chosen', upTo: count(upTo, 'chosen.upTo') };
    }
    case recordCode.configuration: {
      const [, record, sealedAt] = tuple(fields, 3, 'configuration');
      return {
        type: 'configuration',
        record: readFoundingRecord(record, 'configuration.record'),
        sealedAt: count(sealedAt, 'configuration.sealedAt'),
      };
    }
    case recordCode.inherited: {
      const [, founding, tokenSecond, longestTtlMs] = tuple(fields, 4, 'inherited');
      return {
        type: 'inherited',
        founding: identifier(founding, 'inherited.founding'),
        tokenSecond: countBetween(tokenSecond, tokenSeconds, 'inherited.tokenSecond'),
        longestTtlMs: milliseconds(longestTtlMs, 'inherited.longestTtlMs'),
      };
    }
    case recordCode.position: {
      const [, position] = tuple(fields, 2, 'position');
      return { type: 'position', position: count(position, 'position.position') };
    }
    default:
      throw new Malformed('the record is of no known kind');
  }
}
