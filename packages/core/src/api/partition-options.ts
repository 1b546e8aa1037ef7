/** What of the options and arguments of a set of partitions is accepted, and what stands where nothing is said. */
import { QuorateError } from '../errors.ts';
import { partitionsMax, weights } from '../partition/command.ts';
import type { PartitionParameters } from '../partition/command.ts';
import { checkDuration } from './duration.ts';
import type { PartitionsOptions } from './partitions-contract.ts';
import { shown } from '../shown.ts';

export const partitionsDefaults = { graceMs: 2_000, settleMs: 250, drainTimeoutMs: 20_000, weight: 1, onDrainTimeout: 'fence' } as const;

/** Throws `INVALID_OPTIONS`, as every check here does. */
export function resolveParameters(options: PartitionsOptions): PartitionParameters {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null)
    throw new QuorateError('INVALID_OPTIONS', `The options of partitions are ${shown(given)}; they must at least say \`count\`.`);
  const partitionOf: unknown = options.partitionOf;
  if (partitionOf !== undefined && typeof partitionOf !== 'function')
    throw new QuorateError('INVALID_OPTIONS', `\`partitionOf\` is ${shown(partitionOf)}; it must be a function.`);
  return {
    count: checkCount(options.count),
    graceMs: checkDuration('graceMs', options.graceMs ?? partitionsDefaults.graceMs, 0),
    settleMs: checkDuration('settleMs', options.settleMs ?? partitionsDefaults.settleMs, 0),
  };
}

export function checkCount(count: unknown): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= partitionsMax) return count;
  throw new QuorateError('INVALID_OPTIONS', `\`count\` is ${shown(count)}; it must be a whole number from 1 to ${partitionsMax}.`);
}

/** Below the most that a set can have; how many it has the group knows. */
export function checkPartition(set: string, partition: unknown): number {
  if (typeof partition === 'number' && Number.isInteger(partition) && partition >= 0 && partition < partitionsMax) return partition;
  throw new QuorateError('INVALID_OPTIONS', `There is no partition ${shown(partition)} in "${set}".`);
}

export function checkWeight(weight: unknown): number {
  if (typeof weight === 'number' && weight >= weights.least && weight <= weights.most) return weight;
  throw new QuorateError(
    'INVALID_OPTIONS',
    `\`weight\` is ${shown(weight)}; it must be a number from ${weights.least} to ${weights.most}.`,
  );
}

export function checkDrainTimeout(choice: unknown): 'fence' | 'exit' {
  if (choice === 'fence' || choice === 'exit') return choice;
  throw new QuorateError('INVALID_OPTIONS', `\`onDrainTimeout\` is ${shown(choice)}; it must be fence or exit.`);
}
