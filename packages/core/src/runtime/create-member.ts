/** A member with the limits that its transport and the wire set. */
import { randomBytes } from 'node:crypto';
import { packedBytesMax, valueBytesMax } from '../codec/size.ts';
import { QuorateError } from '../errors.ts';
import { Member } from '../group/member.ts';
import type { LockOp } from '../lock/command.ts';
import type { LoadedMember } from '../storage/storage.ts';
import { readClock } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import type { EngineOptions } from './engine.ts';

/** Most requests of one session that wait for their application. */
export const outstandingMax = 4096;
/** A batch takes no more of a frame than this, whatever the transport allows: one slot should not hold up the next for long. */
export const batchBytesMax = 262_144;
/** Acceptors grant no longer leases than this many election timeouts. */
const leaseMaxElections = 4;

/** `frameBytesMax` is asked at each use, for a broker may change its mind at a reconnect. */
export function createMember(options: EngineOptions, { identity, memory }: LoadedMember, frameBytesMax: () => number): Member {
  const { node, voters, heartbeatMs, electionTimeoutMs, sessionTtlMs, maxSessionTtlMs, firstFounding, reads, clock } = options;
  return new Member({
    self: { node, ...identity },
    voters,
    timing: { heartbeatMs, electionTimeoutMs, leaseMaxMs: leaseMaxElections * electionTimeoutMs },
    sessionTtlMs,
    maxSessionTtlMs,
    firstFounding,
    reads,
    random: seededRandom(randomBytes(4).readUInt32LE()),
    limits: {
      batchBytesMax: () => Math.min(batchBytesMax, valueBytesMax(frameBytesMax())),
      sizeOfEntry: packedBytesMax,
      sizeOfTuple: packedBytesMax,
      sizeOfBatch: packedBytesMax,
      outstandingMax,
    },
    at: readClock(clock),
    memory,
  });
}

/** Throws COMMAND_TOO_LARGE for an operation that no frame has room for. */
export function checkOpSize(op: LockOp, frameBytesMax: number): LockOp {
  const bytes = packedBytesMax(op);
  const most = valueBytesMax(frameBytesMax);
  if (bytes <= most) return op;
  throw new QuorateError(
    'COMMAND_TOO_LARGE',
    `A request of up to ${bytes} bytes was made; a frame of this transport has room for ${most}.`,
  );
}
