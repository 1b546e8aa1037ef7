/** Fenced commits against brokers that are still at the end of the transaction before: no broker takes that long when asked to. */
import type { OwnedPartition } from '@quorate/core/adapter';
import type { ConsumerDriver } from '../../src/consumer/consumer-driver.ts';
import { FencedCommitter } from '../../src/consumer/fenced-committer.ts';
import { KafkaFailure } from '../../src/failure.ts';

const at = { topic: 'orders', partition: 0 };

class Coordinator {
  readonly committed: bigint[] = [];
  /** So many commits come too soon after the one before. */
  busy = 0;

  readonly driver = {
    fence: (transactionalId: string) => Promise.resolve({ transactionalId, producerId: '1', epoch: 0 }),
    committed: () => Promise.resolve([]),
    commitFenced: ({ offsets }) => {
      if (this.busy-- > 0) return Promise.reject(new KafkaFailure('coordinator', 'Another operation is under way'));
      for (const { offset } of offsets) this.committed.push(offset);
      return Promise.resolve();
    },
  } as Partial<ConsumerDriver> as ConsumerDriver;
}

/** A lease that holds for as long as it is looked at so often. */
function lease(looks: number): OwnedPartition & { readonly revoke: () => void } {
  const controller = new AbortController();
  let left = looks;
  const owned = { token: 1, signal: controller.signal, remainingMs: 60_000, revoke: () => controller.abort() };
  return Object.defineProperty(owned, 'valid', { get: () => left-- > 0 }) as unknown as OwnedPartition & { revoke: () => void };
}

test('waits for the end of the transaction before, in a drain as well (1 owner)', async () => {
  const coordinator = new Coordinator();
  const committer = new FencedCommitter(coordinator.driver, 'billing');
  const owned = lease(Infinity);
  await committer.prepare(owned, at);
  coordinator.busy = 3;
  owned.revoke();
  await committer.commit({ ...at, owned, offset: 7n, metadata: 'quorate:1' });
  expect(coordinator.committed).toEqual([7n]);
});

test('waits no longer than its lease lasts (1 owner)', async () => {
  const coordinator = new Coordinator();
  const committer = new FencedCommitter(coordinator.driver, 'billing');
  const owned = lease(5);
  await committer.prepare(owned, at);
  coordinator.busy = Infinity;
  await expect(committer.commit({ ...at, owned, offset: 7n, metadata: 'quorate:1' })).rejects.toMatchObject({ kind: 'coordinator' });
  expect(coordinator.committed).toEqual([]);
});
