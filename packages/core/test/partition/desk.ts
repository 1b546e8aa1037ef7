/** A table of partitions with sessions and decisions given by hand. */
import type { PartitionOp } from '../../src/partition/command.ts';
import { partitionOp, partitionResult } from '../../src/partition/command.ts';
import type { PartitionChanges } from '../../src/partition/partition-changes.ts';
import { checkPartitionTable } from '../../src/partition/partition-invariants.ts';
import type { Partition, PartitionSet } from '../../src/partition/partition-set.ts';
import { PartitionTable } from '../../src/partition/partition-table.ts';
import { assign } from '../../src/ring/assignment.ts';

export const set = 'orders';

export class PartitionDesk {
  token = 0;
  readonly table = new PartitionTable({ nextToken: () => (this.token += 1), assign }, 5);
  /** By node. */
  readonly sessions = new Map<string, number>();
  #session = 0;
  #seq = 0;

  /** Opens a session and takes part, without a new assignment. */
  join(node: string, { weight = 1, count = 4 }: { readonly weight?: number; readonly count?: number } = {}): number {
    const session = this.sessions.get(node) ?? (this.#session += 1);
    this.sessions.set(node, session);
    return this.do(node, (seq) => [partitionOp.join, seq, set, weight, 1_000, count, 2_000, 100]);
  }

  do(node: string, build: (seq: number) => PartitionOp): number {
    this.#seq += 1;
    const [seq, code] = this.table.apply(this.sessions.get(node) ?? 0, node, build(this.#seq));
    expect(seq).toBe(this.#seq);
    this.check();
    return code;
  }

  release(node: string, partition: number, note: string | null = null, token = this.at(partition).token): number {
    return this.do(node, (seq) => [partitionOp.release, seq, set, partition, token, note]);
  }

  end(node: string): void {
    this.table.endSession(this.sessions.get(node) ?? 0, node);
    this.sessions.delete(node);
    this.check();
  }

  rebalance(...gone: string[]): void {
    this.table.rebalance(set, gone);
    this.check();
  }

  /** Everybody gives up at once what is to be given up. */
  drainAll(): void {
    for (const { index, isRevoked, node } of [...this.set.partitions])
      if (isRevoked) expect(this.release(node, index)).toBe(partitionResult.done);
  }

  get set(): PartitionSet {
    const found = this.table.set(set);
    if (found === undefined) throw new Error('nobody has made the set');
    return found;
  }

  at(index: number): Partition {
    const partition = this.set.partitions[index];
    if (partition === undefined) throw new Error(`there is no partition ${index}`);
    return partition;
  }

  ownedBy(node: string): number[] {
    return this.set.partitions.filter((partition) => partition.node === node).map(({ index }) => index);
  }

  changes(): PartitionChanges {
    return this.table.takeChanges();
  }

  check(): void {
    expect(checkPartitionTable(this.table)).toEqual([]);
  }
}
