/**
 * How many partitions the topics have. Partition p of every topic belongs to whoever owns p, so that all have the same number, but for
 * the time in which one is enlarged before the other.
 */
import { QuorateError } from '@quorate/core/adapter';
import type { CommittedOffset, ConsumerDriver, Leaders } from './consumer-driver.ts';
import { begunWithIn, tokenOf } from './hand-over-note.ts';

/** By topic. */
export type Counts = Readonly<Record<string, number>>;

export function countsOf(leaders: Leaders): Counts {
  return Object.fromEntries(Array.from(leaders, ([topic, partitions]) => [topic, partitions.size]));
}

/**
 * What all topics have, for a group that begins or goes on.
 *
 * @throws QuorateError `INVALID_OPTIONS` where they differ and it is not their growth that is under way.
 */
export async function commonCount(
  leaders: Leaders,
  { driver, groupId }: { readonly driver: ConsumerDriver; readonly groupId: string },
): Promise<number> {
  const counts = countsOf(leaders);
  const least = Math.min(...Object.values(counts));
  if (Object.values(counts).every((one) => one === least)) return least;
  const places = Array.from(leaders, ([topic, partitions]) => Array.from(partitions.keys(), (partition) => ({ topic, partition }))).flat();
  if (isGrowing(counts, await driver.committed(groupId, places))) return least;
  const happened = `\`topics\` must have the same number of partitions, and ${shown(counts)}.`;
  throw new QuorateError('INVALID_OPTIONS', `${happened} ${toDo}`, { details: { counts } });
}

/** What to throw where a partition of the set is not in every topic. */
export function partitionMissing(partition: number, leaders: Leaders): QuorateError {
  const counts = countsOf(leaders);
  const happened = `Partition ${partition} of the set is not begun, for not every topic has it: ${shown(counts)}.`;
  return new QuorateError('INVALID_OPTIONS', `${happened} ${toDo}`, { details: { partition, counts } });
}

const toDo = 'Enlarge the smaller ones, or give topics of different size a consumer and a `name` each.';

/**
 * Growth under way is told from topics of different size by what the group has committed:
 *
 * 1. Owners have been at work on each topic that has more than the least: a commit of it names one. Those of a consumer group say
 *    nothing, for it takes topics of any size.
 * 2. They have not gone beyond the least: no partition from there on has a commit, and no commit says that the group began with more.
 */
function isGrowing(counts: Counts, all: readonly CommittedOffset[]): boolean {
  const least = Math.min(...Object.values(counts));
  const commits = all.filter(({ offset }) => offset !== undefined);
  const isBeyond = commits.some(({ partition, metadata }) => partition >= least || (begunWithIn(metadata) ?? 0) > least);
  if (isBeyond) return false;
  const owned = new Set(commits.filter(({ metadata }) => tokenOf(metadata) !== undefined).map(({ topic }) => topic));
  return Object.entries(counts).every(([topic, count]) => count === least || owned.has(topic));
}

function shown(counts: Counts): string {
  return Object.entries(counts)
    .map(([topic, count]) => `${topic} has ${count}`)
    .join(', ');
}
