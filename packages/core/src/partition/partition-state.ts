/** What watchers are told of a set: all of it at first, then what changed. */
import type { MemberRow, PartitionRow, PartitionsState, PinRow } from './command.ts';
import { memberMode, partitionWatch, phase } from './command.ts';
import type { SetChanges } from './partition-changes.ts';
import type { Partition, PartitionSet } from './partition-set.ts';
import { takesPart } from './partition-set.ts';

/** Who looks: `session` is that of the watching node, 0 for none. */
export interface Watcher {
  readonly resource: string;
  readonly session: number;
  readonly slot: number;
}

/** Everything, or everything that the watcher owns. A set that nobody has made yet has no partitions. */
export function wholeState(set: PartitionSet | undefined, watcher: Watcher): PartitionsState {
  const isOwn = isOwnWatch(watcher.resource);
  if (set === undefined) return { ...headOf(undefined, watcher), isFull: true, members: null, rows: [] };
  const shown = isOwn ? set.partitions.filter(({ session }) => session === watcher.session && session !== 0) : set.partitions;
  const rows = shown.map((partition) => (isOwn ? ownRowOf(partition) : rowOf(set, partition)));
  return { ...headOf(set, watcher), isFull: true, members: isOwn ? null : membersOf(set), rows };
}

/** What the slot changed for whoever watches everything. */
export function changedState(set: PartitionSet, changes: SetChanges, watcher: Watcher): PartitionsState {
  const rows = Array.from(changes.partitions, (index) => rowOf(set, set.partitions[index] ?? goneAt(index)));
  return { ...headOf(set, watcher), isFull: false, members: changes.membersChanged ? membersOf(set) : null, rows };
}

/** What the slot changed for one owner; null for nothing. What it owns no more is a row without a token. */
export function changedOwnState(set: PartitionSet, changes: SetChanges, node: string, watcher: Watcher): PartitionsState | null {
  const mine = changes.byNode.get(node);
  if (mine === undefined && !changes.countChanged) return null;
  const rows = Array.from(mine ?? [], (index): PartitionRow => {
    const partition = set.partitions[index];
    return ownRowOf(partition && partition.session === watcher.session ? partition : goneAt(index));
  });
  return { ...headOf(set, watcher), isFull: false, members: null, rows };
}

/** The name of the set in that of what is watched. */
export function setWatched(resource: string): string {
  return resource.slice(partitionWatch.all.length);
}

export function isOwnWatch(resource: string): boolean {
  return resource.startsWith(partitionWatch.own);
}

/** The state in parts of at most so many rows, each node that refused counted as one more; what follows the first adds to it. */
export function partsOf(state: PartitionsState, rowsMax: number): readonly PartitionsState[] {
  const runs: PartitionRow[][] = [[]];
  let room = rowsMax;
  for (const row of state.rows) {
    const taken = 1 + (row[6]?.length ?? 0);
    if (taken > room && room < rowsMax) {
      runs.push([]);
      room = rowsMax;
    }
    runs.at(-1)?.push(row);
    room -= taken;
  }
  return runs.map((rows, run) => (run === 0 ? { ...state, rows } : { ...state, isFull: false, members: null, rows }));
}

function headOf(set: PartitionSet | undefined, { resource, slot }: Watcher): Pick<PartitionsState, Head> {
  return { resource, version: slot, count: set?.count ?? 0, graceMs: set?.graceMs ?? 0, settleMs: set?.settleMs ?? 0 };
}

type Head = 'resource' | 'version' | 'count' | 'graceMs' | 'settleMs';

function ownRowOf(partition: Partition): PartitionRow {
  const { index, node, token, home, note } = partition;
  return [index, phaseOf(partition), node, token, home, note];
}

function rowOf({ refusals }: PartitionSet, partition: Partition): PartitionRow {
  const { index, node, token, home } = partition;
  const refusedBy = refusals.get(index);
  const row = [index, phaseOf(partition), node, token, home, null] as const;
  return refusedBy === undefined ? row : [...row, [...refusedBy]];
}

function goneAt(index: number): Partition {
  return { index, home: '', node: '', session: 0, token: 0, isRevoked: false, isCovered: false, note: null };
}

function phaseOf({ token, isRevoked, isCovered }: Partition): number {
  if (token === 0) return phase.unowned;
  if (!isRevoked) return phase.owned;
  return isCovered ? phase.revoking : phase.overrun;
}

function membersOf(set: PartitionSet): { readonly rows: readonly MemberRow[]; readonly pins: readonly PinRow[] } {
  const rows: MemberRow[] = Array.from(set.members.values(), (member): MemberRow => {
    const { node, weight, session } = member;
    if (set.excluded.has(node)) return [node, weight, memberMode.excluded];
    if (session === 0) return [node, weight, memberMode.absent];
    return [node, weight, takesPart(set, member) ? memberMode.present : memberMode.drained];
  });
  for (const node of set.excluded) if (!set.members.has(node)) rows.push([node, 0, memberMode.excluded]);
  return { rows, pins: [...set.pins] };
}
