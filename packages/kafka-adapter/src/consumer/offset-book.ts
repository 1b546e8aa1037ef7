/** How far one partition of one topic is done, and how far the group has been told: commits one at a time, what came meanwhile in the next. */
import type { OwnedPartition } from '@quorate/core/adapter';
import type { Committer } from './committer.ts';
import type { TopicPartition } from './consumer-driver.ts';
import { writeMetadata } from './hand-over-note.ts';

export interface AutoCommit {
  /** At least so often while messages are handled, in milliseconds; null leaves it to the ends of batches. */
  readonly intervalMs: number | null;
  /** After so many resolved messages; null for no such limit. */
  readonly threshold: number | null;
}

export interface OffsetBookOptions {
  readonly at: TopicPartition;
  readonly owned: OwnedPartition;
  readonly committer: Committer;
  /** Undefined where only the user commits. */
  readonly auto: AutoCommit | undefined;
  readonly start: bigint;
  readonly committed: bigint | undefined;
  /** What the user wrote beside it. */
  readonly metadata: string;
  /** With how many partitions the group began the topic: every commit says so. */
  readonly begunWith: number;
  readonly onFailure: (error: unknown) => void;
}

export class OffsetBook {
  readonly #options: OffsetBookOptions;
  #resolved: bigint;
  #committed: bigint | undefined;
  #metadata: string;
  #resolvedSince = 0;
  #lastMs = performance.now();
  #committing: Promise<void> | undefined;
  #isMoreDue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OffsetBookOptions) {
    this.#options = options;
    this.#resolved = options.start;
    this.#committed = options.committed;
    this.#metadata = options.metadata;
  }

  /** The next offset to handle. */
  get resolved(): bigint {
    return this.#resolved;
  }

  get committed(): bigint | undefined {
    return this.#committed;
  }

  get isDirty(): boolean {
    return this.#resolved !== this.#committed;
  }

  /** Where the next owner is to begin: what is done, or what the user has committed where that is the user's to say. */
  get position(): bigint | undefined {
    return this.#options.auto === undefined ? this.#committed : this.#resolved;
  }

  resolve(next: bigint): void {
    if (next !== this.#resolved) this.#resolvedSince++;
    this.#resolved = next;
  }

  /** Between messages: without waiting, when the interval or the threshold says so, however long the next message may take. */
  commitIfDue(): void {
    const { auto } = this.#options;
    if (this.isDue) return this.commitSoon();
    if (auto === undefined || auto.intervalMs === null || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.commitSoon();
    }, auto.intervalMs);
    this.#timer.unref();
  }

  get isDue(): boolean {
    const { auto } = this.#options;
    if (auto === undefined || !this.isDirty) return false;
    if (auto.threshold !== null && this.#resolvedSince >= auto.threshold) return true;
    return auto.intervalMs !== null && performance.now() - this.#lastMs >= auto.intervalMs;
  }

  /** Without waiting; while a commit is under way, after it. */
  commitSoon(): void {
    if (this.#options.auto === undefined || !this.isDirty) return;
    if (this.#committing !== undefined) this.#isMoreDue = true;
    else this.commit().catch(this.#options.onFailure);
  }

  /** All that is resolved by now. Rejects as the committer does. */
  async commit(): Promise<void> {
    await this.#committing?.catch(() => undefined);
    if (this.isDirty) await this.commitExactly(this.#resolved);
  }

  /**
   * The first commit of a grant, whether or not anything moved: whoever may not commit is not to handle, and an owner before this one is
   * to find the newer token. Where nobody has committed and only the user does, there is nothing to say yet.
   */
  async claim(): Promise<void> {
    if (this.position !== undefined && this.position !== this.#committed) await this.commitExactly(this.position);
    else await this.recommit();
  }

  /** What stands there already: offsets of a group without members expire. A commit under way does as well. */
  async recommit(): Promise<void> {
    if (this.#committing === undefined && this.#committed !== undefined) await this.commitExactly(this.#committed, this.#metadata);
  }

  async commitExactly(offset: bigint, metadata = ''): Promise<void> {
    while (this.#committing !== undefined) await this.#committing.catch(() => undefined);
    const { at, owned, committer, begunWith } = this.#options;
    const committing = committer.commit({ ...at, owned, offset, metadata: writeMetadata(owned.token, metadata, begunWith) });
    this.#committing = committing;
    try {
      await committing;
      this.#committed = offset;
      this.#metadata = metadata;
      this.#resolvedSince = 0;
    } finally {
      this.#lastMs = performance.now();
      this.#committing = undefined;
      if (this.#isMoreDue) {
        this.#isMoreDue = false;
        this.commitSoon();
      }
    }
  }

  /** No commit is begun by itself any more; settles with the one under way, whatever becomes of it. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isMoreDue = false;
    while (this.#committing !== undefined) await this.#committing.catch(() => undefined);
  }
}
