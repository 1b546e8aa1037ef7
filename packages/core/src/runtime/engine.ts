/** What the API stands on: one member of a group, run against a real clock, transport and storage. */
import type { Observable } from 'rxjs';
import type { LockOp, LockResult, LockState } from '../lock/command.ts';
import type { MemberEvent, MemberStatus } from '../group/member.ts';
import type { SessionLoss } from '../session/session-holder.ts';
import type { Clock } from '../time/clock.ts';
import type { Storage } from '../storage/storage.ts';
import type { ChannelEvent, ChannelStatus, Transport } from '../transport/transport.ts';

export interface EngineOptions {
  readonly group: string;
  readonly node: string;
  /** Sorted. */
  readonly voters: readonly string[];
  readonly transport: Transport;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly sessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  readonly reads: 'lease' | 'quorum';
  readonly secrets: readonly (string | Uint8Array)[];
  readonly publish: 'none' | 'leadership' | 'all';
  readonly storage: Storage;
  readonly clock: Clock;
  /** Most frames that wait to be stepped; more are dropped and counted. */
  readonly mailboxMax: number;
  readonly signal?: AbortSignal;
}

/** How a request ended; `queued` may come first, once. */
export type RequestOutcome =
  | { readonly type: 'result'; readonly result: LockResult }
  /** The session under which it was made is over: it took effect or not, and has none any more. */
  | { readonly type: 'sessionLost'; readonly reason: SessionLoss };

export type EngineEvent =
  | MemberEvent
  | { readonly type: 'connection'; readonly status: ChannelStatus; readonly error?: Error }
  | { readonly type: 'transport'; readonly report: ChannelEvent }
  /** A frame that was not taken: unknown version, other group, unsealed, malformed, … Counted; reported once for each sender and code in a while. */
  | { readonly type: 'frameRefused'; readonly code: string; readonly detail: string; readonly count: number }
  | { readonly type: 'overload'; readonly dropped: number }
  | { readonly type: 'clockJump'; readonly byMs: number }
  | { readonly type: 'eventLoopBlocked'; readonly forMs: number }
  | { readonly type: 'stopped'; readonly error: Error };

export interface EngineStatus extends MemberStatus {
  readonly connection: ChannelStatus;
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
  readonly clock: Clock;
  readonly events$: Observable<EngineEvent>;
  /** The present status first, then each change. */
  readonly status$: Observable<EngineStatus>;
  readonly status: EngineStatus;
  readonly counters: EngineCounters;
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
  submit(build: (seq: number) => LockOp, onOutcome: (outcome: RequestOutcome) => void): number;
  /** Calls the listener with the state of a resource, now and at each change, until the function it returns is called. */
  watch(resource: string, listener: (state: LockState) => void): () => void;
  /**
   * Ends the session at the group (its leases with it), hands leadership over, leaves the transport. Resolves by the deadline.
   * Without `endSession` the session is left to run out: what still works under its leases must not overlap with a next holder.
   */
  close(timeoutMs: number, endSession?: boolean): Promise<{ readonly sessionClosed: boolean }>;
}
