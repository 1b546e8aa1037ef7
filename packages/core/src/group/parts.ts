/** The parts of a member that are made from its options alone. */
import { isInterimResult, seqOfResult } from '../lock/command.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { Proposer } from '../paxos/ballot.ts';
import { Founder } from '../paxos/founding.ts';
import { CountFounder } from '../paxos/founding-by-count.ts';
import type { FoundingRecord, Greeting, Hello } from '../paxos/founding-message.ts';
import { SessionHolder } from '../session/session-holder.ts';
import { instanceOf } from './leader-service.ts';
import { GroupState } from './group-state.ts';
import { restoredState } from './snapshot-client.ts';
import type { Instant } from '../time/clock.ts';
import type { FoundingDesk } from './founding-desk.ts';
import type { LeaderDirectory } from './leader-directory.ts';
import type { Place } from './place.ts';
import type { SeatOrigin } from './seat-io.ts';
import type { MemberInside, MemberOptions } from './member-io.ts';
import type { Survivor } from './survivor.ts';
import type { VoterSeat } from './voter-seat.ts';

/** A configured voter has a founder, whether or not it gets a seat; and so has everybody where whoever comes may be a voter. */
export function founderFor(options: MemberOptions): Founder | CountFounder | null {
  const { self, voters, count, timing, maxSessionTtlMs, firstFounding, memory } = options;
  const common = { self, periodMs: timing.heartbeatMs, maxSessionTtlMs, firstFounding, memory: memory?.founder };
  if (count !== undefined) return new CountFounder({ ...common, count, isCandidate: options.standsBy === true });
  // Who is the only one, and told to be the first, has nobody to ask.
  const isAlone = voters.length === 1 && firstFounding;
  return voters.includes(self.node)
    ? new Founder({ ...common, voters, questionsToAll: isAlone ? 0 : Math.ceil(timing.electionTimeoutMs / timing.heartbeatMs) })
    : null;
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
    resourceOf: ({ resource }) => resource,
  });
}

/** Of a member with this holder and this founder. Asked at every turn. */
export function insideOf(place: Place, self: Proposer, holder: MemberInside['holder'], founder: MemberInside['founder']): MemberInside {
  const { orders, stores, state, log, record, seat, isGiven } = place;
  return { self, holder, founder, orders, stores, state, log, record, seat, isGiven, replica: seat?.replica ?? null };
}

/** Whom a leader reaches, by itself or by the leader's word. */
export function connectedTo(
  seat: VoterSeat | null,
  directory: LeaderDirectory,
  { self, timing }: MemberOptions,
  nowMs: number,
): readonly string[] {
  const term = seat?.replica.leading;
  if (term) return term.lease.connected(nowMs, timing.electionTimeoutMs);
  const heard = directory.connected(nowMs);
  return seat && !heard.includes(self.node) ? [...heard, self.node] : heard;
}

/** What a member says to whoever asks who is there. */
export function greetingTo(
  { nonce }: Hello,
  {
    place: { seat, record },
    desk,
    options: { maxSessionTtlMs, whenMajorityIsLost },
    tokenSecond,
    survivor,
  }: { place: Place; desk: FoundingDesk; options: MemberOptions; tokenSecond: number; survivor: Survivor },
  at: Instant,
): Greeting {
  const { founder } = desk;
  // What a client may ask for was granted to nobody.
  const granted = { longestTtlMs: record?.maxSessionTtlMs ?? maxSessionTtlMs, inherits: undefined, tokenSecond: 0 };
  const { longestTtlMs, inherits, tokenSecond: told } = founder instanceof Founder ? founder : granted;
  const { isBereft, isUnseated } = survivor;
  // Whom no list names has nothing to found with, so that it gives way by proving nothing.
  const givesWay = whenMajorityIsLost === 'refound' && founder === null && (isBereft || isUnseated);
  const ofSeat = seat?.holdsLease(at) ? 'led' : givesWay ? 'live' : isBereft ? 'bereft' : null;
  return {
    type: 'greeting',
    nonce,
    voters: desk.asked,
    wallMs: at.wallMs,
    tokenSecond: Math.max(tokenSecond, told),
    longestTtlMs,
    standing: ofSeat ?? desk.standing(seat !== null),
    record: seat ? record : (founder?.acceptedRecord ?? record),
    ...(inherits && { replaces: inherits.founding }),
  };
}
