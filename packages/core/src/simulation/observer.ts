/** Sees every step of every member of a world, and throws at the first that breaks a promise. `docs/guarantees.md`. */
import type { Applied } from '../group/group-applied.ts';
import type { FeatureLevels } from '../group/feature-level.ts';
import { checkGroupState } from '../group/group-invariants.ts';
import { GroupState } from '../group/group-state.ts';
import type { Member, MemberInside, MemberOutput } from '../group/member.ts';
import type { GroupBatch } from '../group/member-message.ts';
import { lockOp, resultCode } from '../lock/command.ts';
import type { Operation, OperationResult } from '../operation.ts';
import { ballotStamp } from '../paxos/ballot.ts';
import type { Ballot } from '../paxos/ballot.ts';
import { isVoter } from '../paxos/configuration.ts';
import type { FoundingRecord } from '../paxos/founding-message.ts';
import { ReplicaWitness } from '../paxos/invariants.ts';
import { entryKind } from '../session/command.ts';
import type { Instant } from '../time/clock.ts';
import type { Marks } from './marks.ts';
import { PartitionObserver } from './partition-observer.ts';

/** A process as the observer sees it. */
export interface Observed {
  readonly node: string;
  readonly isAlive: boolean;
  /** What its clocks show at this moment of true time, whether it runs or stands still. */
  now(): Instant;
}

/** A promise that did not hold. `promise` says which, in a few words that stay the same from run to run. */
export class BrokenPromise extends Error {
  constructor(
    readonly promise: string,
    readonly what: string,
    readonly atMs: number,
  ) {
    super(`${promise}: ${what} (at ${atMs.toFixed(3)} ms)`);
  }
}

/** What the replicas of one founding agreed on, by whoever applied a slot first. */
export interface ChosenLog {
  readonly record: FoundingRecord;
  readonly values: (GroupBatch | null)[];
  readonly state: GroupState;
  /** By index, of whoever came by it first. */
  readonly hashes: Map<number, string>;
  readonly ended: Set<number>;
  /** Grants by session and sequence. */
  readonly grants: Map<string, number>;
  /** Acquires that wait, by resource, in the order in which they were chosen. */
  readonly queues: Map<string, Waiting[]>;
}

interface Waiting {
  readonly session: number;
  readonly seq: number;
}

interface Held {
  readonly session: number;
  readonly seq: number;
  readonly token: number;
}

/** What a process believes, beside what its member knows. */
interface Belief {
  readonly process: Observed;
  readonly member: Member;
  /** As of its last step. */
  leading: unknown;
  appliedIndex: number;
  readonly replica: ReplicaWitness<GroupBatch>;
  readonly asked: Map<string, Operation>;
  readonly held: Map<string, Held>;
  /** What the lease on its session had left at its last step. */
  remainingMs: number;
  /** By founding: session numbers begin anew with each. */
  readonly lost: Set<string>;
}

const hashedEvery = 50;

export interface ObserverOptions {
  readonly nowMs: () => number;
  /** Outside of it, leases may overlap; that is a mark. */
  readonly driftIsBounded: boolean;
  readonly marks: Marks;
  /** What the newest build in the world can; absent: the present one. */
  readonly levels?: FeatureLevels | undefined;
}

/**
 * 1. Agreement: every replica that ever applied a slot of a founding applied the same value there, and has the same state at the
 *    same index; what the machines state of themselves holds after every step.
 * 2. Fencing: tokens rise from grant to grant, over all foundings. Exactly once: an acquire is granted under one token.
 * 3. Leases: no two processes hold valid leases on one lock, nor two leaders a leader lease of one founding, at one moment of true time:
 *    looked at when a lease is granted, and whenever one grows longer.
 * 4. FIFO: a lock is granted to those who wait for it in the order in which their acquires were chosen.
 * 5. Sessions: one that ended never opens again, at the group or at its holder.
 * 6. Founding: only a seat of a configuration has a replica in it, and no seat belongs to two complete foundings.
 * 7. Partitions: what `PartitionObserver` says of them.
 */
export class Observer {
  readonly logs = new Map<string, ChosenLog>();
  readonly partitions: PartitionObserver;
  private readonly beliefs = new Map<Member, Belief>();
  private highestToken = 0;

  constructor(private readonly options: ObserverOptions) {
    this.partitions = new PartitionObserver({ ...options, fail: (promise, what) => this.fail(promise, what) });
  }

  /** Called with each request before it leaves. */
  onRequest(process: Observed, member: Member, session: number, op: Operation): void {
    const belief = this.beliefOf(process, member);
    belief.asked.set(`${session} ${op[1]}`, op);
    this.partitions.onRequest(member, op);
    // Whoever lets go, or no longer wants to hold, relies on the lease no more.
    if (op[0] === lockOp.release && belief.held.get(op[2])?.token === op[3]) belief.held.delete(op[2]);
    if (op[0] !== lockOp.cancel) return;
    const target = belief.asked.get(`${session} ${op[2]}`);
    const held = target?.[0] === lockOp.acquire ? belief.held.get(target[2]) : undefined;
    if (held?.session === session && held.seq === op[2] && target?.[0] === lockOp.acquire) belief.held.delete(target[2]);
    belief.asked.delete(`${session} ${op[2]}`);
  }

  onStep(process: Observed, member: Member, output: MemberOutput): void {
    const belief = this.beliefOf(process, member);
    const inside = member.inspect;
    this.checkReplica(inside, belief);
    if (output.events.length > 0) this.checkSession(belief, inside, output);
    for (const result of output.results) if (result[1] === resultCode.granted) this.onGranted(belief, member, result);
    this.checkProlonged(belief, member);
    this.partitions.onStep(process, member, output);
    const leading = inside.replica?.leading ?? null;
    // Nothing but its own steps makes a process a leader, or lengthens its lease.
    if (leading !== null) this.checkLeaders(inside, belief);
    belief.leading = leading;
  }

  /** A member that is gone is asked nothing any more, so that a long run does not remember all it ever saw. */
  forget(process: Observed): void {
    for (const [member, belief] of this.beliefs) if (belief.process === process) this.beliefs.delete(member);
  }

  /** Compares states at the same index only; also called at the end, when all have settled. */
  checkHash({ state, record, self }: MemberInside): void {
    const log = record && this.logs.get(record.configuration.founding);
    if (!state || !log) return;
    const hash = state.hash();
    const known = log.hashes.get(state.appliedIndex);
    if (known === undefined) log.hashes.set(state.appliedIndex, hash);
    else if (known !== hash) this.fail('agreement', `at index ${state.appliedIndex}, ${self.node} has another state`);
  }

  fail(promise: string, what: string): never {
    throw new BrokenPromise(promise, what, this.options.nowMs());
  }

  private checkReplica(inside: MemberInside, belief: Belief): void {
    const { replica, log: own, state, record, self } = inside;
    if (!state || !record || !own) return;
    if (replica) {
      if (!isVoter(replica.configuration, self)) this.fail('founding', `${self.node} has a replica and is no voter`);
      for (const rule of belief.replica.check(replica)) this.fail('machine rule', `${self.node}: ${rule}`);
    }
    if (state.appliedIndex === belief.appliedIndex) return;
    const log = this.logOf(record);
    for (let slot = belief.appliedIndex + 1; slot <= state.appliedIndex; slot += 1) {
      const value = own.valueAt(slot);
      if (value === undefined) continue;
      const known = log.values[slot];
      if (known === undefined) {
        log.values[slot] = value;
        this.markAdopted(value, own.vote(slot)?.ballot);
      } else if (!isSame(known, value)) {
        this.fail('agreement', `slot ${slot} is ${JSON.stringify(known)} and, at ${self.node}, ${JSON.stringify(value)}`);
      }
    }
    // What a process kept of a write that failed is known before another shows it.
    for (let next = log.state.appliedIndex + 1; log.values[next] !== undefined; next++) this.onChosen(log, next, log.values[next] ?? null);
    if (Math.floor(state.appliedIndex / hashedEvery) > Math.floor(belief.appliedIndex / hashedEvery)) this.checkHash(inside);
    belief.appliedIndex = state.appliedIndex;
  }

  private onChosen(log: ChosenLog, slot: number, value: GroupBatch | null): void {
    const { marks } = this.options;
    if (value === null) marks.reach('noOpFilled');
    else this.beforeApplying(log, value);
    const tokenBefore = this.highestToken;
    const applied = log.state.apply(slot, value);
    for (const rule of checkGroupState(log.state)) this.fail('machine rule', `slot ${slot}: ${rule}`);
    this.checkEvents(log, applied);
    for (const token of this.partitions.afterApplying(log.record.configuration.founding, log.state, value, applied)) {
      if (token <= tokenBefore) this.fail('fencing', `a partition is granted under ${token} after ${tokenBefore}`);
      this.highestToken = Math.max(this.highestToken, token);
    }
    for (const { session, results } of applied.replies) for (const result of results) this.checkOnce(log, session, result);
    for (const { session, retried } of applied.opened) {
      if (retried) marks.reach('openRetried');
      else if (log.ended.has(session)) this.fail('sessions', `session ${session} opened again`);
    }
    for (const { session, reason } of applied.ended) {
      log.ended.add(session);
      if (reason === 'expired') marks.reach('sessionExpired');
      if (reason === 'replaced') marks.reach('sessionReplaced');
    }
    if (applied.unknownSessions.length > 0) marks.reach('endedSessionRefused');
  }

  /** An expiry that one leader proposed and a later one found and proposed again, while it took over. */
  private markAdopted(value: GroupBatch | null, ballot: Ballot | undefined): void {
    if (value === null || ballot === undefined) return;
    for (const entry of value[1]) {
      if (entry[0] === entryKind.expire && entry[2] !== ballotStamp(ballot)) this.options.marks.reach('expiryDuringTakeOver');
    }
  }

  private enqueue(log: ChosenLog, resource: string, waiting: Waiting): void {
    const queue = log.queues.get(resource);
    if (queue) queue.push(waiting);
    else log.queues.set(resource, [waiting]);
  }

  private beforeApplying(log: ChosenLog, value: GroupBatch): void {
    this.partitions.beforeApplying(log.state, value);
    for (const entry of value[1]) {
      if (entry[0] !== entryKind.use) continue;
      for (const op of entry[3]) {
        const known = log.state.lookup(entry[1], op[1]);
        if (op[0] === lockOp.acquire && known === 'unknown') this.enqueue(log, op[2], { session: entry[1], seq: op[1] });
        if (known !== 'unknown') this.options.marks.reach('commandRepeated');
        if (op[0] !== lockOp.cancel) continue;
        const target = log.state.lookup(entry[1], op[2]);
        if (target === 'unknown') this.options.marks.reach('cancelBeforeAcquire');
        else if (target !== 'pending' && target[1] === resultCode.granted) this.options.marks.reach('cancelCrossedGrant');
      }
    }
  }

  private checkEvents(log: ChosenLog, { events, replies }: Applied): void {
    const grantees = new Map<number, Waiting>();
    for (const { session, results } of replies) {
      for (const [seq, code, token] of results) if (code === resultCode.granted) grantees.set(token, { session, seq });
    }
    for (const { type, resource, token } of events) {
      if (type !== 'granted') continue;
      if (token <= this.highestToken) this.fail('fencing', `token ${token} after ${this.highestToken}`);
      this.highestToken = token;
      this.checkFirst(log, resource, grantees.get(token));
    }
    if (events.length === 0) return;
    for (const [resource, queue] of log.queues) {
      const left = queue.filter(({ session, seq }) => log.state.lookup(session, seq) === 'pending');
      if (left.length > 0) log.queues.set(resource, left);
      else log.queues.delete(resource);
    }
  }

  /** Nobody who came before may still wait, or be granted later in the same slot. */
  private checkFirst(log: ChosenLog, resource: string, grantee: Waiting | undefined): void {
    if (grantee === undefined) this.fail('FIFO', `${resource} was granted, and nobody is told`);
    const queue = log.queues.get(resource) ?? [];
    const place = queue.findIndex(({ session, seq }) => session === grantee.session && seq === grantee.seq);
    for (const { session, seq } of queue.slice(0, Math.max(0, place))) {
      const answer = log.state.lookup(session, seq);
      const isLater = typeof answer === 'object' && answer[1] === resultCode.granted && answer[2] > this.highestToken;
      if (answer === 'pending' || isLater) this.fail('FIFO', `${resource} went to ${grantee.session} before ${session}`);
    }
  }

  private checkOnce(log: ChosenLog, session: number, [seq, code, token]: OperationResult): void {
    if (code !== resultCode.granted) return;
    const key = `${session} ${seq}`;
    const known = log.grants.get(key);
    if (known !== undefined && known !== token) this.fail('exactly once', `acquire ${key} was granted under ${known} and ${token}`);
    log.grants.set(key, token);
  }

  private checkSession(belief: Belief, { record }: MemberInside, { events }: MemberOutput): void {
    const founding = record?.configuration.founding ?? '';
    for (const event of events) {
      if (event.type === 'sessionLost') {
        belief.lost.add(`${founding} ${event.session}`);
        belief.held.clear();
      }
      if (event.type === 'founded') this.logOf(event.record);
      if (event.type === 'sessionOpened' && belief.lost.has(`${founding} ${event.session}`)) {
        this.fail('sessions', `${belief.process.node} revived ${event.session}`);
      }
    }
  }

  private onGranted(belief: Belief, member: Member, [seq, , token]: OperationResult): void {
    const { session } = member;
    const op = belief.asked.get(`${session} ${seq}`);
    if (session === null || op?.[0] !== lockOp.acquire || !isValid(belief, member, session)) return;
    const granted = this.logs.get(member.inspect.record?.configuration.founding ?? '')?.grants.get(`${session} ${seq}`);
    if (granted !== token) this.fail('exactly once', `${belief.process.node} is told of grant ${token}, and the group granted ${granted}`);
    const resource = op[2];
    belief.held.set(resource, { session, seq, token });
    this.checkAlone(belief, resource, token);
  }

  /** A lease that an answer prolongs, or brings back, must not reach into one that was granted meanwhile. */
  private checkProlonged(belief: Belief, member: Member): void {
    if (belief.held.size === 0) return;
    const before = belief.remainingMs;
    belief.remainingMs = member.inspect.holder.peekRemainingMs(belief.process.now());
    if (belief.remainingMs <= before) return;
    for (const [resource, { session, token }] of belief.held) if (member.session === session) this.checkAlone(belief, resource, token);
  }

  private checkAlone(belief: Belief, resource: string, token: number): void {
    for (const [other, theirs] of this.beliefs) {
      const held = theirs.process.isAlive && theirs !== belief ? theirs.held.get(resource) : undefined;
      if (!held || !isValid(theirs, other, held.session)) continue;
      this.onOverlap(`${belief.process.node} holds ${resource} under ${token} and ${theirs.process.node} under ${held.token}`);
    }
  }

  private onOverlap(what: string): void {
    if (this.options.driftIsBounded) this.fail('leases', what);
    this.options.marks.reach('overlapBeyondDriftBound');
  }

  private checkLeaders({ record, self }: MemberInside, belief: Belief): void {
    for (const [member, other] of this.beliefs) {
      if (other === belief || other.leading === null || !other.process.isAlive) continue;
      const { replica, record: theirs, self: rival } = member.inspect;
      const term = replica?.leading;
      if (!term || record?.configuration.founding !== theirs?.configuration.founding) continue;
      this.options.marks.reach('duellingLeaders');
      if (holdsLease(member, other.process) && holdsLease(belief.member, belief.process)) {
        this.onOverlap(`${rival.node} and ${self.node} hold the leader lease`);
      }
    }
  }

  private logOf(record: FoundingRecord): ChosenLog {
    const { configuration, maxSessionTtlMs } = record;
    const known = this.logs.get(configuration.founding);
    if (known) return known;
    for (const other of this.logs.values()) {
      const shared = configuration.voters.find((seat) => isVoter(other.record.configuration, seat));
      if (shared) this.fail('founding', `${shared.node} is in ${configuration.founding} and ${other.record.configuration.founding}`);
    }
    if (this.logs.size > 0) this.options.marks.reach('foundedAgain');
    const log: ChosenLog = {
      record,
      values: [],
      state: new GroupState({ maxSessionTtlMs }, this.options.levels),
      hashes: new Map(),
      ended: new Set(),
      grants: new Map(),
      queues: new Map(),
    };
    this.logs.set(configuration.founding, log);
    return log;
  }

  private beliefOf(process: Observed, member: Member): Belief {
    const known = this.beliefs.get(member);
    if (known) return known;
    // A member that goes on for another, under a new incarnation, goes on with its session.
    const before = [...this.beliefs.values()].find((other) => other.member.inspect.holder === member.inspect.holder);
    if (before) {
      this.beliefs.delete(before.member);
      this.partitions.goesOn(before.member, member);
    }
    const belief: Belief = {
      process,
      member,
      leading: null,
      appliedIndex: 0,
      replica: new ReplicaWitness(),
      asked: before?.asked ?? new Map(),
      held: before?.held ?? new Map(),
      remainingMs: before?.remainingMs ?? 0,
      lost: before?.lost ?? new Set(),
    };
    this.beliefs.set(member, belief);
    return belief;
  }
}

/** Of plain tuples. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) if (!isSame(one[index], other[index])) return false;
  return true;
}

function isValid({ process }: Belief, member: Member, session: number): boolean {
  return member.session === session && member.inspect.holder.peekRemainingMs(process.now()) > 0;
}

function holdsLease(member: Member, process: Observed): boolean {
  return member.inspect.seat?.holdsLease(process.now()) ?? false;
}
