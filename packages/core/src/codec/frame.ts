/** A frame: a header that says from which life of which group and sender it comes, and messages. `docs/protocol.md`, "Frames". */
import type { Operation, OperationResult, WatchedState } from '../operation.ts';
import type { FoundingMessage } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { StoreMessage } from '../paxos/store-message.ts';
import type { MembershipMessage } from '../paxos/voter-order.ts';
import type { Batch } from '../session/command.ts';
import type { SessionMessage } from '../session/message.ts';
import type { SnapshotMessage } from '../snapshot/message.ts';

export type Message =
  | SnapshotMessage
  | PaxosMessage<Batch<Operation>>
  | MembershipMessage
  | StoreMessage
  | FoundingMessage
  | SessionMessage<Operation, OperationResult, WatchedState>;

export interface FrameHeader {
  readonly group: string;
  /** The founding the sender belongs to; empty before it knows one. */
  readonly founding: string;
  /** The configuration the sender is in; 0 before it knows one. */
  readonly configuration: number;
  readonly node: string;
  readonly incarnation: string;
  readonly run: number;
  /** What the messages are written in. Absent: the first version. */
  readonly version?: number;
  /** The newest version that the sender can: that one, or the next. Absent: that one. */
  readonly newest?: number;
}

export interface Frame extends FrameHeader {
  readonly messages: readonly Message[];
}
