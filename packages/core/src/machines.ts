/** The door to the state machines: each by itself, and each as an RxJS operator. */
import type { OperatorFunction } from 'rxjs';
import { LockMachine } from './lock/lock-machine.ts';
import type { LockCommand, LockOutput } from './lock/lock-machine.ts';
import type { LockLimits } from './lock/lock-table.ts';
import { machine } from './machine.ts';
import type { MachineOptions } from './machine.ts';
import { Replica } from './paxos/replica.ts';
import type { ReplicaInput, ReplicaOptions, ReplicaOutput } from './paxos/replica.ts';
import { Synod } from './paxos/synod.ts';
import type { SynodInput, SynodOptions, SynodOutput, SynodSnapshot } from './paxos/synod.ts';
import type { Numbered } from './session/answer-window.ts';
import { HashRing } from './ring/hash-ring.ts';
import type { HashRingOptions, RingChange } from './ring/hash-ring.ts';
import { SessionMachine } from './session/session-machine.ts';
import type { SessionCommand, SessionOutput } from './session/session-machine.ts';
import type { SessionLimits } from './session/session-table.ts';

export * from './errors.ts';
export { machine } from './machine.ts';
export type { Machine, MachineOptions } from './machine.ts';
export { LockMachine } from './lock/lock-machine.ts';
export type * from './lock/lock-machine.ts';
export { acquireFlag, lockOp, resultCode } from './lock/command.ts';
export type * from './lock/command.ts';
export type { LockLimits } from './lock/lock-table.ts';
export { SessionMachine } from './session/session-machine.ts';
export type * from './session/session-machine.ts';
export type { SessionLimits } from './session/session-table.ts';
export { Replica } from './paxos/replica.ts';
export type * from './paxos/replica.ts';
export type * from './paxos/message.ts';
export type { Ballot, Proposer } from './paxos/ballot.ts';
export type { Configuration, Seat } from './paxos/configuration.ts';
export { Synod } from './paxos/synod.ts';
export type * from './paxos/synod.ts';
export { HashRing } from './ring/hash-ring.ts';
export type { HashRingOptions, RingChange, RingNode } from './ring/hash-ring.ts';
export { seededRandom } from './time/random.ts';
export type { Random } from './time/random.ts';

/** Locks and their queues: commands in, answers, grants and events out. Tokens count from 1 in each subscription. */
export function lockTable(limits?: LockLimits, options?: MachineOptions<LockCommand>): OperatorFunction<LockCommand, LockOutput> {
  return machine(() => new LockMachine(limits), options);
}

/** Sessions and what they were answered. */
export function sessions<Answer extends Numbered>(
  limits: SessionLimits,
  options?: MachineOptions<SessionCommand<Answer>>,
): OperatorFunction<SessionCommand<Answer>, SessionOutput<Answer>> {
  return machine(() => new SessionMachine<Answer>(limits), options);
}

/**
 * A voter's replica of the log. Whoever subscribes carries the outputs out, in the order of their fields: nothing in `send` leaves
 * before `persist` is durable.
 */
export function paxosReplica<V>(
  replica: ReplicaOptions<V>,
  options?: MachineOptions<ReplicaInput<V>>,
): OperatorFunction<ReplicaInput<V>, ReplicaOutput<V>> {
  return machine(() => new Replica<V>(replica), options);
}

/** One decree of single-decree Paxos; the same duty about the order of an output's fields as for `paxosReplica`. */
export function synod<V>(
  decree: SynodOptions,
  memory?: SynodSnapshot<V>,
  options?: MachineOptions<SynodInput<V>>,
): OperatorFunction<SynodInput<V>, SynodOutput<V>> {
  return machine(() => new Synod<V>(decree, memory), options);
}

/**
 * Nodes that come and go, as snapshots of the ring after each change: `changes$.pipe(hashRing())`. A change that the ring refuses (a name
 * that is there already, a weight of 0) leaves it as it is and is told to `onFault`.
 */
export function hashRing(ring?: HashRingOptions, options?: MachineOptions<RingChange>): OperatorFunction<RingChange, HashRing> {
  return machine(() => {
    let current = HashRing.empty(ring);
    return { step: (change: RingChange) => (current = current.apply(change)) };
  }, options);
}
