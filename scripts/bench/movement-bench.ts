/** What moves when members come and go, and how even the result is: our assignment beside those that users have, and beside the least there could be. */
import { assign, HashRing, murmur3 } from '@quorate/core';
import type { AssignmentMember } from '@quorate/core';
import { AssignerProtocol, PartitionAssigners } from 'kafkajs';
import type { Cluster } from 'kafkajs';
import { quantile } from './latency.ts';

type Owners = readonly (string | undefined)[];

export interface Movement {
  readonly moved: number;
  /** The largest load of a member over its weighted share. */
  readonly maxOverMean: number;
}

const algorithms = ['ours', 'ring', 'boundedLoads', 'rendezvous', 'roundRobin'] as const;
type Algorithm = (typeof algorithms)[number];

export interface MovementRow extends Readonly<Record<Algorithm | 'ideal', Movement>> {
  readonly partitions: number;
  readonly from: number;
  readonly to: number;
  readonly weights: 'equal' | 'mixed';
  /** Ours moved no more than an even split needs, and left no member above its weighted share rounded up. */
  readonly ok: boolean;
}

export interface MovementResult {
  readonly ok: boolean;
  readonly rows: readonly MovementRow[];
  /** What planning 1,024 partitions anew takes when a member joins 50, in milliseconds. What a machine does is told, not demanded. */
  readonly replanMs: { readonly p50: number; readonly max: number };
}

const changes = [
  [10, 11],
  [11, 10],
  [3, 4],
] as const;
const counts = [12, 100, 1_024] as const;
const weightings = { equal: [1], mixed: [1, 2, 4] } as const;

export async function movementBench(): Promise<MovementResult> {
  const rows: MovementRow[] = [];
  for (const weights of ['equal', 'mixed'] as const)
    for (const [from, to] of changes) for (const partitions of counts) rows.push(await rowOf({ partitions, from, to, weights }));
  return { ok: rows.every(({ ok }) => ok), rows, replanMs: replanTimes() };
}

const replans = 200;
/** The first ones warm the compiler up. */
const replansBefore = 20;

function replanTimes(): MovementResult['replanMs'] {
  const count = 1_024;
  const current = assign({ count, members: membersOf(50, 'equal'), current: [] });
  const members = membersOf(51, 'equal');
  const times: number[] = [];
  for (let i = -replansBefore; i < replans; i++) {
    const startMs = performance.now();
    assign({ count, members, current });
    if (i >= 0) times.push(performance.now() - startMs);
  }
  return { p50: rounded(quantile(times, 0.5)), max: rounded(Math.max(...times)) };
}

async function rowOf(change: Pick<MovementRow, 'partitions' | 'from' | 'to' | 'weights'>): Promise<MovementRow> {
  const { partitions: count } = change;
  const before = membersOf(change.from, change.weights);
  const after = membersOf(change.to, change.weights);
  const current = assign({ count, members: before, current: [] });
  const next = assign({ count, members: after, current });
  const ours = movementOf(current, next, after);
  const ideal = idealOf(current, after);
  return {
    ...change,
    ours,
    ring: movementOf(byRing(count, before), byRing(count, after), after),
    boundedLoads: movementOf(byBoundedLoads(count, before), byBoundedLoads(count, after), after),
    rendezvous: movementOf(byRendezvous(count, before), byRendezvous(count, after), after),
    roundRobin: movementOf(await byRoundRobin(count, before), await byRoundRobin(count, after), after),
    ideal,
    ok: ours.moved <= ideal.moved && after.every((member) => loadOf(next, member) <= Math.ceil(shareOf(count, after, member) - 1e-9)),
  };
}

function membersOf(size: number, weights: 'equal' | 'mixed'): readonly AssignmentMember[] {
  const pattern = weightings[weights];
  return Array.from({ length: size }, (_, i) => ({ name: `node-${String(i).padStart(2, '0')}`, weight: pattern[i % pattern.length] ?? 1 }));
}

function movementOf(before: Owners, after: Owners, members: readonly AssignmentMember[]): Movement {
  const moved = after.filter((owner, partition) => owner !== before[partition]).length;
  return {
    moved,
    maxOverMean: rounded(Math.max(...members.map((member) => loadOf(after, member) / shareOf(after.length, members, member)))),
  };
}

/** The fewest moves to shares rounded down or up, and the most even of these. Counted, not assigned: nothing of our assignment is in it. */
function idealOf(current: Owners, members: readonly AssignmentMember[]): Movement {
  const shares = members.map((member) => {
    const share = shareOf(current.length, members, member);
    const floor = Math.floor(share + 1e-9);
    const has = loadOf(current, member);
    return { share, floor, kept: Math.min(has, floor), keepsOneMore: has > floor, isWhole: share - floor < 1e-9 };
  });
  // What rounding down leaves over goes to whoever need not give it up then, and to whom it overloads least.
  const roundedUp = shares
    .filter(({ isWhole }) => !isWhole)
    .sort(
      (one, other) =>
        Number(other.keepsOneMore) - Number(one.keepsOneMore) || (one.floor + 1) / one.share - (other.floor + 1) / other.share,
    )
    .slice(0, current.length - shares.reduce((sum, { floor }) => sum + floor, 0));
  const kept = shares.reduce((sum, one) => sum + one.kept, 0) + roundedUp.filter(({ keepsOneMore }) => keepsOneMore).length;
  const loads = [...shares.map(({ share, floor }) => floor / share), ...roundedUp.map(({ share, floor }) => (floor + 1) / share)];
  return { moved: current.length - kept, maxOverMean: rounded(Math.max(...loads)) };
}

function byRing(count: number, members: readonly AssignmentMember[]): Owners {
  const ring = ringOf(members);
  return keysOf(count).map((key) => ring.lookup(key));
}

function byBoundedLoads(count: number, members: readonly AssignmentMember[]): Owners {
  return ringOf(members).place(keysOf(count), { capacity: 1.25 });
}

/** Highest random weight, with weights as Schindelhauer and Schomaker have it: the largest of −weight / ln(hash). */
function byRendezvous(count: number, members: readonly AssignmentMember[]): Owners {
  const hash = murmur3();
  return keysOf(count).map((key) => {
    const scores = members.map(({ name, weight }) => -weight / Math.log((hash(`${key} ${name}`) + 1) / 2 ** 53));
    return members[scores.indexOf(Math.max(...scores))]?.name;
  });
}

/** The assigner that kafkajs uses unless told otherwise. It knows no weights. */
async function byRoundRobin(count: number, members: readonly AssignmentMember[]): Promise<Owners> {
  const topic = 'topic';
  const cluster = { findTopicPartitionMetadata: () => keysOf(count).map((_, partitionId) => ({ partitionId })) };
  const assigner = PartitionAssigners.roundRobin({ cluster: cluster as unknown as Cluster, groupId: 'group', logger: undefined as never });
  const assigned = await assigner.assign({
    members: members.map(({ name }) => ({ memberId: name, memberMetadata: Buffer.alloc(0) })),
    topics: [topic],
  });
  const owners = new Array<string | undefined>(count).fill(undefined);
  for (const { memberId, memberAssignment } of assigned)
    for (const partition of partitionsIn(memberAssignment)) owners[partition] = memberId;
  return owners;
}

function partitionsIn(memberAssignment: Buffer): readonly number[] {
  return Object.values(AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}).flat();
}

function ringOf(members: readonly AssignmentMember[]): HashRing {
  return HashRing.of(members.map(({ name, weight }) => ({ node: name, weight })));
}

function keysOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, partition) => `partition-${partition}`);
}

function loadOf(owners: Owners, { name }: AssignmentMember): number {
  return owners.filter((owner) => owner === name).length;
}

function shareOf(count: number, members: readonly AssignmentMember[], { weight }: AssignmentMember): number {
  return (count * weight) / members.reduce((sum, member) => sum + member.weight, 0);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

export function describeMovement({ rows, replanMs, ok }: MovementResult): string {
  const columns = [...algorithms, 'ideal'] as const;
  const cell = ({ moved, maxOverMean }: Movement, partitions: number): string =>
    `${`${moved} (${((100 * moved) / partitions).toFixed(0)} %)`.padStart(11)} ${maxOverMean.toFixed(2).padStart(5)}`;
  return [
    'movement: partitions that change their owner, and the largest load over its weighted share',
    `  partitions  members   weights  ${columns.map((name) => name.padStart(17)).join('  ')}`,
    ...rows.map((row) => {
      const members = `${row.from} → ${row.to}`;
      const cells = columns.map((name) => cell(row[name], row.partitions)).join('  ');
      return `  ${String(row.partitions).padStart(10)}  ${members.padEnd(8)}  ${row.weights.padEnd(7)}  ${cells}${row.ok ? '' : '  BROKEN'}`;
    }),
    `  1,024 partitions planned anew as a member joins 50: ${replanMs.p50} ms (p50), ${replanMs.max} ms (max)`,
    `  bound (ours moves no more than ideal, no member above its share rounded up): ${ok ? 'kept in every row' : 'BROKEN'}`,
  ].join('\n');
}
