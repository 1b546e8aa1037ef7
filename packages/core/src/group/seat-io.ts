/** What a voter's seat is made from and what comes out of it. */
import type { Configuration } from '../paxos/configuration.ts';
import type { ReplicaEvent, ReplicaMemory } from '../paxos/replica.ts';
import type { OrderAnswer } from '../paxos/voter-order.ts';
import type { GroupState } from './group-state.ts';
import type { MemberRecord, PlaceEvent, PublishedChange } from './member-io.ts';
import type { GroupBatch, GroupSessionMessage, MemberSend } from './member-message.ts';
import type { OrderEvent } from './order-desk.ts';
import type { Standby } from './standby.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

export type SeatEvent =
  | ReplicaEvent
  | PlaceEvent
  | OrderEvent
  | { readonly type: 'serving'; readonly round: number }
  | { readonly type: 'levelRaised'; readonly level: number };

export interface SeatOutput {
  readonly persist: MemberRecord[];
  readonly send: MemberSend[];
  /** What this process's own session is told, without a frame. */
  readonly own: GroupSessionMessage[];
  readonly changes: PublishedChange[];
  readonly events: SeatEvent[];
  /** The configuration that followed, if one did. Nothing in `send` belongs to it. */
  followedBy: Configuration | null;
  /** The snapshot that was taken up, to be stored. */
  installed: StoredSnapshot | null;
  written: StoredSnapshot | null;
  /** What was said to the order that was given, where one was and this seat leads. */
  answer: OrderAnswer | null;
}

/** What a voter comes with: what its storage kept, or what it learned as a standby. */
export interface SeatOrigin {
  readonly memory?: ReplicaMemory<GroupBatch> | undefined;
  readonly standby?: Standby;
  /** As of the floor of `memory`, from the snapshot that its storage kept. */
  readonly state?: GroupState | undefined;
  /** Its store may have gone back. */
  readonly isInDoubt?: boolean;
}

export function freshSeatOutput(): SeatOutput {
  return { persist: [], send: [], own: [], changes: [], events: [], followedBy: null, installed: null, written: null, answer: null };
}
