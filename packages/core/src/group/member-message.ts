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
