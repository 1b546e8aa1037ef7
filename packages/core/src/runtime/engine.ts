/** What the API stands on: one member of a group, run against a real clock, transport and storage. */
import type { Observable } from 'rxjs';
import type { Arbiter } from '../arbiter/arbiter.ts';
import type { QuorateError } from '../errors.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { Member, MemberEvent, MemberInput, MemberLimits, MemberOutput, MemberStatus } from '../group/member.ts';
import type { MembersView } from '../group/roll.ts';
import type { VoterOrder } from '../paxos/voter-order.ts';
import type { SessionLoss } from '../session/session-holder.ts';
import type { Host } from '../time/host.ts';
import type { Storage } from '../storage/storage.ts';
import type { CloseFailure } from './ending.ts';
import type { Versions } from './versions.ts';
import type { ChannelEvent, ChannelStatus, Transport } from '../transport/transport.ts';

export interface EngineOptions {
  readonly group: string;
  readonly node: string;
  /** Sorted. Empty where `count` says how many there are to be. */
  readonly voters: readonly string[];
  readonly count?: number | undefined;
  /** Which founding counts, in a group founded by count. */
  readonly arbiter?: Arbiter | undefined;
  readonly transport: Transport;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly sessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  /** Absent: `stop`. */
  readonly whenMajorityIsLost?: 'stop' | 'refound';
  readonly standsBy: boolean;
  /** Absent: never. */
  readonly replaceAfterMs?: number;
  readonly reads: 'lease' | 'quorum';
  readonly secrets: readonly (string | Uint8Array)[];
  readonly publish: 'none' | 'leadership' | 'all';
  readonly storage: Storage;
  readonly host: Host;
  /** Most frames that wait to be stepped; more are dropped and counted. */
  readonly mailboxMax: number;
  /** How much of the log is kept, where it is not the usual. */
  readonly logLimits?: LogLimits | null | undefined;
  readonly signal?: AbortSignal;
  /** Told what the transport says while it opens, when there is no engine yet to tell of it. */
  readonly onOpening?: ((report: ChannelEvent) => void) | undefined;
  /** What this build can; absent: the present version and what it understands beside it. */
  readonly versions?: Versions | undefined;
  /** For checks. */
  readonly observer?: EngineObserver;
}

export type LogLimits = Pick<MemberLimits, 'slotsKept' | 'logSlotsMax' | 'logBytesMax'>;

/** Sees what a member is given and what it makes of it. */
export interface EngineObserver {
  /** Each turn's inputs and what came of each, once what they persist is durable and before anything of it leaves. */
  onTurn(member: Member, inputs: readonly MemberInput[], outputs: readonly MemberOutput[]): void;
  /** Every request under a session, before it is stepped. */
  onRequest(member: Member, session: number, op: Operation): void;
}

/** How a request ended; `queued` may come first, once. */
export type RequestOutcome =
  | { readonly type: 'result'; readonly result: OperationResult }
  /** The session under which it was made is over: it took effect or not, and has none any more. */
  | { readonly type: 'sessionLost'; readonly reason: SessionLoss };

export interface Refusal {
  readonly code: string;
  readonly detail: string;
  /** Who sent it, where its envelope could be read and, in a group with secrets, its seal held. */
  readonly node: string | null;
  /** Of this code and sender so far; where `node` is null, of this code by all that are not named. */
  readonly count: number;
}

export type EngineEvent =
  | MemberEvent
  | { readonly type: 'connection'; readonly status: ChannelStatus; readonly error?: Error }
  | { readonly type: 'transport'; readonly report: ChannelEvent }
  /** The broker's log of foundings could not be used; it is tried again, which helps where the error is retriable. */
  | { readonly type: 'arbiterFailed'; readonly error: QuorateError }
  /**
   * A frame that was not taken: unknown version, other group, unsealed, malformed, … Reported at the 1st, 10th, 100th, … of each sender
   * (`node`) and code; null stands for all whose envelope could not be read or whose seal did not hold, and, after 100 such pairs, for the rest.
   */
  | ({ readonly type: 'frameRefused' } & Refusal)
  | { readonly type: 'overload'; readonly dropped: number }
  | { readonly type: 'clockJump'; readonly byMs: number }
  | { readonly type: 'eventLoopBlocked'; readonly forMs: number }
  /** The transport, the log of foundings or the storage could not be let go, or not in time. */
  | CloseFailure
  | { readonly type: 'stopped'; readonly error: Error };

export interface EngineStatus extends MemberStatus {
  readonly connection: ChannelStatus;
  /** Why the connection is broken, where the transport said so; null while it is not. */
  readonly connectionError: Error | null;
  readonly session: 'opening' | 'healthy' | 'jeopardy' | 'lost' | 'closed';
}

export interface EngineCounters {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly framesRefused: number;
  readonly framesDropped: number;
  readonly leaderChanges: number;
  readonly sessionsLost: number;
  readonly eventLoopLagMs: number;
  readonly eventLoopLagMaxMs: number;
  readonly eventsPublished: number;
  readonly eventsDropped: number;
}

export interface Engine {
  readonly host: Host;
  readonly events$: Observable<EngineEvent>;
  /** The present status first, then each change. */
  readonly status$: Observable<EngineStatus>;
  readonly status: EngineStatus;
  /** This voter found a majority of its own group lost. Every acquire asks, and the whole status would cost it more than all else. */
  readonly isBereft: boolean;
  readonly counters: EngineCounters;
  /** Who votes and who stands by, as far as this process knows. */
  readonly members: MembersView;
  /** Asks the leader for something about who votes or leads, until it says the last word: events `voterOrder` of that id. Null takes it back. */
  order(id: number, order: VoterOrder | null): void;
  /** The number of the session that serves now, or null. A lease belongs to the session it was granted under. */
  readonly session: number | null;
  /** The founding the member belongs to, or null. */
  readonly founding: string | null;
  /** How long the session may still be relied on, by both clocks, read now; 0 without one. Finding it over ends it for good. */
  remainingMs(): number;
  /**
   * Makes a request under the present session; `onOutcome` is called with `queued` perhaps, then once with the end. Several
   * requests of one turn travel together. Throws `QuorateError` SESSION_LOST without a session, MAILBOX_FULL with a full window,
   * COMMAND_TOO_LARGE, or CLOSED.
   */
  submit(build: (seq: number) => Operation, onOutcome: (outcome: RequestOutcome) => void): number;
  /** How long the lease on the partition with this token may be relied on, read now; 0 once it is over, for the session or for it alone. */
  coverMs(token: number): number;
  /** Calls the listener with the tokens that each answered keep-alive covered, until the function it returns is called. */
  onCovered(listener: (tokens: ReadonlySet<number>) => void): () => void;
  /** Calls the listener with the state of a resource, now and at each change, until the function it returns is called. Throws LIMIT_REACHED. */
  watch(resource: string, listener: (state: WatchedState) => void): () => void;
  /**
   * Ends the session at the group, or the one that its opening may have made there, and opens no other. True once none is left; false
   * where that is not known in time.
   */
  endSession(timeoutMs: number): Promise<boolean>;
  /**
   * Ends the session at the group (its leases with it), hands leadership over, leaves the transport. Resolves by the deadline, or a
   * second after it where the transport or the storage takes that long; never rejects.
   * Without `endSession` the session is left to run out: what still works under its leases must not overlap with a next holder.
   */
  close(timeoutMs: number, endSession?: boolean): Promise<{ readonly sessionClosed: boolean }>;
}
