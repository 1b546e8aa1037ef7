/** Who waits for a seat, as a leader knows them by their echoes of its heartbeats. The safety rule 16; `docs/protocol.md`, "Standbys and swaps". */
import type { Proposer } from '../paxos/ballot.ts';
import type { Seat } from '../paxos/configuration.ts';
import type { LeaderTerm } from '../paxos/leader.ts';
import type { Hello } from '../paxos/founding-message.ts';
import type { Slot, StandbySeen } from '../paxos/message.ts';
import type { StandbySeat } from '../paxos/voter-order.ts';
import type { GroupBatch } from './member-message.ts';

/** An echo of an older heartbeat than this many ago proves nothing about now. */
const heartbeatsAgoMax = 4;
/** Who lacks more slots catches up first. */
const slotsLackingMax = 512;

/** What the list is read against. */
export interface Reading {
  readonly term: Pick<LeaderTerm<GroupBatch>, 'lease'>;
  readonly chosenIndex: Slot;
  readonly isReplaced: (incarnation: string) => boolean;
}

/**
 * 1. Whoever echoed none of this term's last heartbeats is not there; nor is one whose name begins anew, as another incarnation.
 * 2. Whoever lacks many slots, or had a seat before under this incarnation, is given none.
 */
export class StandbyList {
  private readonly seen = new Map<string, { readonly seat: Seat; readonly id: number; readonly appliedIndex: Slot }>();

  onMessage({ node, incarnation }: Proposer, message: StandbySeen | Hello): void {
    const known = this.seen.get(node);
    if (message.type === 'hello') {
      if (known?.seat.incarnation !== incarnation) this.seen.delete(node);
      return;
    }
    const { id, appliedIndex } = message;
    // Of two incarnations of a name the one that echoes the newer heartbeat lives.
    if (!known || id >= known.id) this.seen.set(node, { seat: { node, incarnation }, id, appliedIndex });
  }

  get isEmpty(): boolean {
    return this.seen.size === 0;
  }

  /** The standby of that name, or what stands against giving it a seat now. */
  candidate(node: string, { term, chosenIndex, isReplaced }: Reading): Seat | 'notHeard' | 'notCaughtUp' {
    const known = this.seen.get(node);
    if (!known || term.lease.newestId - known.id >= heartbeatsAgoMax || isReplaced(known.seat.incarnation)) return 'notHeard';
    return chosenIndex - known.appliedIndex <= slotsLackingMax ? known.seat : 'notCaughtUp';
  }

  /** Whoever is there, in order of names. */
  roster({ term, chosenIndex, isReplaced }: Reading): readonly StandbySeat[] {
    return [...this.seen.values()]
      .filter(({ seat, id }) => term.lease.newestId - id < heartbeatsAgoMax && !isReplaced(seat.incarnation))
      .map(({ seat, appliedIndex }) => ({ ...seat, lacking: Math.max(0, chosenIndex - appliedIndex) }))
      .sort((a, b) => (a.node < b.node ? -1 : 1));
  }
}
