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

/**
 * The state in parts of at most so many rows, each node that refused counted as one more, and two members or pins as one. What follows
 * the first has its version and adds to it: members and pins first, and a row that comes again says who else refused.
 */
export function partsOf(state: PartitionsState, rowsMax: number): readonly PartitionsState[] {
  const parts = [emptyPart()];
  let room = rowsMax;
  const partFor = (taken: number): Part => {
    if (taken > room && room < rowsMax) {
      parts.push(emptyPart());
      room = rowsMax;
    }
    room -= taken;
    return parts.at(-1) ?? emptyPart();
  };
  for (const member of state.members?.rows ?? []) partFor(1 / 2).members.push(member);
  for (const pin of state.members?.pins ?? []) partFor(1 / 2).pins.push(pin);
  for (const row of state.rows) for (const some of rowsWithin(row, rowsMax)) partFor(1 + (some[6]?.length ?? 0)).rows.push(some);
  return parts.map(({ members, pins, rows }, index) => {
    const isSaid = state.members !== null && (index === 0 || members.length + pins.length > 0);
    return { ...state, isFull: state.isFull && index === 0, members: isSaid ? { rows: members, pins } : null, rows };
  });
}

interface Part {
  readonly members: MemberRow[];
  readonly pins: PinRow[];
  readonly rows: PartitionRow[];
}

function emptyPart(): Part {
  return { members: [], pins: [], rows: [] };
}

/** A row that more nodes refused than a part has room for comes as often as it takes to name all. */
function rowsWithin(row: PartitionRow, rowsMax: number): readonly PartitionRow[] {
  const [index, standing, node, token, home, note, refusedBy = []] = row;
  const most = Math.max(1, rowsMax - 1);
  if (refusedBy.length <= most) return [row];
  return Array.from({ length: Math.ceil(refusedBy.length / most) }, (_, part) => {
    return [index, standing, node, token, home, note, refusedBy.slice(part * most, (part + 1) * most)] as const;
  });
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
    const { node, session } = member;
    // Nothing brings back one that leaves: so it is told from one that is drained, or excluded.
    const weight = member.isLeaving ? 0 : member.weight;
    if (set.excluded.has(node)) return [node, weight, memberMode.excluded];
    if (session === 0) return [node, weight, memberMode.absent];
    return [node, weight, takesPart(set, member) ? memberMode.present : memberMode.drained];
  });
  for (const node of set.excluded) if (!set.members.has(node)) rows.push([node, 0, memberMode.excluded]);
  return { rows, pins: [...set.pins] };
}
