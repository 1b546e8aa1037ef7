/** A member with the limits that its transport and the wire set. */
import { rowCodec } from '../codec/snapshot-codec.ts';
import { packedBytesMax, valueBytesMax } from '../codec/size.ts';
import { isQuorateError, QuorateError } from '../errors.ts';
import { Member } from '../group/member.ts';
import type { Operation } from '../operation.ts';
import type { LoadedMember } from '../storage/storage.ts';
import { readClock } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import type { EngineOptions, LogLimits } from './engine.ts';

/** Most requests of one session that wait for their application. */
export const outstandingMax = 4096;
/** A batch takes no more of a frame than this, whatever the transport allows: one slot should not hold up the next for long. */
export const batchBytesMax = 262_144;
/** Kept of the log: some for newcomers, and no more than this for a voter that is gone; a busy group writes as much in ten seconds. */
const logLimitDefaults: LogLimits = { slotsKept: 8_192, logSlotsMax: 32_768, logBytesMax: 64 * 1024 * 1024 };
/** Acceptors grant no longer leases than this many election timeouts. */
export const leaseMaxElections = 4;

/** Begins a run. Rejects with STORAGE_FAILED, or with what the storage itself says of it: in use, corrupt, of a later version. */
export async function loadMember({ storage, host }: EngineOptions): Promise<LoadedMember> {
  try {
    return await storage.load(() => host.randomBytes(16).toString('hex'));
  } catch (cause) {
    throw storageError('The storage could not be loaded.', cause);
  }
}

/** What was acknowledged is durable already, so whoever leaves need not be kept by a storage that cannot be closed. */
export async function closeStorage({ storage }: EngineOptions): Promise<void> {
  try {
    await storage.close?.();
  } catch (cause) {
    process.emitWarning(`Quorate could not close its storage: ${String(cause)}`);
  }
}

/** What the storage says of its failure, or STORAGE_FAILED with that as its cause. */
export function storageError(happened: string, cause: unknown): QuorateError {
  if (isQuorateError(cause) && cause.code.startsWith('STORAGE_')) return cause;
  return new QuorateError('STORAGE_FAILED', happened, { cause });
}

/**
 * `frameBytesMax` is asked at each use, for a broker may change its mind at a reconnect. `before`: the member that this one goes on for
 * under a new incarnation; its session is theirs.
 */
export function createMember(
  options: EngineOptions,
  { identity, memory }: LoadedMember,
  frameBytesMax: () => number,
  before?: Member,
): Member {
  const { node, voters, heartbeatMs, electionTimeoutMs, sessionTtlMs, maxSessionTtlMs, firstFounding, reads, host, storage } = options;
  const { count, standsBy, whenMajorityIsLost, replaceAfterMs = Infinity } = options;
  return new Member({
    self: { node, ...identity },
    voters,
    count,
    timing: { heartbeatMs, electionTimeoutMs, leaseMaxMs: leaseMaxElections * electionTimeoutMs, zombieMs: storage.zombieMs },
    sessionTtlMs,
    maxSessionTtlMs,
    firstFounding,
    whenMajorityIsLost,
    standsBy,
    replaceAfterMs,
    reads,
    random: seededRandom(host.randomBytes(4).readUInt32LE()),
    limits: {
      batchBytesMax: () => Math.min(batchBytesMax, valueBytesMax(frameBytesMax())),
      sizeOfEntry: packedBytesMax,
      sizeOfTuple: packedBytesMax,
      sizeOfBatch: packedBytesMax,
      outstandingMax,
      ...(options.logLimits ?? logLimitDefaults),
      storedEverySlots: options.storage.isVolatile ? Infinity : (options.logLimits ?? logLimitDefaults).logSlotsMax,
    },
    rowCodec,
    at: readClock(host),
    memory,
    isVolatile: storage.isVolatile,
    levels: options.versions?.levels,
    before: before?.inspect,
  });
}

/** Nothing more is taken on until some of what waits for that is answered. */
export function mailboxFull(awaited: string): QuorateError {
  const happened = `${outstandingMax} requests of this process wait for ${awaited}.`;
  return new QuorateError('MAILBOX_FULL', happened, { details: { outstandingMax } });
}

/** Throws COMMAND_TOO_LARGE for an operation that no frame has room for. */
export function checkOpSize(op: Operation, frameBytesMax: number): Operation {
  const bytes = packedBytesMax(op);
  const most = valueBytesMax(frameBytesMax);
  if (bytes <= most) return op;
  throw new QuorateError(
    'COMMAND_TOO_LARGE',
    `A request of up to ${bytes} bytes was made; a frame of this transport has room for ${Math.max(0, most)}.`,
  );
}
