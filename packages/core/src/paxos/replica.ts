/**
 * A voter's replica of the log: Multi-Paxos as one deterministic function. "Paxos Made Simple" §3; leader election by
 * canvassing (pre-vote) and check-quorum, so that one quorum-connected voter suffices and a returning one deposes nobody.
 */
import { unreachable } from '../errors.ts';
import { compareBallots, sameBallot } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';
import { isVoter, majorityOf } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { Follower } from './follower.ts';
import { LeaderTerm } from './leader.ts';
import type * as M from './message.ts';
import type { PaxosMessage } from './message.ts';
import { PhaseOne } from './phase-one.ts';
import type { ReplicaDestination, ReplicaInput, ReplicaLimits, ReplicaOutput } from './replica-io.ts';

export type * from './replica-io.ts';

type Role<V> =
  | { readonly type: 'follower' }
  | { readonly type: 'canvassing'; readonly ballot: Ballot; readonly support: Set<string> }
  | { readonly type: 'preparing'; readonly phase: PhaseOne<V> }
  | { readonly type: 'leader'; readonly term: LeaderTerm<V> };

const follower = { type: 'follower' } as const;
const voters: ReplicaDestination = { type: 'voters' };

/**
 * 1. At most one value is chosen per slot of the configuration.
 * 2. Only a majority of exactly this configuration's (node, incarnation) pairs chooses.
 * 3. A ballot of this replica names its run, so none is used twice.
 * 4. It leads only in a ballot that its own acceptor has promised and none higher.
 * 5. A leader that adopted a stop-sign proposes all that it adopted and then waits: its begin comes only if nothing of that ended the
 *    configuration. Above a stop-sign of its own it proposes nothing.
 */
export class Replica<V> extends Follower<V> {
  private role: Role<V> = follower;
  private calendarAheadMs = 0;

  /** One input, one output. No clock, chance, timer or promise inside. */
  step(input: ReplicaInput<V>): ReplicaOutput<V> {
    const out: ReplicaOutput<V> = (this.out = { persist: [], send: [], apply: [], events: [] });
    this.calendarAheadMs = (input.wallMs ?? input.nowMs) - input.nowMs;
    if (this.role.type === 'leader') this.role.term.lease.clocksShow(this.calendarAheadMs);
    switch (input.type) {
      case 'message':
        if (this.mayHear(input.from, input.message)) this.onMessage(input.from, input.message, input.nowMs);
        break;
      case 'chosen':
        this.onChosen(input.message, input.nowMs);
        break;
      case 'propose':
        this.propose(input.value, input.nowMs);
        break;
      case 'applied':
        this.onApplied(input.upTo, input.nowMs);
        break;
      case 'installed':
        this.onInstalled(input.upTo, input.nowMs);
        break;
      case 'tick':
        if (!this.isInDoubt) this.onTick(input.nowMs);
        break;
      case 'flush':
        this.acknowledge();
        break;
      case 'resign':
        this.resign(input.nowMs, input.successor);
        break;
      default:
        unreachable(input);
    }
    const apply = this.log.takeChosen();
    return apply.length === 0 ? out : { ...out, apply };
  }

  /** The replica of the next configuration, on the same log. This one is over: it is stepped no more. The safety rule 1. */
  succeededBy(configuration: Configuration, sealedAt: M.Slot, nowMs: number): Replica<V> {
    const { self, configuration: before } = this.options;
    const leader = isVoter(configuration, this.promised) ? this.promised : configuration.voters.find((seat) => isVoter(before, seat));
    const isFirst = leader?.node === self.node;
    this.role = follower;
    this.log.sealAt(sealedAt);
    const succession = { log: this.log, highestSeen: this.highestSeen, isFirst };
    return new Replica<V>({ ...this.options, configuration, nowMs, memory: undefined, isInDoubt: this.isInDoubt, succession });
  }

  /** As many chosen values from `first` on as one frame holds. */
  chosenFrom(first: M.Slot, last: M.Slot): M.Chosen<V> {
    return this.learner.chosenFrom(first, last);
  }

  get configuration(): Configuration {
    return this.options.configuration;
  }

  /** When `tick` is next of use. */
  get nextDeadlineMs(): number {
    const role = this.role;
    if (role.type !== 'leader') return this.isInDoubt ? Infinity : this.electionDueMs;
    return Math.min(role.term.nextHeartbeatMs, this.silentDeadlineMs(role.term));
  }

  get leading(): LeaderTerm<V> | null {
    return this.role.type === 'leader' ? this.role.term : null;
  }

  /** The ballot this replica leads or follows, or null if it knows of no live leader. */
  get leader(): Ballot | null {
    if (this.role.type === 'leader') return this.role.term.ballot;
    return this.heard?.ballot ?? null;
  }

  private onMessage(from: Proposer, message: PaxosMessage<V>, nowMs: number): void {
    switch (message.type) {
      case 'canvass':
        return this.onCanvass(from, message, nowMs);
      case 'support':
        return this.onSupport(from, message, nowMs);
      case 'prepare':
        return this.onPrepare(from, message, nowMs);
      case 'promise':
        return this.onPromise(from, message, nowMs);
      case 'reject':
        return this.onReject(message, nowMs);
      case 'accept':
        return this.onAccept(from, message, nowMs);
      case 'accepted':
        return this.onAccepted(from, message, nowMs);
      case 'heartbeat':
        return this.onHeartbeat(from, message, nowMs);
      case 'heartbeatSeen':
        return this.onHeartbeatSeen(from, message);
      case 'abdicate':
        return this.onAbdicate(from, message, nowMs);
      case 'fetch':
        return this.onFetch(from, message);
      case 'chosen':
        return this.onChosen(message, nowMs);
      default:
        return unreachable(message);
    }
  }

  // Election: a canvass first, which changes nothing at anyone; then phase 1.

  private onTick(nowMs: number): void {
    const role = this.role;
    if (role.type === 'leader') {
      if (nowMs >= this.silentDeadlineMs(role.term)) this.stepDown('majority silent', nowMs);
      else if (nowMs >= role.term.nextHeartbeatMs) this.beat(role.term, nowMs);
      return;
    }
    if (this.heard && nowMs - this.heard.atMs >= this.options.timing.electionTimeoutMs) this.heard = null;
    if (nowMs >= this.electionDueMs) this.canvass(nowMs);
    else if (role.type === 'preparing') this.maybeLead(role.phase, nowMs);
  }

  private canvass(nowMs: number): void {
    this.electionDueMs = nowMs + (this.hurriedCanvasses > 0 ? this.options.timing.heartbeatMs : this.electionDelayMs());
    if (this.hurriedCanvasses > 0) this.hurriedCanvasses -= 1;
    if (this.granted.remainingAgainstMs(this.options.self, nowMs) > 0) return;
    const ballot: Ballot = { ...this.options.self, round: this.highestSeen.round + 1 };
    const support = new Set<string>();
    this.role = { type: 'canvassing', ballot, support };
    this.out.events.push({ type: 'canvassing', ballot });
    this.out.send.push({ to: voters, message: { type: 'canvass', ballot } });
    this.onSupport(this.options.self, { type: 'support', ballot }, nowMs);
  }

  private onSupport(from: Proposer, { ballot }: M.Support, nowMs: number): void {
    const role = this.role;
    if (role.type !== 'canvassing' || !sameBallot(role.ballot, ballot)) return;
    role.support.add(from.node);
    if (role.support.size >= majorityOf(this.options.configuration)) this.prepare(ballot, nowMs);
  }

  private prepare(ballot: Ballot, nowMs: number): void {
    if (this.granted.remainingAgainstMs(ballot, nowMs) > 0 || !this.acceptor.promise(ballot, this.out.persist)) {
      this.role = follower;
      return;
    }
    this.see(ballot);
    const phase = new PhaseOne<V>(ballot, majorityOf(this.options.configuration));
    this.role = { type: 'preparing', phase };
    this.electionDueMs = nowMs + this.electionDelayMs();
    const { chosenIndex, floor } = this.log;
    this.out.send.push({ to: voters, message: { type: 'prepare', ballot, chosenIndex } });
    phase.onPromise(this.options.self, {
      type: 'promise',
      ballot,
      chosenIndex,
      floor,
      part: 0,
      parts: 1,
      votes: this.log.votesAbove(chosenIndex, ballot),
    });
    this.maybeLead(phase, nowMs);
  }

  private onPromise(from: Proposer, message: M.PromiseMade<V>, nowMs: number): void {
    if (this.role.type !== 'preparing') return;
    this.role.phase.onPromise(from, message);
    this.maybeLead(this.role.phase, nowMs);
  }

  /** A candidate that is behind a promiser learns what it lacks before it proposes anything. */
  private maybeLead(phase: PhaseOne<V>, nowMs: number): void {
    if (!phase.isComplete) return;
    const { node, chosenIndex } = phase.mostAdvanced;
    if (chosenIndex > this.log.chosenIndex) this.learner.maybeFetch(node, chosenIndex, nowMs, this.out);
    else this.lead(phase, nowMs);
  }

  private lead(phase: PhaseOne<V>, nowMs: number): void {
    const { configuration, timing, self } = this.options;
    const firstSlot = this.log.chosenIndex + 1;
    const term = new LeaderTerm<V>(phase.ballot, firstSlot, nowMs, configuration, timing.electionTimeoutMs);
    this.role = { type: 'leader', term };
    this.heard = null;
    term.appliedBy.set(self.node, this.log.chosenIndex);
    const adopted = phase.adopted(this.log.chosenIndex);
    this.beat(term, nowMs);
    for (const { value } of adopted) this.proposeIn(term, value, nowMs);
    if (!adopted.some(({ value }) => this.isStopSign(value))) this.begin(term, nowMs);
    const filled = adopted.filter(({ value }) => value === null).length;
    this.out.events.push({ type: 'leading', ballot: phase.ballot, beginSlot: term.beginSlot, adopted: adopted.length, filled });
  }

  private begin(term: LeaderTerm<V>, nowMs: number): void {
    term.beginSlot = term.nextSlot;
    this.proposeIn(term, this.options.begin(term.ballot), nowMs);
  }

  /** A stop-sign proved void. One that was adopted: the term begins after all. One of its own: it fell silent for it, and gives way. */
  private onApplied(upTo: M.Slot, nowMs: number): void {
    if (this.role.type !== 'leader') return;
    const { term } = this.role;
    if (term.beginSlot === 0 && upTo >= term.nextSlot - 1) this.begin(term, nowMs);
    if (term.stopSlot > 0 && upTo >= term.stopSlot) this.resign(nowMs);
  }

  private isStopSign(value: V | null): boolean {
    return value !== null && (this.options.isStopSign?.(value) ?? false);
  }

  /** Somebody promised or may promise higher: seek a higher ballot, by a canvass as ever. */
  private onReject({ ballot, promised, leaseRemainingMs }: M.Reject, nowMs: number): void {
    this.see(promised);
    const role = this.role;
    const mine = role.type === 'leader' ? role.term.ballot : role.type === 'preparing' ? role.phase.ballot : null;
    if (mine && sameBallot(mine, ballot) && compareBallots(promised, mine) > 0) {
      if (role.type === 'leader') this.stepDown('outbid', nowMs);
      this.role = follower;
      this.electionDueMs = nowMs + this.retryDelayMs();
      return;
    }
    if (role.type !== 'canvassing' || !sameBallot(role.ballot, ballot)) return;
    // A canvass refused for the ballot alone is repeated soon with a higher one; refused for a lease, the usual delay suits.
    if (leaseRemainingMs === 0) this.electionDueMs = Math.min(this.electionDueMs, nowMs + this.retryDelayMs());
  }

  // Voting.

  private propose(value: V, nowMs: number): void {
    if (this.role.type !== 'leader') return;
    const { term } = this.role;
    if (term.beginSlot === 0 || term.stopSlot > 0) return;
    if (this.isStopSign(value)) term.stopSlot = term.nextSlot;
    this.proposeIn(term, value, nowMs);
  }

  private proposeIn(term: LeaderTerm<V>, value: V | null, nowMs: number): void {
    const proposal = term.propose(value, nowMs);
    // Our own vote is in `persist` of the same output, so it is durable before the accept leaves: the short path rests on it.
    this.acceptor.accept(term.ballot, proposal.slot, value, this.out.persist);
    this.out.send.push({ to: voters, message: term.acceptOf(proposal, this.log.chosenIndex) });
    term.onAccepted(this.options.self.node, proposal.slot, []);
    this.maybeChoose(term, nowMs);
  }

  private onAccepted(from: Proposer, { ballot, upTo, beyond }: M.Accepted, nowMs: number): void {
    const role = this.role;
    if (role.type !== 'leader' || !sameBallot(role.term.ballot, ballot)) return;
    role.term.onAccepted(from.node, upTo, beyond);
    this.maybeChoose(role.term, nowMs);
  }

  private maybeChoose(term: LeaderTerm<V>, nowMs: number): void {
    while (term.inFlight.has(this.log.chosenIndex + 1) && term.isAccepted(this.log.chosenIndex + 1)) {
      const slot = this.log.chosenIndex + 1;
      this.log.choose(slot);
      term.onChosen(slot, nowMs);
    }
    for (const slot of term.inFlight.keys()) if (slot <= this.log.chosenIndex) term.onChosen(slot, nowMs);
    term.appliedBy.set(this.options.self.node, this.log.chosenIndex);
  }

  // Leadership over time: heartbeats, the lease, and what followers learn from them.

  private beat(term: LeaderTerm<V>, nowMs: number): void {
    const { timing, self, limits } = this.options;
    term.nextHeartbeatMs = nowMs + timing.heartbeatMs;
    this.granted.grant(term.ballot, timing.electionTimeoutMs, nowMs);
    term.lease.clocksShow(this.calendarAheadMs);
    const id = term.lease.heartbeatSent(nowMs, self.node);
    this.connectedVoters = term.lease.connected(nowMs, timing.electionTimeoutMs);
    this.learner.record(this.out);
    this.log.compactTo(this.floorFor(term.appliedByAll(), limits));
    this.out.send.push({
      to: { type: 'all' },
      message: {
        type: 'heartbeat',
        ballot: term.ballot,
        id,
        chosenIndex: this.log.chosenIndex,
        leaseMs: timing.electionTimeoutMs,
        connected: this.connectedVoters,
        compactTo: this.log.floor,
      },
    });
    for (const proposal of term.inFlight.values()) {
      if (nowMs - proposal.sentAtMs < timing.heartbeatMs) continue;
      proposal.sentAtMs = nowMs;
      this.out.send.push({ to: voters, message: term.acceptOf(proposal, this.log.chosenIndex) });
    }
  }

  /** What not all have applied is kept within limits: whoever needs more takes a snapshot. */
  private floorFor(appliedByAll: M.Slot, { slotsKept = 0, slotsMax = Infinity, bytesMax = Infinity, sizeOf }: ReplicaLimits<V>): M.Slot {
    const { log } = this;
    return Math.max(Math.min(appliedByAll, log.chosenIndex - slotsKept), log.floorWithin(slotsMax, bytesMax, sizeOf));
  }

  private onHeartbeatSeen(from: Proposer, { ballot, id, appliedIndex }: M.HeartbeatSeen): void {
    const role = this.role;
    if (role.type !== 'leader' || !sameBallot(role.term.ballot, ballot)) return;
    role.term.lease.heartbeatSeen(id, from.node);
    role.term.appliedBy.set(from.node, Math.max(appliedIndex, role.term.appliedBy.get(from.node) ?? 0));
  }

  /** Serving has stopped when this returns: the abdication leaves after the role is given up, and the ballot is never led again. */
  private resign(nowMs: number, named?: string): void {
    if (this.role.type !== 'leader') return;
    const { ballot, appliedBy } = this.role.term;
    const self = this.options.self.node;
    const connected = this.connectedVoters.filter((node) => node !== self);
    const successor = named ?? connected.sort((a, b) => (appliedBy.get(b) ?? 0) - (appliedBy.get(a) ?? 0))[0] ?? '';
    this.stepDown('handed over', nowMs);
    this.electionDueMs += this.options.timing.electionTimeoutMs;
    this.out.send.push({ to: voters, message: { type: 'abdicate', ballot, successor } });
  }

  protected giveWay(nowMs: number): void {
    if (this.role.type === 'leader') this.stepDown('outbid', nowMs);
    this.role = follower;
  }

  private stepDown(reason: 'outbid' | 'majority silent' | 'handed over', nowMs: number): void {
    if (this.role.type !== 'leader') return;
    this.out.events.push({ type: 'steppedDown', ballot: this.role.term.ballot, reason });
    this.granted.release(this.role.term.ballot);
    this.role = follower;
    this.connectedVoters = [];
    this.electionDueMs = nowMs + this.electionDelayMs();
  }

  private onChosen(message: M.Chosen<V>, nowMs: number): void {
    const isNews = this.learner.onChosen(message, this.out);
    const role = this.role;
    if (role.type === 'preparing') this.maybeLead(role.phase, nowMs);
    else if (role.type === 'leader') this.maybeChoose(role.term, nowMs);
    else if (isNews && this.heard && message.chosenIndex > this.log.chosenIndex) {
      this.learner.fetch(this.heard.ballot.node, message.chosenIndex, nowMs, this.out);
    }
  }

  private onInstalled(upTo: M.Slot, nowMs: number): void {
    this.log.skipTo(upTo);
    if (this.role.type === 'preparing') this.maybeLead(this.role.phase, nowMs);
  }

  private silentDeadlineMs(term: LeaderTerm<V>): number {
    // A lone voter is its own majority: a pause of its process silences nobody.
    if (this.options.configuration.voters.length === 1) return Infinity;
    return Math.max(term.sinceMs, term.lease.majorityAnsweredMs()) + this.options.timing.electionTimeoutMs;
  }

  private retryDelayMs(): number {
    return this.options.timing.electionTimeoutMs * 0.25 * this.options.random.next();
  }
}
