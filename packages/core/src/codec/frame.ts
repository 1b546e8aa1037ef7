/** A frame: a header that says from which life of which group and sender it comes, and messages. `docs/protocol.md`, "Frames". */
import type { LockOp, LockResult, LockState } from '../lock/command.ts';
import type { FoundingMessage } from '../paxos/founding-message.ts';
import type { PaxosMessage } from '../paxos/message.ts';
import type { Batch } from '../session/command.ts';
import type { SessionMessage } from '../session/message.ts';

export type Message = PaxosMessage<Batch<LockOp>> | FoundingMessage | SessionMessage<LockOp, LockResult, LockState>;

export interface FrameHeader {
  readonly group: string;
  /** The founding the sender belongs to; empty before it knows one. */
  readonly founding: string;
  /** The configuration the sender is in; 0 before it knows one. */
  readonly configuration: number;
  readonly node: string;
  readonly incarnation: string;
  readonly run: number;
}

export interface Frame extends FrameHeader {
  readonly messages: readonly Message[];
}
