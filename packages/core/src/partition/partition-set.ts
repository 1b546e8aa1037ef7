/** One set of partitions as every replica has it: its members, and for each partition whose it is and whose it is to be. */

export interface PartitionMember {
  readonly node: string;
  /** Its live session, or 0 while it is absent and what it had is kept for it. */
  session: number;
  weight: number;
  drainTimeoutMs: number;
  /** It is to give all up: it leaves, or an operator drains it. */
  isDrained: boolean;
  isLeaving: boolean;
}

/**
 * A partition is unowned (`token` 0), owned (`node` under `token`), being revoked, or overrun: its owner took longer than its
 * drain's budget, and is covered by no keep-alive any more.
 */
export interface Partition {
  readonly index: number;
  /** Who is to own it, empty for nobody. */
  home: string;
  node: string;
  session: number;
  token: number;
  /** Its owner is to give it up; that lasts until it has. */
  isRevoked: boolean;
  isCovered: boolean;
  note: string | null;
}

export interface PartitionSet {
  readonly name: string;
  /** Partitions above it are on their way out. */
  count: number;
  readonly graceMs: number;
  readonly settleMs: number;
  readonly members: Map<string, PartitionMember>;
  readonly excluded: Set<string>;
  readonly pins: Map<number, string>;
  /** By partition: the nodes that gave it up and do not want it back yet. */
  readonly refusals: Map<number, Set<string>>;
  readonly partitions: Partition[];
  /** Something changed that the assignment does not reflect yet. */
  isUnsettled: boolean;
}

export function emptySet(name: string, count: number, graceMs: number, settleMs: number): PartitionSet {
  const partitions = Array.from({ length: count }, (_, index) => unownedPartition(index));
  const members = new Map<string, PartitionMember>();
  return {
    name,
    count,
    graceMs,
    settleMs,
    members,
    excluded: new Set(),
    pins: new Map(),
    refusals: new Map(),
    partitions,
    isUnsettled: false,
  };
}

export function unownedPartition(index: number): Partition {
  return { index, home: '', node: '', session: 0, token: 0, isRevoked: false, isCovered: false, note: null };
}

/** True for a member that the assignment gives something. */
export function takesPart(set: PartitionSet, member: PartitionMember): boolean {
  return !member.isDrained && !member.isLeaving && !set.excluded.has(member.node);
}

/** What an assignment is made from: `ring/assignment.ts`. */
export interface AssignmentQuestion {
  readonly set: string;
  readonly count: number;
  readonly members: readonly { readonly name: string; readonly weight: number; readonly drained: boolean }[];
  readonly current: readonly (string | undefined)[];
  readonly pins: ReadonlyMap<number, string>;
  readonly refused: ReadonlyMap<number, ReadonlySet<string>>;
}

/** Nobody takes part in it, and it keeps nothing for whoever does next. */
export function isForgettable({ members, excluded, pins, partitions }: PartitionSet): boolean {
  return members.size + excluded.size + pins.size === 0 && partitions.every(({ token, note }) => token === 0 && note === null);
}

/** Returns those of the partitions, all unless said, that it had refused. */
export function forgetRefusals({ refusals }: PartitionSet, node: string, among?: readonly number[]): readonly number[] {
  const forgotten = (among ?? [...refusals.keys()]).filter((partition) => refusals.get(partition)?.delete(node));
  for (const partition of forgotten) if (refusals.get(partition)?.size === 0) refusals.delete(partition);
  return forgotten;
}

export function questionOf(set: PartitionSet): AssignmentQuestion {
  const members = Array.from(set.members.values(), (member) => {
    return { name: member.node, weight: member.weight, drained: !takesPart(set, member) };
  });
  const current = set.partitions.slice(0, set.count).map(({ home }) => (home === '' ? undefined : home));
  return { set: set.name, count: set.count, members, current, pins: set.pins, refused: set.refusals };
}

// set        => name count graceMs settleMs isUnsettled [member] [excluded] [pin] [refusal] [partition]
// member     => node session weight drainTimeoutMs isDrained isLeaving
// partition  => home node session token isRevoked isCovered note
export type PartitionSetRow = readonly [
  name: string,
  count: number,
  graceMs: number,
  settleMs: number,
  isUnsettled: boolean,
  members: readonly (readonly [string, number, number, number, boolean, boolean])[],
  excluded: readonly string[],
  pins: readonly (readonly [number, string])[],
  refusals: readonly (readonly [number, readonly string[]])[],
  partitions: readonly (readonly [string, string, number, number, boolean, boolean, string | null])[],
];

export type PartitionTableSnapshot = readonly PartitionSetRow[];

export function setRowOf(set: PartitionSet): PartitionSetRow {
  const { name, count, graceMs, settleMs, isUnsettled, members, excluded, pins, refusals, partitions } = set;
  return [
    name,
    count,
    graceMs,
    settleMs,
    isUnsettled,
    Array.from(members.values(), (one) => [one.node, one.session, one.weight, one.drainTimeoutMs, one.isDrained, one.isLeaving] as const),
    [...excluded],
    [...pins],
    Array.from(refusals, ([partition, nodes]) => [partition, [...nodes]] as const),
    partitions.map((one) => [one.home, one.node, one.session, one.token, one.isRevoked, one.isCovered, one.note] as const),
  ];
}

/** The set without its partitions, and these. */
export function restoredSet(row: PartitionSetRow): {
  readonly set: PartitionSet;
  readonly partitions: readonly Omit<Partition, 'index'>[];
} {
  const [name, count, graceMs, settleMs, isUnsettled, members, excluded, pins, refusals, partitions] = row;
  const set = { ...emptySet(name, 0, graceMs, settleMs), count, isUnsettled };
  for (const [node, session, weight, drainTimeoutMs, isDrained, isLeaving] of members) {
    set.members.set(node, { node, session, weight, drainTimeoutMs, isDrained, isLeaving });
  }
  for (const node of excluded) set.excluded.add(node);
  for (const [partition, node] of pins) set.pins.set(partition, node);
  for (const [partition, nodes] of refusals) set.refusals.set(partition, new Set(nodes));
  const restored = partitions.map(([home, node, session, token, isRevoked, isCovered, note]) => {
    return { home, node, session, token, isRevoked, isCovered, note };
  });
  return { set, partitions: restored };
}
