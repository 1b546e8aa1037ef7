/** Everything that members of a group say to one another, and what they carry it in. */
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingMessage } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { ReplicaDestination } from '../paxos/replica.ts';
import type { StoreMessage } from '../paxos/store-message.ts';
import type { MembershipMessage } from '../paxos/voter-order.ts';
import type { Batch, Entry } from '../session/command.ts';
import type { SessionMessage } from '../session/message.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';

export type GroupBatch = Batch<Operation>;
export type GroupEntry = Entry<Operation>;
export type GroupSessionMessage = SessionMessage<Operation, OperationResult, WatchedState>;
export type MemberMessage =
  PaxosMessage<GroupBatch> | MembershipMessage | StoreMessage | FoundingMessage | GroupSessionMessage | SnapshotMessage;

/** A frame of this group, decoded. */
export interface MemberFrame {
  readonly founding: string;
  readonly configuration: number;
  readonly from: Proposer;
  /** What it is written in, and the newest that its sender can. Absent: the first version, and none later. */
  readonly version?: number;
  readonly newest?: number;
  /** None where they are of a version that is not read here. */
  readonly messages: readonly MemberMessage[];
}

export interface MemberSend {
  readonly to: ReplicaDestination;
  readonly message: MemberMessage;
}

const kinds = {
  hello: 'founding',
  greeting: 'founding',
  found: 'founding',
  foundingAccepted: 'founding',
  foundingConfirmed: 'founding',
  canvass: 'log',
  support: 'log',
  prepare: 'log',
  promise: 'log',
  reject: 'log',
  accept: 'log',
  accepted: 'log',
  heartbeat: 'log',
  heartbeatSeen: 'log',
  abdicate: 'log',
  fetch: 'log',
  chosen: 'log',
  moved: 'membership',
  standbySeen: 'membership',
  roster: 'membership',
  orderGiven: 'membership',
  orderAnswered: 'membership',
  storeAt: 'store',
  storesSeen: 'store',
  recall: 'store',
  recalled: 'store',
  openSession: 'request',
  closeSession: 'request',
  submit: 'request',
  keepAlive: 'request',
  watch: 'request',
  sessionOpened: 'answer',
  openRefused: 'answer',
  replies: 'answer',
  keptAlive: 'answer',
  sessionEnded: 'answer',
  watched: 'answer',
  fetchSnapshot: 'snapshot',
  snapshotOffer: 'snapshot',
  snapshotChunk: 'snapshot',
} as const satisfies Record<MemberMessage['type'], 'founding' | 'log' | 'membership' | 'store' | 'request' | 'answer' | 'snapshot'>;

export function isFoundingMessage(message: MemberMessage): message is FoundingMessage {
  return kinds[message.type] === 'founding';
}

export function isLogMessage(message: MemberMessage): message is PaxosMessage<GroupBatch> {
  return kinds[message.type] === 'log';
}

export function isMembershipMessage(message: MemberMessage): message is MembershipMessage {
  return kinds[message.type] === 'membership';
}

export function isStoreMessage(message: MemberMessage): message is StoreMessage {
  return kinds[message.type] === 'store';
}

export function isSnapshotMessage(message: MemberMessage): message is SnapshotMessage {
  return kinds[message.type] === 'snapshot';
}

/** What a session's holder says to a leader; the rest of `GroupSessionMessage` is what leaders answer. */
export function isRequest(message: MemberMessage): boolean {
  return kinds[message.type] === 'request';
}
