/**
 * The chain of handlers of one partition of one topic: what was fetched is handled in order, one message or batch after the other,
 * and only then is more asked for. Chains know nothing of each other, so a slow one stalls no other.
 */
import type { OwnedPartition } from '@quorate/core/adapter';
import type { FetchedMessages, TopicPartition } from './consumer-driver.ts';
import type { Fetchable } from './fetching.ts';
import type { OffsetBook } from './offset-book.ts';

export interface Handling {
  /** Handles in order and resolves offsets as it goes; ends early where `isCut` says so. Rejects as the user's handler does. */
  handle(chain: PartitionChain, fetched: FetchedMessages): Promise<void>;
}

export interface PartitionChainOptions {
  readonly at: TopicPartition;
  readonly owned: OwnedPartition;
  readonly book: OffsetBook;
  readonly handling: Handling;
  readonly isPaused: (at: TopicPartition) => boolean;
  /** More may be fetched. */
  readonly onIdle: (chain: PartitionChain) => void;
  readonly onFailure: (error: unknown) => void;
  readonly relocate: (chain: PartitionChain) => Promise<bigint>;
}

export class PartitionChain implements Fetchable {
  readonly topic: string;
  readonly partition: number;
  readonly book: OffsetBook;
  readonly owned: OwnedPartition;
  readonly #options: PartitionChainOptions;
  #position: bigint;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #isStopped = false;
  #isMoved = false;

  constructor(options: PartitionChainOptions) {
    this.#options = options;
    this.topic = options.at.topic;
    this.partition = options.at.partition;
    this.book = options.book;
    this.owned = options.owned;
    this.#position = options.book.resolved;
  }

  get wanted(): bigint | undefined {
    if (this.#working !== undefined || this.isEnded || this.#options.isPaused(this)) return undefined;
    return this.#position;
  }

  get position(): bigint {
    return this.#position;
  }

  /** Fires when what waits for its turn is not to be begun. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** No further message may be handed out. */
  get isEnded(): boolean {
    return this.#isStopped || !this.owned.valid;
  }

  /** The rest of what was fetched is not to be handled now. */
  get isCut(): boolean {
    return this.isEnded || this.#isMoved || this.#options.isPaused(this);
  }

  get isStale(): boolean {
    return this.#isMoved || !this.owned.valid;
  }

  take(fetched: FetchedMessages): void {
    if (fetched.messages.length > 0) {
      this.#working = this.#work(fetched);
      return;
    }
    if (fetched.nextOffset === this.#position) return;
    // Nothing to handle, but there was something: markers of transactions, or what was compacted away.
    this.#position = fetched.nextOffset;
    this.book.resolve(fetched.nextOffset);
    this.book.commitSoon();
    this.#options.onIdle(this);
  }

  /** Ends of the log are found by asking for them: no broker has such an offset, and `relocate` is the answer to that. */
  seek(offset: bigint): void {
    this.#isMoved = this.#working !== undefined;
    this.#position = offset;
    this.#resolveHere();
    this.book.commitSoon();
    this.#options.onIdle(this);
  }

  async relocate(): Promise<void> {
    const before = this.#position;
    const offset = await this.#options.relocate(this).catch(() => before);
    if (this.#position === before && !this.isEnded) this.seek(offset);
  }

  #resolveHere(): void {
    if (this.#position >= 0n) this.book.resolve(this.#position);
  }

  /** Takes no more; resolves when the running handler has settled. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopping.abort();
    await this.#working;
  }

  /** Never rejects. */
  async #work(fetched: FetchedMessages): Promise<void> {
    try {
      await this.#options.handling.handle(this, fetched);
    } catch (error) {
      this.#isStopped = true;
      this.#options.onFailure(error);
    } finally {
      // A seek has set the position already, and what the handler resolved afterwards is of the past.
      if (this.#isMoved) this.#resolveHere();
      else this.#position = this.book.resolved;
      this.#isMoved = false;
      this.#working = undefined;
      this.book.commitSoon();
    }
    if (!this.#isStopped) this.#options.onIdle(this);
  }
}
