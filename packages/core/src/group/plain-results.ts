/** Results that say no more than how an operation ended, and whose operation it is. */
import { resultCode } from '../lock/command.ts';
import type { LockResult } from '../lock/command.ts';
import type { Operation } from '../operation.ts';
import { partitionOp } from '../partition/command.ts';
import type { PartitionOp } from '../partition/command.ts';

export function isOfPartitions(op: Operation): op is PartitionOp {
  return op[0] >= partitionOp.join && op[0] <= partitionOp.resize;
}

export function unsupportedResult(seq: number): LockResult {
  return [seq, resultCode.unsupported, 0, null];
}

export function limitResult(seq: number): LockResult {
  return [seq, resultCode.limit, 0, null];
}

export function withdrawnResult(seq: number): LockResult {
  return [seq, resultCode.withdrawn, 0, null];
}
