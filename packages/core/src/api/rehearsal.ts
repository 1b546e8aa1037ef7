/**
 * A change of a set, made on a copy of it: by the very table that the group's replicas keep, so that plan and outcome are one computation.
 * Sessions and tokens are the copy's own.
 */
import { invariant, QuorateError, unreachable } from '../errors.ts';
import { partitionOp } from '../partition/command.ts';
import type { PartitionOp } from '../partition/command.ts';
import type { PartitionMember, PartitionSet, PartitionSetRow } from '../partition/partition-set.ts';
import { PartitionTable } from '../partition/partition-table.ts';
import { assign } from '../ring/assignment.ts';
import { refusalIn } from './partition-change.ts';
import { partitionsDefaults } from './partition-options.ts';
import type { Ownership } from './partitions-contract.ts';
import type { PlannedStep } from './planned-change.ts';

export class Rehearsal {
  readonly #table: PartitionTable;
  readonly #set: PartitionSet;
  /** Absent members that do not come back. */
  readonly #gone: string[] = [];
  #session: number;

  constructor(name: string, ownership: Ownership) {
    let token = ownership.partitions.reduce((most, one) => Math.max(most, one.token), 0);
    this.#session = ownership.members.length;
    this.#table = new PartitionTable({ nextToken: () => (token += 1), assign }, Infinity);
    this.#table.restore([rowOf(name, ownership)]);
    const set = this.#table.set(name);
    invariant(set !== undefined, 'what was restored is there');
    this.#set = set;
  }

  /** Throws what the call that makes the step rejects with; `INVALID_NAME` for a node that joins and takes part already. */
  take(step: PlannedStep): void {
    const { name } = this.#set;
    switch (step.type) {
      case 'resize':
        return this.#do([partitionOp.resize, 0, name, step.count]);
      case 'pin':
        return this.#do([partitionOp.pin, 0, name, step.partition, step.node]);
      case 'place':
        return this.#do([partitionOp.place, 0, name, step.node, step.placing]);
      case 'leave':
        return this.#leave(step.node);
      case 'join':
        if (this.#set.members.has(step.node)) throw new QuorateError('INVALID_NAME', `"${step.node}" takes part in "${name}" already.`);
        return this.#enter(step.node, step.weight);
      case 'weigh':
        return this.#weigh(step.node, step.weight);
      default:
        return unreachable(step);
    }
  }

  /** Who is to own each partition once the changes have settled. */
  homes(): readonly (string | undefined)[] {
    this.#table.rebalance(this.#set.name, this.#gone);
    return this.#set.partitions.slice(0, this.#set.count).map(({ home }) => (home === '' ? undefined : home));
  }

  #do(op: PartitionOp, node = '', session = 0): void {
    const [, code] = this.#table.apply(session, node, op);
    const refusal = refusalIn(this.#set.name, code);
    if (refusal) throw refusal;
  }

  #leave(node: string): void {
    const { session } = this.#memberOf(node);
    if (session === 0) this.#gone.push(node);
    else this.#do([partitionOp.leave, 0, this.#set.name], node, session);
  }

  /** By a restart: a member comes by another weight in no other way. */
  #weigh(node: string, weight: number): void {
    const { session } = this.#memberOf(node);
    if (session !== 0) this.#table.endSession(session, node);
    this.#enter(node, weight);
  }

  #enter(node: string, weight: number): void {
    const { name, count, graceMs, settleMs } = this.#set;
    this.#session += 1;
    this.#do([partitionOp.join, 0, name, weight, partitionsDefaults.drainTimeoutMs, count, graceMs, settleMs], node, this.#session);
  }

  #memberOf(node: string): PartitionMember {
    const member = this.#set.members.get(node);
    if (member === undefined) throw new QuorateError('NOT_A_MEMBER', `"${node}" takes no part in "${this.#set.name}".`);
    return member;
  }
}

/** As a snapshot of the group would have it. */
function rowOf(name: string, { count, members, partitions, pins }: Ownership): PartitionSetRow {
  // An excluded node without a weight takes no part, or leaves and has something still.
  const owners = new Set(partitions.map(({ node }) => node));
  const taking = members.filter(({ node, weight, state }) => weight > 0 || state === 'leaving' || owners.has(node));
  const sessions = new Map(taking.map(({ node, state }, index) => [node, state === 'absent' ? 0 : index + 1]));
  const memberRows = taking.map(({ node, weight, state }) => {
    const isLeaving = weight === 0;
    const share = isLeaving ? partitionsDefaults.weight : weight;
    return [node, sessions.get(node) ?? 0, share, partitionsDefaults.drainTimeoutMs, state === 'drained', isLeaving] as const;
  });
  const excluded = members.filter(({ state }) => state === 'excluded').map(({ node }) => node);
  const refusals = partitions
    .filter(({ refusedBy }) => refusedBy.length > 0)
    .map(({ partition, refusedBy }) => [partition, refusedBy] as const);
  const partitionRows = partitions.map(({ home = '', node = '', token, state }) => {
    const isRevoked = state === 'revoking' || state === 'overrun';
    return [home, node, sessions.get(node) ?? 0, token, isRevoked, state === 'owned' || state === 'revoking', null] as const;
  });
  return [name, count, 0, 0, false, memberRows, excluded, [...pins], refusals, partitionRows];
}
