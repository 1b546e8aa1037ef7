/** Lock events on a topic of their own: made when the first one comes, written in batches, and never in the way of frames. */
import type { ChannelEvent, PublishedEvent } from '@quorate/core/adapter';
import { within } from './back-off.ts';
import { asQuorateError } from './failure.ts';
import type { Entry, Link } from './link.ts';
import type { LinkSource } from './link-source.ts';
import { partitionByMurmur2 } from './murmur2.ts';
import { eventsTopic } from './topic.ts';

/** Events of this long leave as one request. */
const collectMs = 20;
const waitingMax = 5_000;
const retryOpenMs = 30_000;

export interface EventPublisherOptions {
  readonly group: string;
  readonly replicationFactor: number | undefined;
  readonly onEvent: (event: ChannelEvent) => void;
}

export class EventPublisher {
  readonly #source: LinkSource;
  readonly #options: EventPublisherOptions;
  #waiting: PublishedEvent[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #opening: Promise<Link> | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #notBeforeMs = 0;
  #isClosed = false;

  constructor(source: LinkSource, options: EventPublisherOptions) {
    this.#source = source;
    this.#options = options;
  }

  publish(events: readonly PublishedEvent[]): void {
    if (this.#isClosed || events.length === 0) return;
    this.#waiting.push(...events);
    const surplus = this.#waiting.length - waitingMax;
    if (surplus > 0) {
      this.#waiting = this.#waiting.slice(surplus);
      this.#dropped += surplus;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush();
    }, collectMs);
  }

  /** Gives what waits this long to leave. The source is closed by its owner. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#flushing = this.#flush();
    const leaving = this.#flushing.then(async () => (await this.#opening)?.drain(timeoutMs));
    await within(timeoutMs, leaving, () => new Error('late')).catch(() => undefined);
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    if (performance.now() < this.#notBeforeMs) {
      this.#waiting = [];
      return;
    }
    try {
      this.#opening ??= this.#open();
      const link = await this.#opening;
      const events = this.#waiting;
      this.#waiting = [];
      link.write(events.map((event) => entryOf(event, link.partitions.length)));
      this.#reportDropped();
    } catch (error) {
      this.#opening = undefined;
      this.#waiting = [];
      this.#notBeforeMs = performance.now() + retryOpenMs;
      const { topic } = this.#spec();
      const cause = asQuorateError(error, topic);
      this.#report({ type: 'warning', code: 'EVENTS_UNAVAILABLE', message: `Lock events are not published: ${cause.message}`, cause });
    }
  }

  #open(): Promise<Link> {
    return this.#source.open({
      spec: this.#spec(),
      read: () => [],
      onRecord: () => undefined,
      onConnected: () => undefined,
      onEvent: (event) => this.#report(event),
    });
  }

  #spec() {
    return eventsTopic(this.#options);
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const message = `${this.#dropped} lock events were dropped: more than ${waitingMax} waited for the broker.`;
    this.#dropped = 0;
    this.#report({ type: 'warning', code: 'EVENTS_DROPPED', message });
  }

  #report(event: ChannelEvent): void {
    if (!this.#isClosed) this.#options.onEvent(event);
  }
}

/** By resource, so that the events of one lock stay in order for whoever reads them. */
function entryOf({ kind, name, bytes }: PublishedEvent, partitions: number): Entry {
  const key = Buffer.from(`${kind}:${name}`);
  return { partition: partitionByMurmur2(key, partitions), record: { key, value: Buffer.from(bytes) } };
}
