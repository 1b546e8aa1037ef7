/** The numbered rules of the log's machines, checked one by one: simulations call this after every step. */
import { compareBallots, zeroBallot } from './ballot.ts';
import type { Ballot } from './ballot.ts';
import type { LeaderTerm } from './leader.ts';
import type { Log } from './log.ts';
import type { Slot } from './message.ts';
import type { Replica } from './replica.ts';

/** The rules of `Log`, `Acceptor`, `LeaderTerm` and `Replica` that do not hold, as sentences; in time proportional to the log. */
export function checkReplica<V>(replica: Replica<V>): string[] {
  return checkVotes(replica, replica.log.floor + 1, [...checkLog(replica.log), ...checkLeading(replica)]);
}

/** Rule 1 of `Log`. */
export function checkLog<V>(log: Log<V>): string[] {
  const broken: string[] = [];
  if (log.floor > log.chosenIndex) broken.push(`log 1: the floor ${log.floor} is above the chosen index ${log.chosenIndex}`);
  for (let slot = log.floor + 1; slot <= log.chosenIndex; slot += 1) {
    if (log.valueAt(slot) === undefined) broken.push(`log 1: slot ${slot} is known to be chosen and missing`);
  }
  return broken;
}

/** Rule 3 of `Acceptor`, from a slot on. */
function checkVotes<V>({ log, promised }: Replica<V>, from: Slot, broken: string[]): string[] {
  for (let slot = from; slot <= log.lastSlot; slot += 1) {
    const vote = log.vote(slot);
    if (vote && compareBallots(vote.ballot, promised) > 0) broken.push(`acceptor 3: the vote in slot ${slot} is above the promise`);
  }
  return broken;
}

/** Rule 1 of `LeaderTerm`, rule 4 of `Replica`. */
function checkLeading<V>(replica: Replica<V>): string[] {
  const term = replica.leading;
  if (!term) return [];
  const broken = checkTerm(term);
  if (compareBallots(term.ballot, replica.promised) !== 0) broken.push('replica 4: it leads in a ballot that is not its promise');
  return broken;
}

function checkTerm<V>(term: LeaderTerm<V>): string[] {
  const broken: string[] = [];
  for (const [slot, proposal] of term.inFlight) {
    if (proposal.slot !== slot || slot < term.firstSlot || slot >= term.nextSlot) {
      broken.push(`leader 1: slot ${slot} was not proposed in this ballot`);
    }
  }
  return broken;
}

const none: readonly string[] = [];

/** Watches one replica from step to step, for the rules that speak of change; its cost is that of what changed. */
export class ReplicaWitness<V> {
  private of: Replica<V> | null = null;
  private promised: Ballot = zeroBallot;
  private revision = -1;
  private chosenIndex: Slot = 0;
  private floor: Slot = 0;
  private led: { readonly ballot: Ballot; nextSlot: Slot; readonly values: Map<Slot, V | null> } | null = null;
  private readonly chosen = new Map<Slot, V | null>();

  check(replica: Replica<V>): readonly string[] {
    const { log, promised } = replica;
    if (this.of !== replica) this.beginWith(replica);
    // What leads may have proposed; of anything else the log and the promise tell.
    if (log.revision === this.revision && promised === this.promised && !replica.leading && !this.led) return none;
    const broken: string[] = [];
    this.revision = log.revision;
    checkVotes(replica, Math.max(this.chosenIndex, log.floor) + 1, broken);
    this.checkChosen(log, broken);
    if (replica.leading || this.led) {
      broken.push(...checkLeading(replica));
      this.checkProposals(replica, broken);
    }
    if (compareBallots(promised, this.promised) < 0) broken.push('acceptor 1: the promise fell');
    if (log.chosenIndex < this.chosenIndex) broken.push(`log 1: the chosen index fell from ${this.chosenIndex} to ${log.chosenIndex}`);
    if (log.floor < this.floor) broken.push(`log 1: the floor fell from ${this.floor} to ${log.floor}`);
    this.promised = promised;
    this.chosenIndex = log.chosenIndex;
    this.floor = log.floor;
    return broken;
  }

  /** A replica begins with nothing promised, in a later configuration with a log whose end may be void, and in another founding with another log. */
  private beginWith(replica: Replica<V>): void {
    if (this.of?.configuration.founding !== replica.configuration.founding) this.floor = 0;
    this.of = replica;
    this.promised = zeroBallot;
    this.revision = -1;
    this.chosenIndex = 0;
    this.led = null;
    this.chosen.clear();
  }

  /** Rules 1 and 2 of `Log`, for what is new and what is known beyond a gap. */
  private checkChosen(log: Log<V>, broken: string[]): void {
    for (const [slot, value] of this.chosen) {
      if (slot > log.floor && log.valueAt(slot) !== value) broken.push(`log 2: the chosen value of slot ${slot} changed`);
      if (slot <= log.chosenIndex) this.chosen.delete(slot);
    }
    // What a snapshot passed over is in the state and not in the log.
    for (let slot = Math.max(this.chosenIndex, log.floor) + 1; slot <= log.lastSlot; slot += 1) {
      if (!log.isChosen(slot)) continue;
      const value = log.valueAt(slot);
      if (value === undefined) broken.push(`log 1: slot ${slot} is known to be chosen and missing`);
      else this.chosen.set(slot, value);
    }
  }

  /** Rule 1 of `LeaderTerm`: a slot keeps the value it was proposed with as long as the ballot is led. */
  private checkProposals({ leading }: Replica<V>, broken: string[]): void {
    if (!leading) return void (this.led = null);
    if (this.led?.ballot !== leading.ballot) this.led = { ballot: leading.ballot, nextSlot: leading.firstSlot, values: new Map() };
    for (const [slot, { value }] of leading.inFlight) {
      const known = this.led.values.get(slot);
      if (known !== undefined && known !== value) broken.push(`leader 1: slot ${slot} was proposed with two values`);
      this.led.values.set(slot, value);
    }
    for (const slot of this.led.values.keys()) if (!leading.inFlight.has(slot)) this.led.values.delete(slot);
    if (leading.nextSlot < this.led.nextSlot) broken.push('leader 1: the next slot fell');
    this.led.nextSlot = leading.nextSlot;
  }
}
