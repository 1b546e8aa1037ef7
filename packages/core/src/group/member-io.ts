/** What goes into a member and what comes out of it. */
import type { LockEvent, LockOp, LockResult, LockState } from '../lock/command.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { FounderEvent, FounderMemory, FounderRecord } from '../paxos/founding.ts';
import type { ReplicaEvent, ReplicaMemory, ReplicaRecord, ReplicaTiming } from '../paxos/replica.ts';
import type { HolderEvent } from '../session/session-holder.ts';
import type { Instant } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { GroupBatch, GroupEntry, MemberFrame, MemberSend } from './member-message.ts';

export interface MemberOptions {
  readonly self: Proposer;
  /** Sorted by code unit. A node that is not among them is a client. */
  readonly voters: readonly string[];
  readonly timing: ReplicaTiming;
  readonly sessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  readonly reads: 'lease' | 'quorum';
  readonly random: Random;
  readonly limits: MemberLimits;
  readonly at: Instant;
  readonly memory?: MemberMemory;
}

export interface MemberLimits {
  /** Most bytes of one batch; asked at each use, for a broker may change its mind. */
  readonly batchBytesMax: () => number;
  readonly sizeOfEntry: (entry: GroupEntry) => number;
  readonly sizeOfTuple: (tuple: LockOp | LockResult) => number;
  readonly sizeOfBatch: (batch: GroupBatch) => number;
  readonly outstandingMax: number;
}

export interface MemberMemory {
  readonly founder: FounderMemory;
  readonly replica?: ReplicaMemory<GroupBatch>;
}

export type MemberRecord = FounderRecord | ReplicaRecord<GroupBatch>;

export type MemberEvent =
  | Exclude<ReplicaEvent, { type: 'following' }>
  | FounderEvent
  | HolderEvent
  | { readonly type: 'leaderChanged'; readonly leader: string | null; readonly round: number }
  | { readonly type: 'serving'; readonly round: number }
  /** A voter that came back without its memory: it serves as a client until it is swapped in. */
  | { readonly type: 'seatLost'; readonly founding: string }
  | { readonly type: 'nodeNameTaken'; readonly by: Proposer }
  | { readonly type: 'foreignFounding'; readonly node: string; readonly founding: string };

/** A change of a lock, for readers outside the group; `slot` and `index` make it one of a kind within the founding. */
export interface PublishedChange {
  readonly slot: number;
  readonly index: number;
  readonly wallMs: number;
  readonly change: LockEvent;
}

/** Fields in the order in which they are carried out: nothing in `send` leaves before `persist` is durable. */
export interface MemberOutput {
  readonly persist: MemberRecord[];
  readonly send: MemberSend[];
  /** Answers to this member's own requests. */
  readonly results: LockResult[];
  readonly states: LockState[];
  /** Only while this member leads. */
  readonly changes: PublishedChange[];
  readonly events: MemberEvent[];
}

export function freshOutput(): MemberOutput {
  return { persist: [], send: [], results: [], states: [], changes: [], events: [] };
}

export type MemberInput =
  | { readonly type: 'frame'; readonly frame: MemberFrame; readonly at: Instant }
  | { readonly type: 'tick'; readonly at: Instant }
  /** The end of a turn: batches and acknowledgements leave. */
  | { readonly type: 'flush'; readonly at: Instant }
  /** The connection came back: what was sent meanwhile is lost. */
  | { readonly type: 'reconnected'; readonly at: Instant }
  | { readonly type: 'watch'; readonly resources: readonly string[]; readonly at: Instant }
  /** Opens a session, now and whenever one was lost. */
  | { readonly type: 'open'; readonly at: Instant }
  | { readonly type: 'closeSession'; readonly at: Instant }
  | { readonly type: 'resign'; readonly at: Instant };

export interface MemberStatus {
  readonly role: 'leader' | 'voter' | 'client';
  readonly leader: string | null;
  /** Voters that the leader is in touch with; without a leader, those heard within an election timeout or two. */
  readonly connected: readonly string[];
  readonly founding: string | null;
  readonly voters: readonly string[];
  readonly stage: 'founding' | 'electing' | 'opening' | 'open';
  readonly opensInMs: number;
  readonly appliedIndex: number;
}
