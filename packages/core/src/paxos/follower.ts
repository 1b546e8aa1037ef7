/**
 * What a voter does for others: it promises, votes, grants leases and learns, and follows whoever leads. "Paxos Made Simple" §2.2
 * and §3; the safety rules 2 to 4 and 7.
 */
import { Acceptor } from './acceptor.ts';
import { Acknowledgement } from './acknowledgement.ts';
import { compareBallots, sameBallot, sameProposer, zeroBallot } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';
import { isVoter } from './configuration.ts';
import { Learner } from './learner.ts';
import type { LeaderTerm } from './leader.ts';
import { GrantedLease } from './lease.ts';
import { Log } from './log.ts';
import type { ChosenEntry } from './log.ts';
import type * as M from './message.ts';
import type { PaxosMessage } from './message.ts';
import { pagesOf } from './phase-one.ts';
import type { ReplicaMemory, ReplicaOptions, ReplicaOutput, ReplicaTiming } from './replica-io.ts';

/** After so many canvasses in a hurry, the usual delay suits. */
const hurriedCanvassesMax = 10;

/**
 * 1. Whatever it says rests on what stands in `persist` of the same output or an earlier one.
 * 2. An accept counts only from the proposer of its ballot; its leader's vote and its own are a majority of exactly three.
 * 3. It grants a lease only to the ballot it has promised, and promises nobody else before the lease has run out.
 * 4. While its memory is in doubt it learns what others applied, and promises, votes, grants and stands for nothing.
 */
export abstract class Follower<V> {
  readonly log: Log<V>;
  protected readonly acceptor: Acceptor<V>;
  protected learner: Learner<V>;
  protected granted: GrantedLease;
  /** The leader that this replica last heard a heartbeat from, and when. */
  protected heard: { readonly ballot: Ballot; readonly atMs: number } | null = null;
  protected connectedVoters: readonly string[] = [];
  protected electionDueMs: number;
  protected highestSeen = zeroBallot;
  /** How often it canvasses again after a period already: while the others learn that a new configuration began. */
  protected hurriedCanvasses = 0;
  protected out: ReplicaOutput<V> = { persist: [], send: [], apply: [], events: [] };
  protected isInDoubt: boolean;
  private acknowledgement: Acknowledgement<V>;
  /** Voters that asked for longer leases than it grants. */
  private readonly refusedLeasesOf = new Set<string>();

  constructor(protected readonly options: ReplicaOptions<V>) {
    const { memory, nowMs, timing, limits, configuration, self, succession } = options;
    this.log = succession?.log ?? new Log<V>();
    this.isInDoubt = options.isInDoubt ?? false;
    this.acceptor = new Acceptor<V>(this.log);
    if (succession) this.see(succession.highestSeen);
    if (memory) this.remember(memory);
    this.learner = new Learner(this.acceptor, limits, timing.heartbeatMs);
    this.acknowledgement = new Acknowledgement(this.acceptor);
    this.granted = new GrantedLease(memory ? nowMs + waitAfterRestartMs(timing) : -Infinity);
    // The first founder need not wait for a leader that cannot exist yet; of one voter there is nobody to wait for.
    const isFirst = succession ? succession.isFirst : !memory && configuration.voters[0]?.node === self.node;
    if (succession?.isFirst) this.hurriedCanvasses = hurriedCanvassesMax;
    this.electionDueMs = isFirst ? nowMs : nowMs + this.electionDelayMs();
  }

  /** All that must outlive this run: promises, votes, and what is known to be chosen. */
  snapshot(): ReplicaMemory<V> {
    const { log } = this;
    const votes: M.Vote<V>[] = [];
    const learned: ChosenEntry<V>[] = [];
    for (let slot = log.floor + 1; slot <= log.lastSlot; slot += 1) {
      const vote = log.vote(slot);
      if (vote) votes.push({ slot, ...vote });
      if (log.isChosen(slot)) learned.push({ slot, value: log.valueAt(slot) ?? null });
    }
    return { floor: log.floor, promised: this.promised, chosenIndex: log.chosenIndex, votes, learned };
  }

  /** As at a restart with this memory: leases that may have been granted are waited out, and the log is handed out anew. */
  restore(memory: ReplicaMemory<V>, nowMs: number): void {
    const { timing, limits } = this.options;
    this.giveWay(nowMs);
    this.remember(memory);
    this.learner = new Learner(this.acceptor, limits, timing.heartbeatMs);
    this.acknowledgement = new Acknowledgement(this.acceptor);
    this.granted = new GrantedLease(nowMs + waitAfterRestartMs(timing));
    this.heard = null;
    this.electionDueMs = nowMs + this.electionDelayMs();
  }

  /** Nobody saw more of its store than it found. */
  trust(nowMs: number): void {
    this.isInDoubt = false;
    this.electionDueMs = nowMs + this.electionDelayMs();
  }

  abstract get leading(): LeaderTerm<V> | null;

  get promised(): Ballot {
    return this.acceptor.promised;
  }

  /** Voters that the leader is in touch with, by its own word. */
  get connected(): readonly string[] {
    return this.connectedVoters;
  }

  /** A higher ballot than one's own is about: whoever leads or stands for leader stops. */
  protected abstract giveWay(nowMs: number): void;

  protected onAccept(from: Proposer, message: M.Accept<V>, nowMs: number): void {
    const { ballot, slot, value, firstSlot, chosenIndex } = message;
    if (!sameProposer(from, ballot)) return;
    if (slot <= this.log.floor) return this.reply(from, this.learner.chosenFrom(slot, slot));
    if (compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, 0);
    if (!this.log.reaches(slot)) return this.learner.maybeFetch(from.node, slot, nowMs, this.out);
    this.adoptPromise(ballot, nowMs);
    this.acceptor.accept(ballot, slot, value, this.out.persist);
    this.electionDueMs = Math.max(this.electionDueMs, nowMs + this.options.timing.electionTimeoutMs);
    this.acknowledgement.note(ballot, slot, firstSlot);
    // With three voters, the proposer's vote (durable before this left) and ours are a majority.
    if (this.options.configuration.voters.length === 3) this.log.choose(slot);
    this.learner.learnUpTo(ballot, chosenIndex, from.node, nowMs, this.out);
  }

  protected onCanvass(from: Proposer, { ballot }: M.Canvass, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    const leaseRemainingMs = this.granted.remainingAgainstMs(ballot, nowMs);
    const supports = leaseRemainingMs === 0 && compareBallots(ballot, this.acceptor.promised) > 0;
    if (supports) this.reply(from, { type: 'support', ballot });
    else this.reject(from, ballot, leaseRemainingMs);
  }

  protected onPrepare(from: Proposer, { ballot, chosenIndex }: M.Prepare, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    const leaseRemainingMs = this.granted.remainingAgainstMs(ballot, nowMs);
    if (leaseRemainingMs > 0 || compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, leaseRemainingMs);
    this.adoptPromise(ballot, nowMs);
    this.electionDueMs = nowMs + this.electionDelayMs();
    const votes = this.log.votesAbove(Math.max(chosenIndex, this.log.chosenIndex), ballot);
    const pages = pagesOf(votes, this.options.limits);
    const { chosenIndex: known, floor } = this.log;
    pages.forEach((page, part) =>
      this.reply(from, { type: 'promise', ballot, chosenIndex: known, floor, part, parts: pages.length, votes: page }),
    );
  }

  protected onHeartbeat(from: Proposer, message: M.Heartbeat, nowMs: number): void {
    const { ballot, id, leaseMs, chosenIndex, connected, compactTo } = message;
    if (!sameProposer(from, ballot)) return;
    this.see(ballot);
    // A higher ballot that beats has finished its phase 1: this replica's own term is over, and its lease to itself with it.
    if (this.leading && compareBallots(ballot, this.leading.ballot) > 0) this.giveWay(nowMs);
    if (compareBallots(ballot, this.acceptor.promised) < 0 || this.granted.remainingAgainstMs(ballot, nowMs) > 0) {
      return this.reject(from, ballot, this.granted.remainingAgainstMs(ballot, nowMs));
    }
    this.adoptPromise(ballot, nowMs);
    if (!this.heard || !sameBallot(this.heard.ballot, ballot)) this.out.events.push({ type: 'following', ballot });
    this.heard = { ballot, atMs: nowMs };
    this.connectedVoters = connected;
    this.electionDueMs = nowMs + this.electionDelayMs();
    this.learner.learnUpTo(ballot, chosenIndex, from.node, nowMs, this.out);
    this.log.compactTo(Math.min(compactTo, this.log.chosenIndex));
    if (leaseMs > this.options.timing.leaseMaxMs) return this.complainOnce(from.node, leaseMs);
    this.granted.grant(ballot, leaseMs, nowMs);
    this.learner.record(this.out);
    this.reply(from, { type: 'heartbeatSeen', ballot, id, appliedIndex: this.log.chosenIndex });
  }

  protected onAbdicate(from: Proposer, { ballot, successor }: M.Abdicate, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    this.granted.release(ballot);
    if (this.heard && sameBallot(this.heard.ballot, ballot)) this.heard = null;
    if (successor === this.options.self.node) this.electionDueMs = nowMs;
  }

  protected onFetch(from: Proposer, { from: first, to }: M.Fetch): void {
    this.reply(from, this.learner.chosenFrom(first, to));
  }

  protected acknowledge(): void {
    const message = this.acknowledgement.take();
    if (message) this.reply(message.ballot, message);
  }

  protected see(ballot: Ballot): void {
    if (compareBallots(ballot, this.highestSeen) > 0) this.highestSeen = ballot;
  }

  protected electionDelayMs(): number {
    return this.options.timing.electionTimeoutMs * (1 + this.options.random.next());
  }

  /** A frame of another configuration's seat is nobody's vote; nor is our own, should a transport bring it back. */
  protected mayHear(from: Proposer, { type }: PaxosMessage<V>): boolean {
    if (this.isInDoubt && type !== 'fetch' && type !== 'chosen') return false;
    return from.node !== this.options.self.node && isVoter(this.options.configuration, from);
  }

  protected reply(to: Proposer, message: PaxosMessage<V>): void {
    this.out.send.push({ to: { type: 'node', node: to.node }, message });
  }

  private complainOnce(node: string, theirsMs: number): void {
    if (this.refusedLeasesOf.has(node)) return;
    this.refusedLeasesOf.add(node);
    this.out.events.push({ type: 'timingDiffers', node, theirsMs, oursMs: this.options.timing.electionTimeoutMs });
  }

  private reject(to: Proposer, ballot: Ballot, leaseRemainingMs: number): void {
    this.reply(to, { type: 'reject', ballot, promised: this.acceptor.promised, leaseRemainingMs });
  }

  /** Raises our promise for another's ballot; a leader or candidate of a lower one stops at once. */
  private adoptPromise(ballot: Ballot, nowMs: number): void {
    const before = this.acceptor.promised;
    this.acceptor.promise(ballot, this.out.persist);
    this.see(ballot);
    if (sameBallot(before, ballot)) return;
    this.giveWay(nowMs);
    this.heard = null;
  }

  private remember({ floor, promised, chosenIndex, votes, learned }: ReplicaMemory<V>): void {
    this.log.reset(floor);
    for (const vote of votes) this.log.keepVote(vote.slot, vote.ballot, vote.value);
    for (const entry of learned) this.log.learn(entry.slot, entry.value);
    for (let slot = floor + 1; slot <= chosenIndex; slot += 1) this.log.choose(slot);
    this.acceptor.restore(promised);
    this.see(promised);
  }
}

/** What an earlier run granted, and what it may still grant without knowing that it is over. */
function waitAfterRestartMs({ leaseMaxMs, zombieMs = 0 }: ReplicaTiming): number {
  return leaseMaxMs + zombieMs;
}
