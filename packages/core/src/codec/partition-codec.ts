/** Operations on partitions, and what watchers see of them, to tuples and back. `docs/protocol.md`, "Partitions". */
import { noteBytesMax } from '../note.ts';
import { memberMode, partitionOp, partitionsMax, phase, placing, weights } from '../partition/command.ts';
import type { MemberRow, PartitionRow, PartitionsState, PinRow } from '../partition/command.ts';
import { Malformed } from './fault.ts';
import { count, countBetween, each, flag, milliseconds, name, nameOrNobody, text, tuple, type Tuple } from './field.ts';

// op          => join | leave | releasePartition | partitionNote | refuse | accept | pin | place | resize
// join        => 16 seq set weight drainTimeoutMs count graceMs settleMs
// leave       => 17 seq set
// release     => 18 seq set partition token (note | null)
// note        => 19 seq set partition token note
// refuse      => 20 seq set partition token
// accept      => 21 seq set partition
// pin         => 22 seq set partition (node | "")
// place       => 23 seq set node placing                           0 usual | 1 drained | 2 excluded
// resize      => 24 seq set count
// state       => resource version isFull count graceMs settleMs ([member] [pin] | null null) [row]
// member      => node weight mode                                   weight: 0 of one that leaves, and of an excluded node that takes no part
// pin         => partition node
// row         => partition phase (node | "") token (home | "") (note | null) [refusing]?   refusing: a node; the list is left out where it is empty

export const partitionNumbers = { least: 0, most: partitionsMax - 1 };
export const partitionCounts = { least: 1, most: partitionsMax };
const setBytesMax = 256;

/** True if the tuple is an operation on partitions; throws `Malformed` if it is one, but not by the grammar. */
export function checkPartitionOp(op: Tuple): boolean {
  switch (op[0]) {
    case partitionOp.join:
      tuple(op, 8, 'join');
      checkSet(op[2]);
      weight(op[3]);
      milliseconds(op[4], 'join.drainTimeoutMs');
      countBetween(op[5], partitionCounts, 'join.count');
      milliseconds(op[6], 'join.graceMs');
      milliseconds(op[7], 'join.settleMs');
      return true;
    case partitionOp.leave:
      tuple(op, 3, 'leave');
      checkSet(op[2]);
      return true;
    case partitionOp.release:
    case partitionOp.note:
      tuple(op, 6, 'release');
      checkSet(op[2]);
      checkOwned(op);
      if (op[0] === partitionOp.note || op[5] !== null) text(op[5], noteBytesMax, 'release.note');
      return true;
    case partitionOp.refuse:
      tuple(op, 5, 'refuse');
      checkSet(op[2]);
      checkOwned(op);
      return true;
    case partitionOp.accept:
      tuple(op, 4, 'accept');
      checkSet(op[2]);
      countBetween(op[3], partitionNumbers, 'accept.partition');
      return true;
    case partitionOp.pin:
      tuple(op, 5, 'pin');
      checkSet(op[2]);
      countBetween(op[3], partitionNumbers, 'pin.partition');
      nameOrNobody(op[4], 'pin.node');
      return true;
    case partitionOp.place:
      tuple(op, 5, 'place');
      checkSet(op[2]);
      name(op[3], 'place.node');
      countBetween(op[4], { least: placing.usual, most: placing.excluded }, 'place.placing');
      return true;
    case partitionOp.resize:
      tuple(op, 4, 'resize');
      checkSet(op[2]);
      countBetween(op[3], partitionCounts, 'resize.count');
      return true;
    default:
      return false;
  }
}

/** The fields of a leader's decision on one partition. */
export function checkDecision(entry: Tuple): void {
  countBetween(entry[3], partitionNumbers, 'decision.partition');
  count(entry[4], 'decision.token');
}

export function checkSet(value: unknown): void {
  if (text(value, setBytesMax, 'set') === '') throw new Malformed('set is empty');
}

export function partitionsTuple(state: PartitionsState): Tuple {
  const { resource, version, isFull, count: partitions, graceMs, settleMs, members, rows } = state;
  return [resource, version, isFull, partitions, graceMs, settleMs, members?.rows ?? null, members?.pins ?? null, rows];
}

export function readPartitions(value: Tuple, resource: string): PartitionsState {
  const [, version, isFull, partitions, graceMs, settleMs, members, pins, rows] = tuple(value, 9, 'partitions');
  return {
    resource,
    version: count(version, 'partitions.version'),
    isFull: flag(isFull, 'partitions.isFull'),
    count: countBetween(partitions, { least: 0, most: partitionsMax }, 'partitions.count'),
    graceMs: milliseconds(graceMs, 'partitions.graceMs'),
    settleMs: milliseconds(settleMs, 'partitions.settleMs'),
    members: readMembers(members, pins),
    rows: each(rows, 'partitions.rows', readRow),
  };
}

/** Rising tokens as the first and the differences from each to the next: a few bytes each. */
export function packTokens(tokens: readonly number[]): readonly number[] {
  return tokens.map((token, index) => token - (tokens[index - 1] ?? 0));
}

export function readTokens(value: unknown, field: string): readonly number[] {
  let token = 0;
  return each(value, field, (item) => {
    token += count(item, field);
    return count(token, field);
  });
}

function checkOwned(op: Tuple): void {
  countBetween(op[3], partitionNumbers, 'partition');
  count(op[4], 'token');
}

export function weight(value: unknown): number {
  if (typeof value !== 'number' || !(value >= weights.least && value <= weights.most)) throw new Malformed('weight is out of range');
  return value;
}

function readMembers(rows: unknown, pins: unknown): PartitionsState['members'] {
  if (rows === null && pins === null) return null;
  return { rows: each(rows, 'partitions.members', readMember), pins: each(pins, 'partitions.pins', readPin) };
}

function readMember(value: unknown): MemberRow {
  const [node, share, mode] = tuple(value, 3, 'member');
  return [
    name(node, 'member.node'),
    Object.is(share, 0) ? 0 : weight(share),
    countBetween(mode, { least: 0, most: memberMode.absent }, 'member.mode'),
  ];
}

function readPin(value: unknown): PinRow {
  const [partition, node] = tuple(value, 2, 'pin');
  return [countBetween(partition, partitionNumbers, 'pin.partition'), name(node, 'pin.node')];
}

function readRow(value: unknown): PartitionRow {
  const isRefused = Array.isArray(value) && value.length === 7;
  const [partition, state, node, token, home, note, refusing] = tuple(value, isRefused ? 7 : 6, 'row');
  const row = [
    countBetween(partition, partitionNumbers, 'row.partition'),
    countBetween(state, { least: phase.unowned, most: phase.overrun }, 'row.phase'),
    nameOrNobody(node, 'row.node'),
    count(token, 'row.token'),
    nameOrNobody(home, 'row.home'),
    note === null ? null : text(note, noteBytesMax, 'row.note'),
  ] as const;
  if (!isRefused) return row;
  const refusedBy = each(refusing, 'row.refusing', (one) => name(one, 'row.refusing'));
  if (refusedBy.length === 0) throw new Malformed('row.refusing is empty');
  return [...row, refusedBy];
}
