/** What goes into a member and what comes out of it. */
import type { LockEvent } from '../lock/command.ts';
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { Founder, FounderEvent, FounderMemory, FounderRecord, Inheritance, InheritedRecord } from '../paxos/founding.ts';
import type { CountFounder } from '../paxos/founding-by-count.ts';
import type { ArbiterAnswer, ArbiterRequest } from '../paxos/founding-log.ts';
import type { ConfigurationRecord, FoundingRecord } from '../paxos/founding-message.ts';
import type { Configuration, Seat } from '../paxos/configuration.ts';
import type { Log } from '../paxos/log.ts';
import type { LostSeat } from '../paxos/majority-watch.ts';
import type { StoreLapse } from '../paxos/recollection.ts';
import type { Replica } from '../paxos/replica.ts';
import type { PositionRecord } from '../paxos/store-message.ts';
import type { ReplicaEvent, ReplicaMemory, ReplicaRecord, ReplicaTiming } from '../paxos/replica.ts';
import type { WatchChange } from '../session/holder-watch.ts';
import type { HolderEvent, SessionHolder } from '../session/session-holder.ts';
import type { VoterOrder } from '../paxos/voter-order.ts';
import type { RowCodec } from '../snapshot/row.ts';
import type { Instant } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { FeatureLevels } from './feature-level.ts';
import type { GroupState } from './group-state.ts';
import type { GroupBatch, GroupEntry, MemberFrame, MemberSend } from './member-message.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';
import type { StoreWatch } from './store-watch.ts';
import type { VersionGapEvent } from './version-watch.ts';
import type { ChangeCause } from './voter-change.ts';
import type { OrderDesk, OrderEvent } from './order-desk.ts';

export interface MemberOptions {
  readonly self: Proposer;
  /** Sorted by code unit. A node that is not among them is a client. Empty where `count` says how many there are to be. */
  readonly voters: readonly string[];
  /** The group is founded by so many of those who come, as the broker's log of foundings decides. */
  readonly count?: number | undefined;
  readonly timing: ReplicaTiming;
  readonly sessionTtlMs: number;
  readonly maxSessionTtlMs: number;
  readonly firstFounding: boolean;
  /** What a voter does once a majority of its group is known to be lost; absent: `stop`. */
  readonly whenMajorityIsLost?: 'stop' | 'refound' | undefined;
  /** It stands by for a seat though it is not named as a voter. */
  readonly standsBy?: boolean;
  /** As a leader it has a standby take the place of a voter that was silent for so long; absent: never. */
  readonly replaceAfterMs?: number;
  readonly reads: 'lease' | 'quorum';
  readonly random: Random;
  readonly limits: MemberLimits;
  readonly rowCodec: RowCodec;
  readonly at: Instant;
  readonly memory?: MemberMemory;
  /** Nothing that it persists outlives its process. */
  readonly isVolatile?: true | undefined;
  /** What this build can; absent: the present version. */
  readonly levels?: FeatureLevels;
  /** The member that this one goes on for under a new incarnation: its session, its orders and the group that it knew. */
  readonly before?: Pick<MemberInside, 'holder' | 'record' | 'orders'> | undefined;
}

export interface MemberLimits {
  /** Most bytes of one batch; asked at each use, for a broker may change its mind. */
  readonly batchBytesMax: () => number;
  readonly sizeOfEntry: (entry: GroupEntry) => number;
  readonly sizeOfTuple: (tuple: Operation | OperationResult) => number;
  readonly sizeOfBatch: (batch: GroupBatch) => number;
  readonly outstandingMax: number;
  /** So many slots are kept though all voters applied them: a newcomer catches up by them. */
  readonly slotsKept: number;
  /** No more slots, and no more bytes of them, are kept in the log: whoever lacks more takes a snapshot. */
  readonly logSlotsMax: number;
  readonly logBytesMax: number;
  /** After so many slots a snapshot takes their place in the storage; `Infinity` where nothing outlives the process. */
  readonly storedEverySlots: number;
}

export interface MemberMemory {
  readonly founder: FounderMemory;
  readonly replica?: ReplicaMemory<GroupBatch>;
  /** The state up to the floor of `replica`; absent where the log is kept from its first slot on. */
  readonly snapshot?: StoredSnapshot;
  /** The record of its founding with the configuration that it last was a voter of, where that is a later one than the founding's. */
  readonly record?: FoundingRecord;
  /** How many records its incarnation had persisted, as far as they are found; absent where nobody counted. */
  readonly position?: number;
}

export type MemberRecord = FounderRecord | InheritedRecord | ReplicaRecord<GroupBatch> | ConfigurationRecord | PositionRecord;

export type PlaceEvent =
  /** It was too far behind for the log of the others, and goes on from a snapshot of their state. */
  | { readonly type: 'snapshotInstalled'; readonly index: number; readonly from: string }
  /** A voter that came back without its memory: it serves as a client, and stands by until it is given its seat again. */
  | { readonly type: 'seatLost'; readonly founding: string }
  /** It caught up and was given a seat under its present incarnation: it is a voter from now on. */
  | { readonly type: 'seatRegained'; readonly founding: string; readonly configuration: number }
  /** Others vote from now on, as this process knows. */
  | { readonly type: 'votersChanged'; readonly configuration: Configuration }
  /** As the leader, it has proposed other voters: `gone` lose their seats. */
  | {
      readonly type: 'votersChanging';
      readonly configuration: number;
      readonly voters: readonly Seat[];
      readonly gone: readonly Seat[];
      readonly cause: ChangeCause;
    }
  /** The names of so many seats came back in other lives that the rest is no majority: nothing can be decided any more. */
  | { readonly type: 'majorityLost'; readonly founding: string; readonly configuration: number; readonly lost: readonly LostSeat[] }
  /** A seat that was taken for lost answered, or a leader is heard. */
  | { readonly type: 'majorityRegained'; readonly founding: string }
  /** It gave up its seat in a group that lost its majority, and goes on under a new incarnation, which founds it anew with the others. */
  | { readonly type: 'refounding'; readonly founding: string; readonly inherits: Inheritance }
  /** Its seat was given away, and those who vote now need it no more: it goes on under a new incarnation. */
  | { readonly type: 'seatGiven'; readonly founding: string; readonly configuration: number }
  /** `by` saw its store further than it is now: it goes on under a new incarnation, as if it had come back without a memory. */
  | ({ readonly type: 'storeWentBack' } & StoreLapse);

export type MemberEvent =
  | PlaceEvent
  | Exclude<ReplicaEvent, { type: 'following' }>
  | FounderEvent
  | HolderEvent
  | VersionGapEvent
  | OrderEvent
  /** The group uses this feature level from here on, and its frames are written in that version. */
  | { readonly type: 'levelRaised'; readonly level: number }
  | { readonly type: 'leaderChanged'; readonly leader: string | null; readonly round: number }
  | { readonly type: 'serving'; readonly round: number }
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
  /** The configuration that the messages of `send` belong to: their frames name it. */
  configuration: number;
  /** A snapshot that was taken up: before anything is sent, it and `keptRecords` replace all that the storage holds. */
  installed: StoredSnapshot | null;
  /** A snapshot that was written, to replace what it holds in the storage by and by. */
  written: StoredSnapshot | null;
  readonly persist: MemberRecord[];
  /** To be asked of the broker's log of foundings, once what is persisted is durable. */
  arbitrate: ArbiterRequest | null;
  readonly send: MemberSend[];
  /** Answers to this member's own requests. */
  readonly results: OperationResult[];
  readonly states: WatchedState[];
  /** The tokens of partitions that each answered keep-alive covered. */
  readonly covered: (readonly number[])[];
  /** Only while this member leads. */
  readonly changes: PublishedChange[];
  readonly events: MemberEvent[];
}

export function freshOutput(configuration: number): MemberOutput {
  return {
    configuration,
    installed: null,
    written: null,
    persist: [],
    arbitrate: null,
    send: [],
    results: [],
    states: [],
    covered: [],
    changes: [],
    events: [],
  };
}

export type MemberInput =
  | { readonly type: 'frame'; readonly frame: MemberFrame; readonly at: Instant }
  | { readonly type: 'tick'; readonly at: Instant }
  /** The end of a turn: batches and acknowledgements leave. */
  | { readonly type: 'flush'; readonly at: Instant }
  /** The connection came back: what was sent meanwhile is lost. */
  | { readonly type: 'reconnected'; readonly at: Instant }
  | ({ readonly type: 'watch'; readonly at: Instant } & WatchChange)
  /** Opens a session, now and whenever one was lost. */
  | { readonly type: 'open'; readonly at: Instant }
  | { readonly type: 'closeSession'; readonly at: Instant }
  /** What came of the last `arbitrate`. */
  | { readonly type: 'arbiter'; readonly answer: ArbiterAnswer; readonly at: Instant }
  | { readonly type: 'resign'; readonly at: Instant }
  /** An order for the leader, repeated until it is answered for good; null takes it back. */
  | { readonly type: 'order'; readonly id: number; readonly order: VoterOrder | null; readonly at: Instant };

/**
 * `ready`: a voter of the present configuration by its leader's word, or a client of one that has a leader. `standing by`: its seat is
 * still that of an earlier incarnation. `recollecting`: a voter that came back asks the others whether its store went back. A rolling restart waits for `ready` before it goes on: until then the group bears no second loss.
 */
export type Readiness =
  'ready' | 'founding' | 'majority lost' | 'no leader' | 'standing by' | 'recollecting' | 'catching up' | 'no session';

export interface MemberStatus {
  /** A `standby` has a copy of the group's state and no vote. */
  readonly role: 'leader' | 'voter' | 'standby' | 'client';
  readonly leader: string | null;
  /** Voters that the leader is in touch with; without a leader, those heard within an election timeout or two. */
  readonly connected: readonly string[];
  readonly founding: string | null;
  /** While a group is founded by count: how many there are to be, and how many this process sees, itself included. */
  readonly candidates: { readonly seen: number; readonly wanted: number } | null;
  /** Whose seats are lost, so that no majority is left; or who said that this is so, where this process has no seat itself. */
  readonly majorityLost: { readonly lost: readonly string[]; readonly told: string | null } | null;
  /** The number of the configuration, 0 without a group. */
  readonly configuration: number;
  readonly voters: readonly string[];
  readonly readiness: Readiness;
  readonly stage: 'founding' | 'electing' | 'opening' | 'open';
  readonly opensInMs: number;
  readonly appliedIndex: number;
  /** The version that frames are written in: the group's feature level, as far as this process knows it. */
  readonly level: number;
}

/** What stands inside a member, for those who check it. Looking at it changes nothing. */
export interface MemberInside {
  readonly self: Proposer;
  /** What a voter, or a standby, has applied. */
  readonly state: GroupState | null;
  /** Of a voter only. */
  readonly replica: Replica<GroupBatch> | null;
  /** What was applied stands in it, as far as it is kept. */
  readonly log: Log<GroupBatch> | null;
  readonly record: FoundingRecord | null;
  readonly seat: { readonly isServing: boolean; holdsLease(at: Instant): boolean } | null;
  /** It had a seat, and a stop-sign that it knows of left it out. */
  readonly isGiven: boolean;
  readonly founder: Founder | CountFounder | null;
  readonly orders: OrderDesk;
  readonly holder: SessionHolder<Operation, OperationResult, WatchedState>;
  readonly stores: StoreWatch;
}
