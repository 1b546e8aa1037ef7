/** What a follower owes its leader: one cumulative acknowledgement a turn. "Paxos Made Simple" §3, phase 2b for all slots at once. */
import type { Acceptor } from './acceptor.ts';
import { sameBallot, zeroBallot } from './ballot.ts';
import type { Ballot } from './ballot.ts';
import type { Accepted, Slot } from './message.ts';

/**
 * 1. It acknowledges the votes of one ballot, the one promised when it is taken.
 * 2. A slot known to be chosen counts as accepted although it may have been learned without a vote: whichever ballot chose it,
 *    the leader of this one can only have proposed the same value, or never counts a majority.
 */
export class Acknowledgement<V> {
  private ballot: Ballot = zeroBallot;
  private upTo: Slot = 0;
  private beyond: Slot[] = [];
  private due = false;

  constructor(private readonly acceptor: Acceptor<V>) {}

  /** A vote in `slot` was kept; the ballot proposes from `firstSlot` on. */
  note(ballot: Ballot, slot: Slot, firstSlot: Slot): void {
    if (!sameBallot(this.ballot, ballot)) {
      this.ballot = ballot;
      this.upTo = firstSlot - 1;
      this.beyond = [];
    }
    this.due = true;
    this.upTo = this.acceptor.acceptedUpTo(ballot, firstSlot, this.upTo);
    if (slot > this.upTo && !this.beyond.includes(slot)) this.beyond.push(slot);
    if (this.beyond.length > 0) this.beyond = this.beyond.filter((beyond) => beyond > this.upTo);
  }

  /** What has to be said at the end of the turn, or null. */
  take(): Accepted | null {
    if (!this.due) return null;
    this.due = false;
    if (!sameBallot(this.ballot, this.acceptor.promised)) return null;
    return { type: 'accepted', ballot: this.ballot, upTo: this.upTo, beyond: [...this.beyond] };
  }
}
