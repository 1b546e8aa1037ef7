/**
 * A voter's replica of the log: Multi-Paxos as one deterministic function. "Paxos Made Simple" §3; leader election by
 * canvassing (pre-vote) and check-quorum, so that one quorum-connected voter suffices and a returning one deposes nobody.
 */
import { unreachable } from '../errors.ts';
import type { Random } from '../time/random.ts';
import { Acceptor } from './acceptor.ts';
import type { ReplicaRecord } from './acceptor.ts';
import { compareBallots, sameBallot, sameProposer, zeroBallot } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';
import { isVoter, majorityOf } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { LeaderTerm } from './leader.ts';
import type { Proposal } from './leader.ts';
import { GrantedLease } from './lease.ts';
import { Log } from './log.ts';
import type { ChosenEntry } from './log.ts';
import type * as M from './message.ts';
import type { PaxosMessage, Slot } from './message.ts';
import { PhaseOne } from './phase-one.ts';

export interface ReplicaTiming {
  readonly heartbeatMs: number;
  /** The shortest silence after which a follower canvasses; the longest is twice that. The leader lease has this length too. */
  readonly electionTimeoutMs: number;
  /** No longer lease is granted; a replica restarted with its memory waits this long before it promises anything. */
  readonly leaseMaxMs: number;
}

export interface ReplicaLimits<V> {
  /** Most bytes of values in one frame. */
  readonly messageBytesMax: number;
  readonly sizeOf: (value: V) => number;
}

export interface ReplicaOptions<V> {
  readonly self: Proposer;
  readonly configuration: Configuration;
  readonly timing: ReplicaTiming;
  readonly random: Random;
  readonly limits: ReplicaLimits<V>;
  /** The first value of a new leader, naming its ballot. */
  readonly begin: (ballot: Ballot) => V;
  readonly nowMs: number;
  /** What storage kept of an earlier run; absent for a first one. */
  readonly memory?: ReplicaMemory<V>;
}

/** What a replica must find again: promises and votes never fall behind what was said. */
export interface ReplicaMemory<V> {
  readonly floor: Slot;
  readonly promised: Ballot;
  /** Everything kept up to here is chosen. */
  readonly chosenIndex: Slot;
  readonly votes: readonly M.Vote<V>[];
  readonly learned: readonly ChosenEntry<V>[];
}

export type { ReplicaRecord } from './acceptor.ts';

export type ReplicaDestination = { readonly type: 'all' } | { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };

export interface ReplicaSend<V> {
  readonly to: ReplicaDestination;
  readonly message: PaxosMessage<V>;
}

export type ReplicaEvent =
  | { readonly type: 'canvassing'; readonly ballot: Ballot }
  | { readonly type: 'leading'; readonly ballot: Ballot; readonly beginSlot: Slot; readonly adopted: number; readonly filled: number }
  | { readonly type: 'steppedDown'; readonly ballot: Ballot; readonly reason: 'outbid' | 'majority silent' | 'handed over' }
  | { readonly type: 'following'; readonly ballot: Ballot };

/** Fields in the order in which they are carried out: nothing is sent before `persist` is durable, nothing applied before that. */
export interface ReplicaOutput<V> {
  readonly persist: ReplicaRecord<V>[];
  readonly send: ReplicaSend<V>[];
  readonly apply: readonly ChosenEntry<V>[];
  readonly events: ReplicaEvent[];
}

export type ReplicaInput<V> =
  | { readonly type: 'message'; readonly from: Proposer; readonly message: PaxosMessage<V>; readonly nowMs: number }
  | { readonly type: 'propose'; readonly value: V; readonly nowMs: number }
  | { readonly type: 'tick'; readonly nowMs: number }
  /** The end of a turn: cumulative acknowledgements leave. */
  | { readonly type: 'flush'; readonly nowMs: number }
  /** Stop leading in good order; the candidate named, if any, canvasses without waiting. */
  | { readonly type: 'resign'; readonly nowMs: number };

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
 */
export class Replica<V> {
  readonly log: Log<V>;
  private readonly acceptor: Acceptor<V>;
  private readonly granted: GrantedLease;
  private role: Role<V> = follower;
  /** The leader that this replica last heard a heartbeat from, and when. */
  private heard: { readonly ballot: Ballot; readonly atMs: number } | null = null;
  private connectedVoters: readonly string[] = [];
  private electionDueMs: number;
  private highestSeen: Ballot;
  private fetchDueMs = -Infinity;
  private recordedChosen: Slot;
  private readonly acknowledge: { ballot: Ballot; firstSlot: Slot; upTo: Slot; beyond: Slot[]; due: boolean } = {
    ballot: zeroBallot,
    firstSlot: 0,
    upTo: 0,
    beyond: [],
    due: false,
  };
  private out: ReplicaOutput<V> = { persist: [], send: [], apply: [], events: [] };

  constructor(private readonly options: ReplicaOptions<V>) {
    const { memory, nowMs, timing } = options;
    this.log = new Log<V>(memory?.floor);
    for (const vote of memory?.votes ?? []) this.log.keepVote(vote.slot, vote.ballot, vote.value);
    for (const entry of memory?.learned ?? []) this.log.learn(entry.slot, entry.value);
    for (let slot = this.log.floor + 1; slot <= (memory?.chosenIndex ?? 0); slot += 1) this.log.choose(slot);
    this.recordedChosen = this.log.chosenIndex;
    this.acceptor = new Acceptor(this.log, memory?.promised);
    this.highestSeen = this.acceptor.promised;
    this.granted = new GrantedLease(memory ? nowMs + timing.leaseMaxMs : -Infinity);
    // The first founder need not wait for a leader that cannot exist yet; of one voter there is nobody to wait for.
    const isFirst = !memory && options.configuration.voters[0]?.node === options.self.node;
    this.electionDueMs = isFirst ? nowMs : nowMs + this.electionDelayMs();
  }

  /** One input, one output. No clock, chance, timer or promise inside. */
  step(input: ReplicaInput<V>): ReplicaOutput<V> {
    const out: ReplicaOutput<V> = (this.out = { persist: [], send: [], apply: [], events: [] });
    switch (input.type) {
      case 'message':
        if (isVoter(this.options.configuration, input.from)) this.onMessage(input.from, input.message, input.nowMs);
        break;
      case 'propose':
        this.propose(input.value, input.nowMs);
        break;
      case 'tick':
        this.onTick(input.nowMs);
        break;
      case 'flush':
        this.sendAcknowledgement();
        break;
      case 'resign':
        this.resign(input.nowMs);
        break;
      default:
        unreachable(input);
    }
    const apply = this.log.takeChosen();
    return apply.length === 0 ? out : { ...out, apply };
  }

  /** When `tick` is next of use. */
  get nextDeadlineMs(): number {
    const role = this.role;
    if (role.type !== 'leader') return this.electionDueMs;
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

  get promised(): Ballot {
    return this.acceptor.promised;
  }

  /** Voters that the leader is in touch with, by its own word. */
  get connected(): readonly string[] {
    return this.connectedVoters;
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
  }

  private canvass(nowMs: number): void {
    this.electionDueMs = nowMs + this.electionDelayMs();
    if (this.granted.remainingAgainstMs(this.options.self, nowMs) > 0) return;
    const ballot: Ballot = { ...this.options.self, round: this.highestSeen.round + 1 };
    const support = new Set<string>();
    this.role = { type: 'canvassing', ballot, support };
    this.out.events.push({ type: 'canvassing', ballot });
    this.out.send.push({ to: voters, message: { type: 'canvass', ballot } });
    this.onSupport(this.options.self, { type: 'support', ballot }, nowMs);
  }

  private onCanvass(from: Proposer, { ballot }: M.Canvass, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    const leaseRemainingMs = this.boundAgainstMs(ballot, nowMs);
    const supports = leaseRemainingMs === 0 && compareBallots(ballot, this.acceptor.promised) > 0;
    if (supports) this.reply(from, { type: 'support', ballot });
    else this.reject(from, ballot, leaseRemainingMs);
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
    phase.onPromise(this.options.self.node, {
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

  private onPrepare(from: Proposer, { ballot, chosenIndex }: M.Prepare, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    const leaseRemainingMs = this.boundAgainstMs(ballot, nowMs);
    if (leaseRemainingMs > 0 || compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, leaseRemainingMs);
    this.adoptPromise(ballot, nowMs);
    this.electionDueMs = nowMs + this.electionDelayMs();
    const votes = this.log.votesAbove(Math.max(chosenIndex, this.log.chosenIndex), ballot);
    const pages = this.paginate(votes);
    const { chosenIndex: known, floor } = this.log;
    pages.forEach((page, part) =>
      this.reply(from, { type: 'promise', ballot, chosenIndex: known, floor, part, parts: pages.length, votes: page }),
    );
  }

  private onPromise(from: Proposer, message: M.PromiseMade<V>, nowMs: number): void {
    if (this.role.type !== 'preparing') return;
    this.role.phase.onPromise(from.node, message);
    this.maybeLead(this.role.phase, nowMs);
  }

  /** A candidate that is behind a promiser learns what it lacks before it proposes anything. */
  private maybeLead(phase: PhaseOne<V>, nowMs: number): void {
    if (!phase.isComplete) return;
    const { node, chosenIndex } = phase.mostAdvanced;
    if (chosenIndex > this.log.chosenIndex) this.fetch(node, chosenIndex, nowMs);
    else this.lead(phase, nowMs);
  }

  private lead(phase: PhaseOne<V>, nowMs: number): void {
    const { configuration, timing, self, begin } = this.options;
    const firstSlot = this.log.chosenIndex + 1;
    const term = new LeaderTerm<V>(phase.ballot, firstSlot, nowMs, configuration, timing.electionTimeoutMs);
    this.role = { type: 'leader', term };
    this.heard = null;
    term.appliedBy.set(self.node, this.log.chosenIndex);
    const adopted = phase.adopted(this.log.chosenIndex);
    this.beat(term, nowMs);
    for (const { value } of adopted) this.proposeIn(term, value, nowMs);
    term.beginSlot = term.nextSlot;
    this.proposeIn(term, begin(phase.ballot), nowMs);
    const filled = adopted.filter(({ value }) => value === null).length;
    this.out.events.push({ type: 'leading', ballot: phase.ballot, beginSlot: term.beginSlot, adopted: adopted.length, filled });
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
    if (this.role.type === 'leader') this.proposeIn(this.role.term, value, nowMs);
  }

  private proposeIn(term: LeaderTerm<V>, value: V | null, nowMs: number): void {
    const proposal = term.propose(value, nowMs);
    // Our own vote is in `persist` of the same output, so it is durable before the accept leaves: the short path rests on it.
    this.acceptor.accept(term.ballot, proposal.slot, value, this.out.persist);
    this.out.send.push({ to: voters, message: this.acceptMessage(term, proposal) });
    term.onAccepted(this.options.self.node, proposal.slot, []);
    this.maybeChoose(term, nowMs);
  }

  private acceptMessage(term: LeaderTerm<V>, { slot, value }: Proposal<V>): M.Accept<V> {
    return { type: 'accept', ballot: term.ballot, slot, value, firstSlot: term.firstSlot, chosenIndex: this.log.chosenIndex };
  }

  private onAccept(from: Proposer, message: M.Accept<V>, nowMs: number): void {
    const { ballot, slot, value, firstSlot, chosenIndex } = message;
    if (!sameProposer(from, ballot)) return;
    if (slot <= this.log.floor) return this.sendChosen(from, slot, slot);
    if (compareBallots(ballot, this.acceptor.promised) < 0) return this.reject(from, ballot, 0);
    this.adoptPromise(ballot, nowMs);
    this.acceptor.accept(ballot, slot, value, this.out.persist);
    this.electionDueMs = Math.max(this.electionDueMs, nowMs + this.options.timing.electionTimeoutMs);
    this.noteAccepted(ballot, slot, firstSlot);
    // With three voters, the proposer's vote (durable before this left) and ours are a majority.
    if (this.options.configuration.voters.length === 3) this.log.choose(slot);
    this.learnUpTo(ballot, chosenIndex, from.node, nowMs);
  }

  private noteAccepted(ballot: Ballot, slot: Slot, firstSlot: Slot): void {
    const ack = this.acknowledge;
    if (!sameBallot(ack.ballot, ballot)) Object.assign(ack, { ballot, firstSlot, upTo: firstSlot - 1, beyond: [] });
    ack.due = true;
    ack.upTo = this.acceptor.acceptedUpTo(ballot, firstSlot, ack.upTo);
    if (slot > ack.upTo) ack.beyond.push(slot);
    if (ack.beyond.length > 0) ack.beyond = ack.beyond.filter((beyond) => beyond > ack.upTo);
  }

  private sendAcknowledgement(): void {
    const ack = this.acknowledge;
    if (!ack.due) return;
    ack.due = false;
    if (!sameBallot(ack.ballot, this.acceptor.promised)) return;
    const { ballot, upTo, beyond } = ack;
    this.reply(ballot, { type: 'accepted', ballot, upTo, beyond: [...beyond] });
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
    const { timing, self } = this.options;
    term.nextHeartbeatMs = nowMs + timing.heartbeatMs;
    this.granted.grant(term.ballot, timing.electionTimeoutMs, nowMs);
    const id = term.lease.heartbeatSent(nowMs, self.node);
    this.connectedVoters = term.lease.connected(nowMs, timing.electionTimeoutMs);
    this.recordChosen();
    this.log.compactTo(term.appliedByAll());
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
      this.out.send.push({ to: voters, message: this.acceptMessage(term, proposal) });
    }
  }

  private onHeartbeat(from: Proposer, message: M.Heartbeat, nowMs: number): void {
    const { ballot, id, leaseMs, chosenIndex, connected, compactTo } = message;
    if (!sameProposer(from, ballot)) return;
    this.see(ballot);
    // A higher ballot that beats has finished its phase 1: this replica's own term is over, and its lease to itself with it.
    if (this.role.type === 'leader' && compareBallots(ballot, this.role.term.ballot) > 0) this.stepDown('outbid', nowMs);
    if (compareBallots(ballot, this.acceptor.promised) < 0 || this.boundAgainstMs(ballot, nowMs) > 0) {
      return this.reject(from, ballot, this.boundAgainstMs(ballot, nowMs));
    }
    this.adoptPromise(ballot, nowMs);
    if (!this.heard || !sameBallot(this.heard.ballot, ballot)) this.out.events.push({ type: 'following', ballot });
    this.heard = { ballot, atMs: nowMs };
    this.connectedVoters = connected;
    this.electionDueMs = nowMs + this.electionDelayMs();
    this.learnUpTo(ballot, chosenIndex, from.node, nowMs);
    this.log.compactTo(Math.min(compactTo, this.log.chosenIndex));
    if (leaseMs > this.options.timing.leaseMaxMs) return;
    this.granted.grant(ballot, leaseMs, nowMs);
    this.recordChosen();
    this.reply(from, { type: 'heartbeatSeen', ballot, id, appliedIndex: this.log.chosenIndex });
  }

  private onHeartbeatSeen(from: Proposer, { ballot, id, appliedIndex }: M.HeartbeatSeen): void {
    const role = this.role;
    if (role.type !== 'leader' || !sameBallot(role.term.ballot, ballot)) return;
    role.term.lease.heartbeatSeen(id, from.node);
    role.term.appliedBy.set(from.node, Math.max(appliedIndex, role.term.appliedBy.get(from.node) ?? 0));
  }

  /** Serving has stopped when this returns: the abdication leaves after the role is given up, and the ballot is never led again. */
  private resign(nowMs: number): void {
    if (this.role.type !== 'leader') return;
    const { ballot, appliedBy } = this.role.term;
    const self = this.options.self.node;
    const connected = this.connectedVoters.filter((node) => node !== self);
    const successor = connected.sort((a, b) => (appliedBy.get(b) ?? 0) - (appliedBy.get(a) ?? 0))[0] ?? '';
    this.stepDown('handed over', nowMs);
    this.electionDueMs += this.options.timing.electionTimeoutMs;
    this.out.send.push({ to: voters, message: { type: 'abdicate', ballot, successor } });
  }

  private onAbdicate(from: Proposer, { ballot, successor }: M.Abdicate, nowMs: number): void {
    if (!sameProposer(from, ballot)) return;
    this.granted.release(ballot);
    if (this.heard && sameBallot(this.heard.ballot, ballot)) this.heard = null;
    if (successor === this.options.self.node) this.electionDueMs = nowMs;
  }

  /** Others forget what everyone has applied, so what we say we applied must be found again after a restart. */
  private recordChosen(): void {
    if (this.recordedChosen === this.log.chosenIndex) return;
    this.recordedChosen = this.log.chosenIndex;
    this.out.persist.push({ type: 'chosen', upTo: this.recordedChosen });
  }

  private stepDown(reason: 'outbid' | 'majority silent' | 'handed over', nowMs: number): void {
    if (this.role.type !== 'leader') return;
    this.out.events.push({ type: 'steppedDown', ballot: this.role.term.ballot, reason });
    this.granted.release(this.role.term.ballot);
    this.role = follower;
    this.connectedVoters = [];
    this.electionDueMs = nowMs + this.electionDelayMs();
  }

  // Learning.

  /** Everything the leader of `ballot` knows to be chosen: ours where we voted in that ballot, else it must be fetched. */
  private learnUpTo(ballot: Ballot, chosenIndex: Slot, node: string, nowMs: number): void {
    const own = this.log.chosenIndex;
    for (let slot = own + 1; slot <= chosenIndex && this.acceptor.hasVote(ballot, slot); slot += 1) this.log.choose(slot);
    if (chosenIndex > this.log.chosenIndex && nowMs >= this.fetchDueMs) this.fetch(node, chosenIndex, nowMs);
  }

  private fetch(node: string, to: Slot, nowMs: number): void {
    this.fetchDueMs = nowMs + this.options.timing.heartbeatMs;
    this.out.send.push({ to: { type: 'node', node }, message: { type: 'fetch', from: this.log.chosenIndex + 1, to } });
  }

  private onFetch(from: Proposer, { from: first, to }: M.Fetch): void {
    this.sendChosen(from, first, to);
  }

  private sendChosen(to: Proposer, first: Slot, last: Slot): void {
    const { chosenIndex, floor } = this.log;
    const { limits } = this.options;
    const values: (V | null)[] = [];
    let bytes = 0;
    for (let slot = first; slot > floor && slot <= Math.min(last, chosenIndex); slot += 1) {
      const value = this.log.valueAt(slot) ?? null;
      bytes += value === null ? 1 : limits.sizeOf(value);
      if (values.length > 0 && bytes > limits.messageBytesMax) break;
      values.push(value);
    }
    this.reply(to, { type: 'chosen', from: first, values, chosenIndex, floor });
  }

  private onChosen({ from, values, chosenIndex }: M.Chosen<V>, nowMs: number): void {
    const before = this.log.chosenIndex;
    values.forEach((value, index) => {
      const slot = from + index;
      if (slot <= this.log.floor || this.log.isChosen(slot)) return;
      this.log.learn(slot, value);
      this.out.persist.push({ type: 'learned', slot, value });
    });
    const role = this.role;
    if (role.type === 'preparing') this.maybeLead(role.phase, nowMs);
    else if (role.type === 'leader') this.maybeChoose(role.term, nowMs);
    else if (this.log.chosenIndex > before && chosenIndex > this.log.chosenIndex && this.heard) {
      this.fetch(this.heard.ballot.node, chosenIndex, nowMs);
    }
  }

  // Promises and their bounds.

  /** Raises our promise for another's ballot; a leader or candidate of a lower one stops at once. */
  private adoptPromise(ballot: Ballot, nowMs: number): void {
    const before = this.acceptor.promised;
    this.acceptor.promise(ballot, this.out.persist);
    this.see(ballot);
    if (sameBallot(before, ballot)) return;
    if (this.role.type === 'leader') this.stepDown('outbid', nowMs);
    this.role = follower;
    this.heard = null;
  }

  /** How long a lease, or having heard a living leader, binds us against `ballot`. */
  private boundAgainstMs(ballot: Ballot, nowMs: number): number {
    return this.granted.remainingAgainstMs(ballot, nowMs);
  }

  private reject(to: Proposer, ballot: Ballot, leaseRemainingMs: number): void {
    this.reply(to, { type: 'reject', ballot, promised: this.acceptor.promised, leaseRemainingMs });
  }

  private reply(to: Proposer, message: PaxosMessage<V>): void {
    this.out.send.push({ to: { type: 'node', node: to.node }, message });
  }

  private see(ballot: Ballot): void {
    if (compareBallots(ballot, this.highestSeen) > 0) this.highestSeen = ballot;
  }

  private silentDeadlineMs(term: LeaderTerm<V>): number {
    // A lone voter is its own majority: a pause of its process silences nobody.
    if (this.options.configuration.voters.length === 1) return Infinity;
    return Math.max(term.sinceMs, term.lease.majorityAnsweredMs()) + this.options.timing.electionTimeoutMs;
  }

  private electionDelayMs(): number {
    return this.options.timing.electionTimeoutMs * (1 + this.options.random.next());
  }

  private retryDelayMs(): number {
    return this.options.timing.electionTimeoutMs * 0.25 * this.options.random.next();
  }

  private paginate(votes: readonly M.Vote<V>[]): M.Vote<V>[][] {
    const { messageBytesMax, sizeOf } = this.options.limits;
    const pages: M.Vote<V>[][] = [[]];
    let bytes = 0;
    for (const vote of votes) {
      const size = vote.value === null ? 1 : sizeOf(vote.value);
      if (bytes > 0 && bytes + size > messageBytesMax) {
        pages.push([]);
        bytes = 0;
      }
      bytes += size;
      pages.at(-1)?.push(vote);
    }
    return pages;
  }
}
