/** Everything that members of a group say to one another, and what they carry it in. */
import type { LockOp, LockResult, LockState } from '../lock/command.ts';
import type { Proposer } from '../paxos/ballot.ts';
import type { FoundingMessage } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { ReplicaDestination } from '../paxos/replica.ts';
import type { Batch, Entry } from '../session/command.ts';
import type { SessionMessage } from '../session/message.ts';

export type GroupBatch = Batch<LockOp>;
export type GroupEntry = Entry<LockOp>;
export type GroupSessionMessage = SessionMessage<LockOp, LockResult, LockState>;
export type MemberMessage = PaxosMessage<GroupBatch> | FoundingMessage | GroupSessionMessage;

/** A frame of this group, decoded. */
export interface MemberFrame {
  readonly founding: string;
  readonly configuration: number;
  readonly from: Proposer;
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
  redirect: 'answer',
} as const satisfies Record<MemberMessage['type'], 'founding' | 'log' | 'request' | 'answer'>;

export function isFoundingMessage(message: MemberMessage): message is FoundingMessage {
  return kinds[message.type] === 'founding';
}

export function isLogMessage(message: MemberMessage): message is PaxosMessage<GroupBatch> {
  return kinds[message.type] === 'log';
}

/** What a session's holder says to a leader; the rest of `GroupSessionMessage` is what leaders answer. */
export function isRequest(message: GroupSessionMessage): boolean {
  return kinds[message.type] === 'request';
}
