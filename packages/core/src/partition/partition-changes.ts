/** What one slot changed in the sets of partitions: for watchers, and for the clocks of the leader. */

export interface SetChanges {
  /** Members, pins or the number of partitions. */
  membersChanged: boolean;
  /** Everybody who owns something is told. */
  countChanged: boolean;
  readonly partitions: Set<number>;
  /** For each node, the partitions that it got, is to give up or no longer has. */
  readonly byNode: Map<string, Set<number>>;
}

/** By the name of the set. */
export type PartitionChanges = ReadonlyMap<string, Readonly<SetChanges>>;

export const noPartitionChanges: PartitionChanges = new Map();

export class ChangeCollector {
  #sets: Map<string, SetChanges> | null = null;

  members(set: string): void {
    this.#of(set).membersChanged = true;
  }

  count(set: string): void {
    this.#of(set).countChanged = true;
  }

  /** Only its owner sees the change. */
  own(set: string, partition: number, node: string): void {
    const { byNode } = this.#of(set);
    byNode.set(node, (byNode.get(node) ?? new Set()).add(partition));
  }

  /** `node`: whose own view of the partition changed, empty for nobody's. */
  partition(set: string, partition: number, node: string): void {
    this.#of(set).partitions.add(partition);
    if (node !== '') this.own(set, partition, node);
  }

  take(): PartitionChanges {
    const sets = this.#sets;
    this.#sets = null;
    return sets ?? noPartitionChanges;
  }

  #of(set: string): SetChanges {
    this.#sets ??= new Map();
    let changes = this.#sets.get(set);
    if (changes === undefined) {
      changes = { membersChanged: false, countChanged: false, partitions: new Set(), byNode: new Map() };
      this.#sets.set(set, changes);
    }
    return changes;
  }
}
