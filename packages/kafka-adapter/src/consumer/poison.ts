/**
 * Messages that no handler can stomach: how often handling failed at one offset, and, for batches, the range within which messages
 * are handed out one by one until the one at fault is known. Kept across restarts of a partition's handler.
 */
import type { TopicPartition } from './consumer-driver.ts';

interface Trouble {
  readonly offset: bigint;
  readonly failures: number;
  /** Up to here, exclusively, batches have one message each. */
  readonly singlesUntil: bigint;
}

export class Poison {
  readonly #troubles = new Map<string, Trouble>();

  /** Handling failed at this offset; `until` is the end of what was handed out. Answers how often that was by now. */
  failed(at: TopicPartition, { offset, until }: { readonly offset: bigint; readonly until: bigint }): number {
    const before = this.#troubles.get(keyOf(at));
    const failures = before?.offset === offset ? before.failures + 1 : 1;
    const singlesUntil = before !== undefined && before.singlesUntil > until ? before.singlesUntil : until;
    this.#troubles.set(keyOf(at), { offset, failures, singlesUntil });
    return failures;
  }

  areSingles(at: TopicPartition, offset: bigint): boolean {
    const trouble = this.#troubles.get(keyOf(at));
    return trouble !== undefined && offset < trouble.singlesUntil;
  }

  /** Everything before this offset was handled. */
  passed(at: TopicPartition, offset: bigint): void {
    const trouble = this.#troubles.get(keyOf(at));
    if (trouble !== undefined && offset >= trouble.singlesUntil) this.#troubles.delete(keyOf(at));
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
