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
 * 1. Whoever echoed none of this term's last heartbeats is not there.
 * 2. Of a name that begins anew only echoes of later heartbeats count, unless they are of the incarnation that began.
 * 3. Whoever lacks many slots, or had a seat before under this incarnation, is given none.
 */
export class StandbyList {
  private readonly seen = new Map<string, { readonly seat: Seat; readonly id: number; readonly appliedIndex: Slot }>();
  /** By name: who said `hello` last, and which heartbeat was the newest then. */
  private readonly begun = new Map<string, { readonly incarnation: string; readonly id: number }>();

  /** `newestId` is that of the last heartbeat. */
  onMessage({ node, incarnation }: Proposer, message: StandbySeen | Hello, newestId: number): void {
    if (message.type === 'hello') return this.onHello(node, incarnation, newestId);
    const { id, appliedIndex } = message;
    const begun = this.begun.get(node);
    const isOfOneThatEnded = begun !== undefined && begun.incarnation !== incarnation && id <= begun.id;
    if (isOfOneThatEnded || id < (this.seen.get(node)?.id ?? 0)) return;
    this.seen.set(node, { seat: { node, incarnation }, id, appliedIndex });
  }

  private onHello(node: string, incarnation: string, newestId: number): void {
    for (const [other, { id }] of this.begun) if (newestId - id >= heartbeatsAgoMax) this.begun.delete(other);
    this.begun.set(node, { incarnation, id: newestId });
    if (this.seen.get(node)?.seat.incarnation !== incarnation) this.seen.delete(node);
  }

  /** Its name began anew, and it answered no heartbeat since. */
  hasEnded({ node, incarnation }: Seat, { lease }: Pick<LeaderTerm<GroupBatch>, 'lease'>): boolean {
    const begun = this.begun.get(node);
    return begun !== undefined && begun.incarnation !== incarnation && lease.answeredId(node) <= begun.id;
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
