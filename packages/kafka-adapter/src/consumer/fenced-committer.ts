/**
 * Fenced commits: a transactional producer for each partition, whose id every owner uses. The new owner's initialisation is a fence
 * on the broker: whatever the old one still sends is refused there, however late. Kafka's "Transactional messaging" (KIP-98).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { encodeName } from '@quorate/core/adapter';
import type { OwnedPartition } from '@quorate/core/adapter';
import { failureOf } from '../kafkajs-failure.ts';
import { leaseOver, newerTokenIn, RequestTime, staleOwner } from './committer.ts';
import type { CommitOf, Committer } from './committer.ts';
import type { ConsumerDriver, FencingProducer, TopicPartition } from './consumer-driver.ts';

const againMs = 20;

export class FencedCommitter implements Committer {
  readonly #driver: ConsumerDriver;
  readonly #groupId: string;
  readonly #lease = new RequestTime();
  readonly #producers = new Map<string, FencingProducer>();

  constructor(driver: ConsumerDriver, groupId: string) {
    this.#driver = driver;
    this.#groupId = groupId;
  }

  /** Under a lease that holds, and when handling begins only: a process that is late must not fence the owner after it. */
  async prepare(owned: OwnedPartition, at: TopicPartition): Promise<void> {
    if (!this.#lease.fits(owned)) throw leaseOver(owned, at);
    const id = transactionalIdOf(this.#groupId, at);
    this.#producers.set(id, await this.#lease.timed(() => this.#driver.fence(id)));
  }

  async commit({ owned, ...offset }: CommitOf): Promise<void> {
    const producer = this.#producers.get(transactionalIdOf(this.#groupId, offset));
    if (producer === undefined || !this.#lease.fits(owned)) throw leaseOver(owned, offset);
    const other = newerTokenIn(await this.#driver.committed(this.#groupId, [offset]), offset, owned.token);
    if (other !== undefined) throw staleOwner(offset, owned.token, other);
    if (!this.#lease.fits(owned)) throw leaseOver(owned, offset);
    for (;;) {
      try {
        return await this.#lease.timed(() => this.#driver.commitFenced({ producer, groupId: this.#groupId, offsets: [offset] }));
      } catch (error) {
        const { kind } = failureOf(error);
        if (kind === 'fenced') throw staleOwner(offset, owned.token);
        // The brokers are still at the end of the transaction before this one. That is waited for in a drain as well.
        if (kind !== 'coordinator' || !this.#lease.fits(owned)) throw error;
        await delay(againMs);
      }
    }
  }

  forget(at: TopicPartition): void {
    this.#producers.delete(transactionalIdOf(this.#groupId, at));
  }
}

/** Dots are part of topic names but of no encoded group, so that no two triples meet in one id. */
export function transactionalIdOf(groupId: string, { topic, partition }: TopicPartition): string {
  return `quorate.${encodeName(groupId)}.${topic}.${partition}`;
}
