/** What the user has paused and where the user wants to go, by topic and partition, whoever owns them at the moment. */
import type { TopicPartition } from './consumer-driver.ts';

export interface TopicSelection {
  readonly topic: string;
  /** Default: all of them, those granted later included. */
  readonly partitions?: readonly number[];
}

interface Paused {
  isAll: boolean;
  /** Those that are otherwise than `isAll` says. */
  readonly except: Set<number>;
}

export class Subscription {
  readonly #paused = new Map<string, Paused>();
  readonly #seeks = new Map<string, bigint>();

  pause(selections: readonly TopicSelection[]): void {
    for (const selection of selections) this.#set(selection, true);
  }

  resume(selections: readonly TopicSelection[]): void {
    for (const selection of selections) this.#set(selection, false);
  }

  isPaused({ topic, partition }: TopicPartition): boolean {
    const paused = this.#paused.get(topic);
    return paused !== undefined && paused.isAll !== paused.except.has(partition);
  }

  /** For the next time that the partition is granted to this process, and kept until it has begun there. */
  seek(at: TopicPartition, offset: bigint): void {
    this.#seeks.set(keyOf(at), offset);
  }

  soughtAt(at: TopicPartition): bigint | undefined {
    return this.#seeks.get(keyOf(at));
  }

  /** It has come to its end; a newer one stays. */
  forgetSeek(at: TopicPartition, offset: bigint): void {
    if (this.soughtAt(at) === offset) this.#seeks.delete(keyOf(at));
  }

  #set({ topic, partitions }: TopicSelection, isPaused: boolean): void {
    const paused = this.#paused.get(topic) ?? { isAll: false, except: new Set() };
    this.#paused.set(topic, paused);
    if (partitions === undefined) {
      paused.isAll = isPaused;
      paused.except.clear();
      return;
    }
    for (const partition of partitions) {
      if (paused.isAll === isPaused) paused.except.delete(partition);
      else paused.except.add(partition);
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
