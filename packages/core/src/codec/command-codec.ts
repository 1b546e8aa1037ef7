/**
 * Batches, operations and results: tuples in memory as on the wire, so that writing them is no work and reading them is a
 * check in place. `docs/protocol.md`, "Commands"; `docs/decisions/0003-flat-commands.md`.
 */
import { noteBytesMax } from '../note.ts';
import { lockOp, resultCode, type HolderInfo, type LockOp } from '../lock/command.ts';
import type { Operation, OperationResult } from '../operation.ts';
import { partitionResult } from '../partition/command.ts';
import { entriesPerBatchMax, entryKind, type Batch, type Entry } from '../session/command.ts';
import { Malformed } from './fault.ts';
import { count, countBetween, each, identifier, list, milliseconds, name, stamp, text, tuple } from './field.ts';
import { checkDecision, checkPartitionOp, checkSet } from './partition-codec.ts';

// value        => null | batch
// batch        => wallMs [entry]                                  at most 4096 entries
// entry        => use | begin | openGroup | openSession | closeSession | expire | rebalance | uncover | free | stopSign | raiseLevel
// use          => 0 session floor [op]
// begin        => 1 stamp
// openGroup    => 2 stamp tokenSecond
// openSession  => 3 nonce node instance ttlMs replaces
// closeSession => 4 session
// expire       => 5 session stamp
// rebalance    => 6 set stamp [node]
// uncover      => 7 set stamp partition token
// free         => 8 set stamp partition token
// stopSign     => 9 stamp nextId [seat] [seat] [node]             seat => node incarnation
// raiseLevel   => 16 stamp level
// op           => acquire | release | cancel | note | proclaim | …   partition-codec.ts
// acquire      => 1 seq resource want flags (value | null)
// release      => 2 seq resource token (note | null)
// cancel       => 3 seq target
// note         => 4 seq resource token note
// proclaim     => 5 seq resource token value
// result       => seq code a (holder | previousNote | null)       holder as a name or as a tuple
// holder       => node token sinceWallMs

/** A kind (`l/`) and a name of at most 256 bytes. */
const resourceBytesMax = 2 + 256;
const bitSet = { least: 0, most: 0x7fff_ffff };
/** A version is a byte of the prefix. */
export const levels = { least: 1, most: 255 };
const wantLeast = -1;
const resultCodes = { least: resultCode.granted, most: partitionResult.unknownSet };

/** 2^31 seconds × 2^22 tokens is where safe integers end. */
export const tokenSeconds = { least: 0, most: 2 ** 31 - 1 };

export function readValue(value: unknown, field: string): Batch<Operation> | null {
  return value === null ? null : readBatch(value, field);
}

function readBatch(value: unknown, field: string): Batch<Operation> {
  const [wallMs, entries] = tuple(value, 2, field);
  milliseconds(wallMs, 'batch.wallMs');
  const all = list(entries, 'batch.entries');
  if (all.length > entriesPerBatchMax) throw new Malformed('batch.entries are too many');
  for (const entry of all) checkEntry(entry);
  return value as Batch<Operation>;
}

function checkEntry(value: unknown): asserts value is Entry<Operation> {
  const entry = list(value, 'entry');
  switch (entry[0]) {
    case entryKind.use:
      tuple(entry, 4, 'use');
      count(entry[1], 'use.session');
      count(entry[2], 'use.floor');
      readOps(entry[3], 'use.ops');
      return;
    case entryKind.begin:
      tuple(entry, 2, 'begin');
      stamp(entry[1], 'begin.stamp');
      return;
    case entryKind.openGroup:
      tuple(entry, 3, 'openGroup');
      stamp(entry[1], 'openGroup.stamp');
      countBetween(entry[2], tokenSeconds, 'openGroup.tokenSecond');
      return;
    case entryKind.openSession:
      tuple(entry, 6, 'openSession');
      identifier(entry[1], 'openSession.nonce');
      name(entry[2], 'openSession.node');
      identifier(entry[3], 'openSession.instance');
      milliseconds(entry[4], 'openSession.ttlMs');
      count(entry[5], 'openSession.replaces');
      return;
    case entryKind.closeSession:
      tuple(entry, 2, 'closeSession');
      count(entry[1], 'closeSession.session');
      return;
    case entryKind.expire:
      tuple(entry, 3, 'expire');
      count(entry[1], 'expire.session');
      stamp(entry[2], 'expire.stamp');
      return;
    case entryKind.rebalance:
      tuple(entry, 4, 'rebalance');
      checkSet(entry[1]);
      stamp(entry[2], 'rebalance.stamp');
      each(entry[3], 'rebalance.gone', name);
      return;
    case entryKind.stopSign:
      tuple(entry, 6, 'stopSign');
      stamp(entry[1], 'stopSign.stamp');
      count(entry[2], 'stopSign.nextId');
      each(entry[3], 'stopSign.voters', checkSeat);
      each(entry[4], 'stopSign.gone', checkSeat);
      each(entry[5], 'stopSign.named', name);
      return;
    case entryKind.uncover:
    case entryKind.free:
      tuple(entry, 5, 'decision');
      checkSet(entry[1]);
      stamp(entry[2], 'decision.stamp');
      checkDecision(entry);
      return;
    case entryKind.raiseLevel:
      tuple(entry, 3, 'raiseLevel');
      stamp(entry[1], 'raiseLevel.stamp');
      countBetween(entry[2], levels, 'raiseLevel.level');
      return;
    default:
      throw new Malformed('entry is of no known kind');
  }
}

export function checkSeat(value: unknown, field: string): void {
  const [node, incarnation] = tuple(value, 2, field);
  name(node, field);
  identifier(incarnation, field);
}

export function readOps(value: unknown, field: string): readonly Operation[] {
  const ops = list(value, field);
  for (const op of ops) checkOp(op);
  return ops as readonly Operation[];
}

function checkOp(value: unknown): asserts value is LockOp {
  const op = list(value, 'op');
  count(op[1], 'op.seq');
  switch (op[0]) {
    case lockOp.acquire:
      tuple(op, 6, 'acquire');
      resource(op[2], 'acquire.resource');
      checkWant(op[3]);
      countBetween(op[4], bitSet, 'acquire.flags');
      noteOrNull(op[5], 'acquire.value');
      return;
    case lockOp.release:
      tuple(op, 5, 'release');
      resource(op[2], 'release.resource');
      count(op[3], 'release.token');
      noteOrNull(op[4], 'release.note');
      return;
    case lockOp.cancel:
      tuple(op, 3, 'cancel');
      count(op[2], 'cancel.target');
      return;
    case lockOp.note:
    case lockOp.proclaim:
      tuple(op, 5, 'note');
      resource(op[2], 'note.resource');
      count(op[3], 'note.token');
      text(op[4], noteBytesMax, 'note.text');
      return;
    default:
      if (!checkPartitionOp(op)) throw new Malformed('op is of no known kind');
  }
}

/** Shared and permits pass: the lock table answers that they are unsupported. */
function checkWant(value: unknown): void {
  if (value !== wantLeast) count(value, 'acquire.want');
}

export function readResults(value: unknown, field: string): readonly OperationResult[] {
  const results = list(value, field);
  for (const result of results) checkResult(result);
  return results as readonly OperationResult[];
}

export function checkResult(value: unknown): asserts value is OperationResult {
  const [seq, code, a, b] = tuple(value, 4, 'result');
  count(seq, 'result.seq');
  countBetween(code, resultCodes, 'result.code');
  count(a, 'result.a');
  if (Array.isArray(b)) checkHolder(b);
  else noteOrNull(b, 'result.b');
}

function checkHolder(value: unknown): asserts value is HolderInfo {
  const [node, token, sinceWallMs] = tuple(value, 3, 'holder');
  name(node, 'holder.node');
  count(token, 'holder.token');
  milliseconds(sinceWallMs, 'holder.sinceWallMs');
}

export function resource(value: unknown, field: string): string {
  const known = text(value, resourceBytesMax, field);
  if (known === '') throw new Malformed(`${field} is empty`);
  return known;
}

export function noteOrNull(value: unknown, field: string): string | null {
  return value === null ? null : text(value, noteBytesMax, field);
}
