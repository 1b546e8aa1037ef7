/** Sees every step of a virtual world and throws at the first that breaks a promise. `docs/guarantees.md`. */
import type { Applied } from '../../src/group/group-applied.ts';
import { checkGroupState } from '../../src/group/group-invariants.ts';
import { GroupState } from '../../src/group/group-state.ts';
import type { MemberOutput } from '../../src/group/member.ts';
import type { GroupBatch } from '../../src/group/member-message.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { LockOp, LockResult } from '../../src/lock/command.ts';
import { isVoter } from '../../src/paxos/configuration.ts';
import type { FoundingRecord } from '../../src/paxos/founding-message.ts';
import { ReplicaWitness } from '../../src/paxos/invariants.ts';
import type { Process } from './world.ts';

/** What the replicas of one founding agreed on, by whoever applied a slot first. */
interface ChosenLog {
  readonly record: FoundingRecord;
  readonly values: string[];
  readonly state: GroupState;
  /** By index, of whoever came by it first. */
  readonly hashes: Map<number, string>;
  readonly ended: Set<number>;
  /** Grants by session and sequence. */
  readonly grants: Map<string, number>;
  /** Sessions that wait, by resource, in the order in which their acquires were chosen. */
  readonly queues: Map<string, number[]>;
}

interface Held {
  readonly session: number;
  readonly token: number;
}

/** What a process believes, beside what its member knows. */
interface Belief {
  appliedIndex: number;
  readonly replica: ReplicaWitness<GroupBatch>;
  readonly asked: Map<string, LockOp>;
  readonly held: Map<string, Held>;
  readonly lost: Set<number>;
}

const hashedEvery = 50;

/**
 * 1. Every replica that ever applied a slot of a founding applied the same value there, and has the same state at the same index.
 * 2. Tokens rise from grant to grant, over all foundings; an acquire is granted under one token.
 * 3. No two processes hold valid leases on one lock, nor two leaders a leader lease of one founding, at one moment of true time.
 * 4. A lock is granted to those who wait for it in the order in which their acquires were chosen.
 * 5. A session that ended never opens again, at the group or at its holder.
 * 6. Only a seat of the configuration has a replica of its log, and no seat belongs to two complete foundings.
 */
export class Observer {
  readonly logs = new Map<string, ChosenLog>();
  private readonly beliefs = new Map<Process, Belief>();
  private highestToken = 0;

  constructor(private readonly processes: readonly Process[]) {}

  requested(process: Process, session: number, op: LockOp): void {
    const belief = this.beliefOf(process);
    belief.asked.set(`${session} ${op[1]}`, op);
    // Whoever lets go, or no longer wants to hold, relies on the lease no more.
    if (op[0] === lockOp.release) belief.held.delete(op[2]);
    if (op[0] !== lockOp.cancel) return;
    const target = belief.asked.get(`${session} ${op[2]}`);
    if (target?.[0] === lockOp.acquire) belief.held.delete(target[2]);
    belief.asked.delete(`${session} ${op[2]}`);
  }

  afterStep(process: Process, output: MemberOutput, nowMs: number): void {
    const belief = this.beliefOf(process);
    this.checkReplica(process, belief, nowMs);
    this.checkSession(process, belief, output, nowMs);
    for (const result of output.results) if (result[1] === resultCode.granted) this.onGranted(process, belief, result, nowMs);
    this.checkLeaders(nowMs);
  }

  /** The tokens under which the group granted a resource's locks, for tests. */
  grantsOf(founding: string): ReadonlyMap<string, number> {
    return this.logs.get(founding)?.grants ?? new Map<string, number>();
  }

  private checkReplica(process: Process, belief: Belief, nowMs: number): void {
    const { replica, state, record } = process.member.inspect;
    if (!replica || !state || !record) return;
    if (!isVoter(record.configuration, process)) fail(nowMs, `6: ${process.incarnation} has a replica and is no voter`);
    for (const rule of belief.replica.check(replica)) fail(nowMs, `${process.incarnation}: ${rule}`);
    if (state.appliedIndex === belief.appliedIndex) return;
    const log = this.logOf(record, nowMs);
    for (let slot = belief.appliedIndex + 1; slot <= state.appliedIndex; slot += 1) {
      const value = replica.log.valueAt(slot);
      if (value === undefined) continue;
      const text = JSON.stringify(value);
      if (log.values[slot] === undefined) this.onChosen(log, slot, value, nowMs);
      log.values[slot] ??= text;
      if (log.values[slot] !== text) fail(nowMs, `1: slot ${slot} is ${log.values[slot]} and, at ${process.incarnation}, ${text}`);
    }
    belief.appliedIndex = state.appliedIndex;
    if (state.appliedIndex % hashedEvery === 0) this.checkHash(process, log, state, nowMs);
  }

  /** Compares at the same index only; tests call it at the end as well, when all have settled. */
  checkHash(process: Process, log: ChosenLog, state: GroupState, nowMs: number): void {
    const hash = state.hash();
    const known = log.hashes.get(state.appliedIndex);
    if (known === undefined) log.hashes.set(state.appliedIndex, hash);
    else if (known !== hash) fail(nowMs, `1: at index ${state.appliedIndex}, ${process.incarnation} has another state`);
  }

  private onChosen(log: ChosenLog, slot: number, value: GroupBatch | null, nowMs: number): void {
    const applied = log.state.apply(slot, value);
    for (const rule of checkGroupState(log.state)) fail(nowMs, `slot ${slot}: ${rule}`);
    this.checkEvents(log, applied, nowMs);
    for (const { session, results } of applied.replies) for (const result of results) this.checkOnce(log, session, result, nowMs);
    for (const { session, retried } of applied.opened) {
      if (!retried && log.ended.has(session)) fail(nowMs, `5: session ${session} opened again`);
    }
    for (const { session } of applied.ended) log.ended.add(session);
  }

  private checkEvents(log: ChosenLog, { events }: Applied, nowMs: number): void {
    for (const { type, resource, session, token } of events) {
      const queue = log.queues.get(resource) ?? [];
      if (type === 'waiting') log.queues.set(resource, [...queue, session]);
      if (type === 'withdrawn') queue.splice(queue.indexOf(session), 1);
      if (type !== 'granted') continue;
      if (token <= this.highestToken) fail(nowMs, `2: token ${token} after ${this.highestToken}`);
      this.highestToken = token;
      const first = queue.shift();
      if (first !== undefined && first !== session) fail(nowMs, `4: ${resource} went to ${session} before ${first}`);
    }
  }

  private checkOnce(log: ChosenLog, session: number, [seq, code, token]: LockResult, nowMs: number): void {
    if (code !== resultCode.granted) return;
    const key = `${session} ${seq}`;
    const known = log.grants.get(key);
    if (known !== undefined && known !== token) fail(nowMs, `2: acquire ${key} was granted under ${known} and ${token}`);
    log.grants.set(key, token);
  }

  private checkSession(process: Process, belief: Belief, output: MemberOutput, nowMs: number): void {
    for (const event of output.events) {
      if (event.type === 'sessionLost') {
        belief.lost.add(event.session);
        belief.held.clear();
      }
      if (event.type === 'foundingAccepted') belief.lost.clear();
      if (event.type === 'founded') this.logOf(event.record, nowMs);
      if (event.type === 'sessionOpened' && belief.lost.has(event.session)) fail(nowMs, `5: ${process.node} revived ${event.session}`);
    }
  }

  private onGranted(process: Process, belief: Belief, [seq, , token]: LockResult, nowMs: number): void {
    const { session } = process.member;
    const op = belief.asked.get(`${session} ${seq}`);
    if (session === null || op?.[0] !== lockOp.acquire || !isValid(process, session, nowMs)) return;
    const resource = op[2];
    belief.held.set(resource, { session, token });
    for (const other of this.processes) {
      const held = other.alive && other !== process ? this.beliefs.get(other)?.held.get(resource) : undefined;
      if (!held || !isValid(other, held.session, nowMs)) continue;
      fail(nowMs, `3: ${process.node} holds ${resource} under ${token} and ${other.node} under ${held.token}`);
    }
  }

  private checkLeaders(nowMs: number): void {
    let founding: string | undefined;
    let leader: Process | undefined;
    for (const process of this.processes) {
      if (!process.alive) continue;
      const { replica, record } = process.member.inspect;
      const term = replica?.leading;
      if (!term || process.clock.read(nowMs).monotonicMs >= term.lease.heldUntilMs()) continue;
      if (leader && founding === record?.configuration.founding) fail(nowMs, `3: ${leader.node} and ${process.node} hold the leader lease`);
      leader = process;
      founding = record?.configuration.founding;
    }
  }

  private logOf(record: FoundingRecord, nowMs: number): ChosenLog {
    const { configuration, maxSessionTtlMs } = record;
    const known = this.logs.get(configuration.founding);
    if (known) return known;
    for (const other of this.logs.values()) {
      const shared = configuration.voters.find((seat) => isVoter(other.record.configuration, seat));
      if (shared) fail(nowMs, `6: ${shared.incarnation} is in ${configuration.founding} and ${other.record.configuration.founding}`);
    }
    const log: ChosenLog = {
      record,
      values: [],
      state: new GroupState({ maxSessionTtlMs }),
      hashes: new Map(),
      ended: new Set(),
      grants: new Map(),
      queues: new Map(),
    };
    this.logs.set(configuration.founding, log);
    return log;
  }

  private beliefOf(process: Process): Belief {
    const known = this.beliefs.get(process);
    if (known) return known;
    const belief: Belief = { appliedIndex: 0, replica: new ReplicaWitness(), asked: new Map(), held: new Map(), lost: new Set() };
    this.beliefs.set(process, belief);
    return belief;
  }
}

function isValid(process: Process, session: number, nowMs: number): boolean {
  return process.member.session === session && process.member.remainingMs(process.clock.read(nowMs)) > 0;
}

function fail(nowMs: number, what: string): never {
  throw new Error(`promise broken at ${nowMs.toFixed(3)} ms: ${what}`);
}
