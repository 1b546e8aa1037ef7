/** Growth of the topics, noticed while consuming. */
import type { Partitions } from '@quorate/core/adapter';
import type { ConsumerDriver, Leaders } from './consumer-driver.ts';
import type { OnConsumerEvent } from './consumer-event.ts';
import type { Fetching } from './fetching.ts';
import { countsOf } from './topic-counts.ts';

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
