/** How many partitions the topics have: the same number each, and growth noticed while consuming. */
import { QuorateError } from '@quorate/core/adapter';
import type { Partitions } from '@quorate/core/adapter';
import type { ConsumerDriver, Leaders } from './consumer-driver.ts';
import type { OnConsumerEvent } from './consumer-event.ts';
import type { Fetching } from './fetching.ts';

export interface TopicWatchOptions {
  readonly driver: ConsumerDriver;
  readonly topics: readonly string[];
  readonly intervalMs: number;
  readonly fetching: Fetching;
  readonly partitions: Pick<Partitions, 'count' | 'resize'>;
  readonly onEvent: OnConsumerEvent;
}

export class TopicWatch {
  readonly #options: TopicWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #saidOf = '';

  constructor(options: TopicWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), options.intervalMs);
    this.#timer.unref();
  }

  /** Never rejects: a broker that is away is found out by fetching. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { driver, topics, fetching } = this.#options;
    try {
      const leaders = await driver.leaders(topics);
      fetching.learn(leaders);
      await this.#compare(leaders);
    } catch {
      // The next look is not far.
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #compare(leaders: Leaders): Promise<void> {
    const { partitions, onEvent } = this.#options;
    const counts = countsOf(leaders);
    const smallest = Math.min(...Object.values(counts));
    const said = JSON.stringify(counts);
    if (smallest !== Math.max(...Object.values(counts)) && said !== this.#saidOf) {
      this.#saidOf = said;
      onEvent({ type: 'countsDiffer', counts });
    }
    const before = partitions.count;
    if (smallest <= before) return;
    try {
      await partitions.resize(smallest);
      onEvent({ type: 'grown', from: before, to: smallest });
    } catch (error) {
      onEvent({ type: 'resizeFailed', error });
    }
  }
}

/**
 * Partition p of every topic belongs to whoever owns p. A group at work goes on with what all of them have, as whoever runs already does
 * while one topic is enlarged before the other. @throws QuorateError `INVALID_OPTIONS` where they differ and the group has committed nothing.
 */
export async function commonCount(
  leaders: Leaders,
  { driver, groupId }: { readonly driver: ConsumerDriver; readonly groupId: string },
): Promise<number> {
  const counts = countsOf(leaders);
  const [count = 0] = Object.values(counts);
  if (Object.values(counts).every((one) => one === count)) return count;
  const places = Array.from(leaders, ([topic, partitions]) => Array.from(partitions.keys(), (partition) => ({ topic, partition }))).flat();
  const committed = await driver.committed(groupId, places);
  if (committed.some(({ offset }) => offset !== undefined)) return Math.min(...Object.values(counts));
  const shown = Object.entries(counts).map(([topic, one]) => `${topic} has ${one}`);
  throw new QuorateError('INVALID_OPTIONS', `\`topics\` must have the same number of partitions, and ${shown.join(', ')}.`, {
    details: { counts },
  });
}

function countsOf(leaders: Leaders): Readonly<Record<string, number>> {
  return Object.fromEntries(Array.from(leaders, ([topic, partitions]) => [topic, partitions.size]));
}
