/** Plain commits of several partitions in one request that the coordinator refuses, of which some were not to be made anyway. */
import type { OwnedPartition } from '@quorate/core/adapter';
import { PlainCommitter } from '../../src/consumer/committer.ts';
import type { CommittedOffset, ConsumerDriver } from '../../src/consumer/consumer-driver.ts';
import { KafkaFailure } from '../../src/failure.ts';

const at = (partition: number) => ({ topic: 'orders', partition });

/** It refuses whole requests; those of one partition it takes, but for partition 2. */
class Coordinator {
  readonly requests: (readonly number[])[] = [];
  /** What stands there when it is asked first, and later. */
  readonly standing: (readonly CommittedOffset[])[] = [];

  readonly driver = {
    committed: () => Promise.resolve(this.standing.shift() ?? []),
    commit: (_groupId, offsets) => {
      const partitions = offsets.map(({ partition }) => partition);
      this.requests.push(partitions);
      const isTaken = partitions.length === 1 && !partitions.includes(2);
      return isTaken ? Promise.resolve() : Promise.reject(new KafkaFailure('denied', 'No right to one of them'));
    },
  } as Partial<ConsumerDriver> as ConsumerDriver;
}

/** What is left of it at each look; at the end as at the last, which is how a renewal shows. */
function lease(...leftMs: readonly number[]): OwnedPartition {
  const left = [...leftMs];
  const next = () => (left.length > 1 ? left.shift() : left[0]);
  return Object.defineProperty({ token: 1, valid: true }, 'remainingMs', { get: next }) as unknown as OwnedPartition;
}

const long = 60_000;

async function committed(coordinator: Coordinator, leases: readonly OwnedPartition[]): Promise<readonly unknown[]> {
  const committer = new PlainCommitter(coordinator.driver, 'billing');
  const commits = leases.map((owned, partition) => committer.commit({ ...at(partition), owned, offset: 7n, metadata: 'quorate:1' }));
  const settled = await Promise.allSettled(commits);
  return settled.map((one) => (one.status === 'fulfilled' ? 'made' : ((one.reason as { code?: string }).code ?? one.reason)));
}

test('does not make a commit after all that was refused for its lease, which is renewed since (3 owners)', async () => {
  const coordinator = new Coordinator();
  // The words of the refusal look at the lease twice more.
  const outcomes = await committed(coordinator, [lease(50, 50, 50, long), lease(long), lease(long)]);
  expect(outcomes).toEqual(['LEASE_LOST', 'made', expect.objectContaining({ kind: 'denied' })]);
  expect(coordinator.requests).toEqual([[1, 2], [1], [2]]);
});

test('does not make a commit after all that was refused between its two looks at the lease (3 owners)', async () => {
  const coordinator = new Coordinator();
  const outcomes = await committed(coordinator, [lease(long, 50, 50, 50, long), lease(long), lease(long)]);
  expect(outcomes).toEqual(['LEASE_LOST', 'made', expect.objectContaining({ kind: 'denied' })]);
  expect(coordinator.requests).toEqual([[1, 2], [1], [2]]);
});

test('does not ask again for a commit that was refused for a later owner (3 owners)', async () => {
  const coordinator = new Coordinator();
  coordinator.standing.push([{ ...at(0), offset: 9n, metadata: 'quorate:2' }]);
  const outcomes = await committed(coordinator, [lease(long), lease(long), lease(long)]);
  expect(outcomes).toEqual(['STALE_OWNER', 'made', expect.objectContaining({ kind: 'denied' })]);
  expect(coordinator.requests).toEqual([[1, 2], [1], [2]]);
});
