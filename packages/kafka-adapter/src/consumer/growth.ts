/**
 * What a topic has grown by since the group began. It is nobody's for a while, and what comes meanwhile is not to be skipped:
 *
 * 1. A group begins a topic with the partitions that its set has when the first of them is begun, and no more than the topics had when
 *    the consumer was run.
 * 2. Every commit of an owner says that number, and who goes on at a commit keeps it.
 * 3. A partition is grown where this process or a commit of a partition below it knows a number that does not reach it.
 *
 * The number is what somebody saw, so that no partition is taken for grown that the group began with, in whatever order they begin.
 * Commits of others say nothing: a consumer group has none where no message came, and that is no growth.
 */
import type { CommittedOffset, TopicPartition } from './consumer-driver.ts';
import { begunWithIn } from './hand-over-note.ts';

export interface GrowthContext {
  /** Rule 1, as far as this process knows. */
  readonly count: number;
  readonly committed: (places: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>;
}

/** With how many partitions the group began the topic: at most `partition` where this one is grown. Rejects as `committed` does. */
export async function begunWith({ topic, partition, metadata }: CommittedOffset, { count, committed }: GrowthContext): Promise<number> {
  const said = begunWithIn(metadata);
  if (said !== undefined) return said;
  if (partition === 0 || isGrown(partition, count)) return count;
  const below = await committed(Array.from({ length: partition }, (_, one) => ({ topic, partition: one })));
  return Math.min(count, ...below.flatMap((one) => begunWithIn(one.metadata) ?? []));
}

export function isGrown(partition: number, begunWithCount: number): boolean {
  return partition >= begunWithCount;
}
