/** The parts of a member that are made from its options alone. */
import { isInterimResult, seqOfResult } from '../lock/command.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import { Founder } from '../paxos/founding.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import { SessionHolder } from '../session/session-holder.ts';
import { instanceOf } from './leader-service.ts';
import { GroupState } from './group-state.ts';
import { restoredState } from './snapshot-client.ts';
import type { SeatOrigin } from './voter-seat.ts';
import type { MemberOptions } from './member-io.ts';

/** A configured voter has a founder, whether or not it gets a seat. */
export function founderFor({ self, voters, timing, maxSessionTtlMs, firstFounding, memory }: MemberOptions): Founder | null {
  if (!voters.includes(self.node)) return null;
  return new Founder({ self, voters, periodMs: timing.heartbeatMs, maxSessionTtlMs, firstFounding, memory: memory?.founder });
}

/** What its storage kept for the seat. Throws STORAGE_CORRUPT for a snapshot that is not what was written. */
export function storedOrigin({ memory, rowCodec, levels }: MemberOptions, { maxSessionTtlMs }: FoundingRecord): SeatOrigin {
  const { replica, snapshot } = memory ?? {};
  return { memory: replica, state: snapshot && restoredState(snapshot, new GroupState({ maxSessionTtlMs }, levels), rowCodec) };
}

export function holderFor({ self, timing, limits, sessionTtlMs }: MemberOptions): SessionHolder<Operation, OperationResult, WatchedState> {
  return new SessionHolder<Operation, OperationResult, WatchedState>({
    ttlMs: sessionTtlMs,
    resendMs: timing.electionTimeoutMs,
    instance: instanceOf(self),
    outstandingMax: limits.outstandingMax,
    submitBytesMax: limits.batchBytesMax,
    sizeOfOp: limits.sizeOfTuple,
    seqOf: seqOfResult,
    isInterim: isInterimResult,
  });
}
