/**
 * What a topic has grown by since the group began. It is nobody's for a while, and what comes meanwhile is not to be skipped:
 *
 * 1. A group begins a topic with the partitions that its set has when the first of them is begun, and no more than the topics had when
 *    the consumer was run.
 * 2. Every commit of an owner says that number, and who goes on at a commit keeps it.
 * 3. A partition is grown where this process or a commit of another partition knows a number that does not reach it.
 *
 * The number is what somebody saw, so that no partition is taken for grown that the group began with, in whatever order they begin.
 * Commits of others say nothing: a consumer group has none where no message came, and that is no growth.
 *
 * The other commits are read only for a partition without one: who has a commit begins at it, whatever the others say.
 */
import type { CommittedOffset, TopicPartition } from './consumer-driver.ts';
import { begunWithIn } from './hand-over-note.ts';

type ReadCommits = (places: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>;

/** Of one run of a consumer: the partitions of a topic that begin side by side share one reading of its commits. */
export class Growth {
  readonly #readCommits: ReadCommits;
  readonly #reading = new Map<string, Promise<number>>();

  constructor(readCommits: ReadCommits) {
    this.#readCommits = readCommits;
  }

  /**
   * With how many partitions the group began the topic: at most `partition` where this one is grown. `count`: rule 1, as far as this
   * process knows. Rejects as the reading does.
   */
  async begunWith({ topic, partition, offset, metadata }: CommittedOffset, count: number): Promise<number> {
    const said = begunWithIn(metadata);
    if (said !== undefined) return said;
    if (offset !== undefined || partition === 0 || isGrown(partition, count)) return count;
    return Math.min(count, await this.#leastSaid(topic, count));
  }

  #leastSaid(topic: string, count: number): Promise<number> {
    const key = `${topic} ${count}`;
    const reading = this.#reading.get(key) ?? this.#read(topic, count).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(topic: string, count: number): Promise<number> {
    const commits = await this.#readCommits(Array.from({ length: count }, (_, partition) => ({ topic, partition })));
    return Math.min(...commits.flatMap(({ metadata }) => begunWithIn(metadata) ?? []));
  }
}

export function isGrown(partition: number, begunWithCount: number): boolean {
  return partition >= begunWithCount;
}
