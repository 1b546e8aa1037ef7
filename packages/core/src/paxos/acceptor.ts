/** The acceptor: promises and votes. "Paxos Made Simple" §2.2, for all slots of a configuration at once. */
import { compareBallots, zeroBallot } from './ballot.ts';
import type { Ballot } from './ballot.ts';
import type { Log } from './log.ts';
import type { Slot } from './message.ts';

/** What must be durable before anything that rests on it is said. `learned`: a value that another replica knows to be chosen. */
export type ReplicaRecord<V> =
  | { readonly type: 'promised'; readonly ballot: Ballot }
  | { readonly type: 'voted'; readonly slot: Slot; readonly ballot: Ballot; readonly value: V | null }
  | { readonly type: 'learned'; readonly slot: Slot; readonly value: V | null }
  /** What is kept of every slot up to here is its chosen value. Durable before anyone is told that it is applied. */
  | { readonly type: 'chosen'; readonly upTo: Slot };

/**
 * 1. `promised` never falls; it rises at a prepare, at an accept and at a heartbeat of a higher ballot.
 * 2. Nothing is accepted under a ballot below `promised`.
 * 3. No vote is for a ballot above `promised`.
 */
export class Acceptor<V> {
  constructor(
    readonly log: Log<V>,
    private promisedBallot: Ballot = zeroBallot,
  ) {}

  get promised(): Ballot {
    return this.promisedBallot;
  }

  /** Takes up what an earlier run, or a snapshot, had promised. */
  restore(promised: Ballot): void {
    this.promisedBallot = promised;
  }

  /** Raises the promise. False if a higher one was made. */
  promise(ballot: Ballot, persist: ReplicaRecord<V>[]): boolean {
    const order = compareBallots(ballot, this.promisedBallot);
    if (order < 0) return false;
    if (order > 0) {
      this.promisedBallot = ballot;
      persist.push({ type: 'promised', ballot });
    }
    return true;
  }

  /** Votes. False if a higher promise forbids it. A slot at or under the floor is settled and needs no vote. */
  accept(ballot: Ballot, slot: Slot, value: V | null, persist: ReplicaRecord<V>[]): boolean {
    if (!this.promise(ballot, persist)) return false;
    if (slot <= this.log.floor) return true;
    const earlier = this.log.vote(slot);
    if (earlier && compareBallots(earlier.ballot, ballot) === 0) return true;
    this.log.keepVote(slot, ballot, value);
    persist.push({ type: 'voted', slot, ballot, value });
    return true;
  }

  /** Every slot from `firstSlot` on that this ballot has our vote for, or that is known to be chosen, without a gap. */
  acceptedUpTo(ballot: Ballot, firstSlot: Slot, from: Slot): Slot {
    let slot = Math.max(from, firstSlot - 1, this.log.chosenIndex);
    while (this.hasVote(ballot, slot + 1)) slot += 1;
    return slot;
  }

  hasVote(ballot: Ballot, slot: Slot): boolean {
    const vote = this.log.vote(slot);
    return vote !== undefined && compareBallots(vote.ballot, ballot) === 0;
  }
}
