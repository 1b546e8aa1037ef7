/**
 * A leader's eye on those who wait for a seat: which of them may be given the one that an earlier incarnation of their name still has.
 * The safety rules 14 and 16; `docs/protocol.md`, "Standbys and swaps".
 */
import type { Proposer } from '../paxos/ballot.ts';
import { majorityOf } from '../paxos/configuration.ts';
import type { Configuration, Seat } from '../paxos/configuration.ts';
import type { LeaderTerm } from '../paxos/leader.ts';
import type { Slot, StandbySeen } from '../paxos/message.ts';
import type { GroupBatch } from './member-message.ts';

/** An echo of an older heartbeat than this many ago proves nothing about now. */
const heartbeatsAgoMax = 4;
/** Who lacks more slots catches up first. */
const slotsLackingMax = 512;

export interface Change {
  readonly voters: readonly Seat[];
  readonly gone: readonly Seat[];
}

/** What the leader knows when it looks. */
export interface Circumspection {
  readonly configuration: Configuration;
  readonly term: LeaderTerm<GroupBatch>;
  readonly chosenIndex: Slot;
  readonly isReplaced: (incarnation: string) => boolean;
  readonly silenceMs: number;
  readonly nowMs: number;
}

/**
 * 1. A newcomer is given a seat only if it echoed one of this term's last heartbeats and lacks few slots.
 * 2. A seat whose incarnation answered a heartbeat within `silenceMs` is not given to another; nor in a term younger than that.
 * 3. One seat a change, and only if a majority of the voters after it are in touch with this leader.
 */
export class SwapWatch {
  private readonly seen = new Map<string, { readonly seat: Seat; readonly id: number; readonly appliedIndex: Slot }>();

  onStandbySeen({ node, incarnation }: Proposer, { id, appliedIndex }: StandbySeen): void {
    this.seen.set(node, { seat: { node, incarnation }, id, appliedIndex });
  }

  /** The change that is due, or null. */
  due(present: Circumspection): Change | null {
    const { configuration, term, silenceMs, nowMs } = present;
    if (this.seen.size === 0 || nowMs - term.sinceMs < silenceMs) return null;
    const connected = term.lease.connected(nowMs, silenceMs);
    // Without a majority of the present voters no stop-sign is ever chosen, and to propose one is to fall silent.
    if (connected.length < majorityOf(configuration)) return null;
    for (const seat of configuration.voters) {
      const newcomer = this.seen.get(seat.node);
      if (!newcomer || connected.includes(seat.node) || !this.mayBeGiven(seat.node, present)) continue;
      const voters = configuration.voters.map((voter) => (voter === seat ? newcomer.seat : voter));
      const live = voters.filter(({ node }) => node === seat.node || connected.includes(node)).length;
      if (live >= majorityOf(configuration)) return { voters, gone: [seat] };
    }
    return null;
  }

  private mayBeGiven(node: string, { term, chosenIndex, isReplaced, configuration }: Circumspection): boolean {
    const newcomer = this.seen.get(node);
    if (!newcomer || isReplaced(newcomer.seat.incarnation)) return false;
    if (configuration.voters.some(({ incarnation }) => incarnation === newcomer.seat.incarnation)) return false;
    return term.lease.newestId - newcomer.id < heartbeatsAgoMax && chosenIndex - newcomer.appliedIndex <= slotsLackingMax;
  }
}
