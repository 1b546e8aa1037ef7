/** Operations and results cut to what a frame has room for. */
import type { Operation, OperationResult } from '../operation.ts';
import { runsOf } from '../session/runs.ts';

export interface TupleLimits {
  readonly batchBytesMax: () => number;
  readonly sizeOfTuple: (tuple: Operation | OperationResult) => number;
}

/** No operation or result takes more bytes: a name, a value or note, a holder, and numbers. */
const tupleBytesMost = 2_048;

export function tupleRunsOf<T extends Operation | OperationResult>(tuples: readonly T[], limits: TupleLimits): readonly (readonly T[])[] {
  const bytesMax = limits.batchBytesMax();
  // Most lists are short, and measuring them would cost more than sending them.
  if (tuples.length * tupleBytesMost <= bytesMax) return tuples.length === 0 ? [] : [tuples];
  return runsOf(tuples, limits.sizeOfTuple, bytesMax);
}
