/** What a leader keeps for one ballot: its proposals, who accepted them, and its lease. "Paxos Made Simple" §3. */
import type { Ballot } from './ballot.ts';
import { majorityOf } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { HeldLease } from './lease.ts';
import type { Accept, Slot } from './message.ts';

export interface Proposal<V> {
  readonly slot: Slot;
  readonly value: V | null;
  readonly proposedAtMs: number;
  sentAtMs: number;
}

/**
 * 1. It proposes one value per slot, and a slot only once.
 * 2. An acknowledgement counts for exactly its ballot, slot and voter; the replica checks configuration and incarnation.
 * 3. `beginSlot` holds its `begin`; it serves nothing before that slot is applied. 0 while it holds its begin back, because what it
 *    adopted may end the configuration.
 * 4. Nothing is proposed above a stop-sign of its own.
 */
export class LeaderTerm<V> {
  readonly lease: HeldLease;
  readonly inFlight = new Map<Slot, Proposal<V>>();
  readonly appliedBy = new Map<string, Slot>();
  beginSlot: Slot = 0;
  /** Of a stop-sign that this leader proposed itself, or 0. */
  stopSlot: Slot = 0;
  nextHeartbeatMs = -Infinity;
  /** Smoothed time from proposing to choosing, in milliseconds. */
  roundTripMs = 0;
  private readonly upTo = new Map<string, Slot>();
  private readonly beyond = new Map<Slot, Set<string>>();

  constructor(
    readonly ballot: Ballot,
    readonly firstSlot: Slot,
    readonly sinceMs: number,
    readonly configuration: Configuration,
    leaseMs: number,
  ) {
    this.lease = new HeldLease(leaseMs, majorityOf(configuration));
    this.nextSlot = firstSlot;
  }

  nextSlot: Slot;

  propose(value: V | null, nowMs: number): Proposal<V> {
    const proposal: Proposal<V> = { slot: this.nextSlot, value, proposedAtMs: nowMs, sentAtMs: nowMs };
    this.nextSlot += 1;
    this.inFlight.set(proposal.slot, proposal);
    return proposal;
  }

  acceptOf({ slot, value }: Proposal<V>, chosenIndex: Slot): Accept<V> {
    return { type: 'accept', ballot: this.ballot, slot, value, firstSlot: this.firstSlot, chosenIndex };
  }

  onAccepted(node: string, upTo: Slot, beyond: readonly Slot[]): void {
    // A voter cannot have accepted what was never proposed; such a claim is cut to what was.
    const last = this.nextSlot - 1;
    this.upTo.set(node, Math.max(this.upTo.get(node) ?? 0, Math.min(upTo, last)));
    for (const slot of beyond) {
      if (slot > last || !this.inFlight.has(slot)) continue;
      const voters = this.beyond.get(slot) ?? new Set<string>();
      this.beyond.set(slot, voters.add(node));
    }
  }

  /** True if a majority accepted the slot in this ballot. */
  isAccepted(slot: Slot): boolean {
    let votes = 0;
    for (const { node } of this.configuration.voters) if (this.hasAccepted(node, slot)) votes += 1;
    return votes >= majorityOf(this.configuration);
  }

  onChosen(slot: Slot, nowMs: number): void {
    const proposal = this.inFlight.get(slot);
    if (!proposal) return;
    this.inFlight.delete(slot);
    this.beyond.delete(slot);
    const tookMs = nowMs - proposal.proposedAtMs;
    this.roundTripMs = this.roundTripMs === 0 ? tookMs : this.roundTripMs * 0.875 + tookMs * 0.125;
  }

  /** Every voter of the configuration applied the log up to here. */
  appliedByAll(): Slot {
    return Math.min(...this.configuration.voters.map(({ node }) => this.appliedBy.get(node) ?? 0));
  }

  hasAccepted(node: string, slot: Slot): boolean {
    return (this.upTo.get(node) ?? 0) >= slot || (this.beyond.get(slot)?.has(node) ?? false);
  }
}
