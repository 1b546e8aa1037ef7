/** What a topic has grown by is consumed from its first message, whoever owns it, whenever. Over a broker in memory. */
import type { OwnedConsumerOptions } from '../../src/index.ts';
import { StandInConsumer } from './stand-in-consumer.ts';

const handled = () => Promise.resolve();

const open: StandInConsumer[] = [];
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

interface Life extends Partial<OwnedConsumerOptions> {
  /** Partitions of `orders`. */
  readonly count: number;
  /** Whose broker this one's is, as it stands: another process, or a later life. */
  readonly after?: StandInConsumer;
}

/** Consumes `orders`, whose partitions have 3 messages each. */
async function consuming({ count, after, ...options }: Life, autoCommit = true): Promise<StandInConsumer> {
  const one = new StandInConsumer({ topics: ['orders'], end: 3, ...options });
  one.counts.set('orders', count);
  for (const [key, commit] of after?.commits ?? []) one.commits.set(key, commit);
  open.push(one);
  await one.consumer.run({ eachMessage: handled, autoCommit });
  return one;
}

async function own(one: StandInConsumer, ...partitions: readonly number[]): Promise<void> {
  const before = one.starts.length;
  for (const partition of partitions) one.partitions.grant(partition, before + 1);
  await one.until(() => one.starts.length === before + partitions.length);
}

describe('a partition that the topic has grown by', () => {
  test('begins at its first message with whoever watched the topic grow (2 partitions, then 3)', async () => {
    const one = await consuming({ count: 2, metadataMaxAgeMs: 10 });
    await own(one, 0, 1);
    one.counts.set('orders', 3);
    await one.until(() => one.events.some(({ type }) => type === 'grown'));
    await own(one, 2);
    expect(one.starts).toEqual(['orders 3 latest', 'orders/1 3 latest', 'orders/2 0 grown']);
  });

  test('begins there with a process that came later, though later owners of the others have committed since (2 partitions, then 3, then 4)', async () => {
    const first = await consuming({ count: 2 });
    await own(first, 0, 1);
    const second = await consuming({ count: 3, after: first });
    await own(second, 0);
    await own(second, 1);
    expect(second.starts).toEqual(['orders 3 commit', 'orders/1 3 commit']);
    const third = await consuming({ count: 4, after: second });
    await own(third, 2, 3);
    expect([...third.starts].sort()).toEqual(['orders/2 0 grown', 'orders/3 0 grown']);
  });

  test('begins there where only the user commits, and has committed one of the others (2 partitions, then 3)', async () => {
    const first = await consuming({ count: 2 }, false);
    await own(first, 0, 1);
    await first.consumer.commitOffsets([{ topic: 'orders', partition: 1, offset: '3', metadata: 'mine' }]);
    const second = await consuming({ count: 3, after: first }, false);
    await own(second, 2);
    await second.partitions.revoke(2);
    await own(second, 2);
    expect(second.starts).toEqual(['orders/2 0 grown', 'orders/2 0 grown']);
  });

  test('goes on at its commit once it has one (2 partitions, then 3)', async () => {
    const first = await consuming({ count: 2 });
    await own(first, 0);
    const second = await consuming({ count: 3, after: first });
    await own(second, 2);
    await second.until(() => second.commits.get('orders/2')?.offset === 3n);
    await own(await consuming({ count: 3, after: second }), 2);
    expect(open.at(-1)?.starts).toEqual(['orders/2 3 commit']);
  });
});

describe('a partition that was there when the group began', () => {
  test('begins after its last message, though others have commits by then (3 partitions)', async () => {
    const first = await consuming({ count: 3 });
    await own(first, 0, 1);
    const second = await consuming({ count: 3, after: first });
    await own(second, 2);
    expect(second.starts).toEqual(['orders/2 3 latest']);
  });

  test('begins there beside the commits of a consumer group of kafkajs, which tell nothing of partitions without one (3 partitions)', async () => {
    const one = new StandInConsumer({ topics: ['orders'], end: 3 });
    one.commit('orders', 2);
    await own(await consuming({ count: 3, after: one }), 0, 2);
    expect(open.at(-1)?.starts).toEqual(['orders 2 commit', 'orders/2 3 latest']);
  });

  test('begins at its first message where the user says so (2 partitions)', async () => {
    const one = await consuming({ count: 2, fromBeginning: true });
    await own(one, 0, 1);
    expect(one.starts).toEqual(['orders 0 earliest', 'orders/1 0 earliest']);
  });
});

describe('the set of partitions', () => {
  test('is asked for with what the topics have, and with the pauses that the user chose (2 partitions)', async () => {
    expect((await consuming({ count: 2 })).partitions.options).toEqual({ count: 2 });
    const chosen = await consuming({ count: 2, graceMs: 5_000, settleMs: 0 });
    expect(chosen.partitions.options).toEqual({ count: 2, graceMs: 5_000, settleMs: 0 });
  });
});

describe('what is read to tell what has grown', () => {
  const partitions = Array.from({ length: 64 }, (_, partition) => partition);
  const [atItsBeginning, beforeItsCommit] = [64, 64];

  test('is the own commit alone for a partition that has one (64 partitions of an earlier version)', async () => {
    const before = new StandInConsumer({ topics: ['orders'], end: 3 });
    for (const partition of partitions) before.put({ topic: 'orders', partition, offset: 3n, metadata: 'quorate:1' });
    const one = await consuming({ count: 64, after: before });
    await own(one, ...partitions);
    expect(one.commitsRead).toBe(atItsBeginning + beforeItsCommit);
  });

  test('is all commits once for partitions that begin side by side without one (64 partitions)', async () => {
    const one = await consuming({ count: 64 });
    await own(one, ...partitions);
    expect(one.commitsRead).toBe(atItsBeginning + 64 + beforeItsCommit);
  });
});

describe('topics of different size', () => {
  const differing = () => {
    const one = new StandInConsumer({ topics: ['orders', 'refunds'], end: 3, metadataMaxAgeMs: 10 });
    one.counts.set('orders', 2);
    open.push(one);
    return one;
  };
  const refusal = {
    code: 'INVALID_OPTIONS',
    message: expect.stringContaining(
      '`topics` must have the same number of partitions, and orders has 2, refunds has 1. ' +
        'Enlarge the smaller ones, or give topics of different size a consumer and a `name` each.',
    ) as string,
    details: { counts: { orders: 2, refunds: 1 } },
  };

  test('are refused to a group that has committed nothing (2 topics)', async () => {
    await expect(differing().consumer.run({ eachMessage: handled })).rejects.toMatchObject(refusal);
  });

  const unlike: readonly (readonly [string, readonly (readonly [string, number, string])[]])[] = [
    ['whose commits are a consumer group’s', [['orders', 0, '']]],
    [
      'whose commits reach beyond the least',
      [
        ['orders', 0, 'quorate:1'],
        ['orders', 1, 'quorate:2'],
      ],
    ],
    ['that began with more than the least', [['orders', 0, 'quorate:1 of:2']]],
    ['that has not been at work on the larger', [['refunds', 0, 'quorate:1 of:1']]],
  ];
  test.each(unlike)('are refused to a group %s (2 topics)', async (_, commits) => {
    const one = differing();
    for (const [topic, partition, metadata] of commits) one.put({ topic, partition, offset: 3n, metadata });
    await expect(one.consumer.run({ eachMessage: handled })).rejects.toMatchObject(refusal);
  });

  test('are begun as far as all of them reach while a group at work sees them grow, and then the rest (2 topics)', async () => {
    const one = differing();
    one.put({ topic: 'orders', partition: 0, offset: 3n, metadata: 'quorate:1 of:1' });
    await one.consumer.run({ eachMessage: handled });
    expect(one.partitions.options).toEqual({ count: 1 });
    await one.until(() => one.events.some(({ type }) => type === 'countsDiffer'));
    one.counts.set('refunds', 2);
    await one.until(() => one.events.some(({ type }) => type === 'grown'));
    one.partitions.grant(1, 2);
    await one.until(() => one.starts.length === 2);
    expect([...one.starts].sort()).toEqual(['orders/1 0 grown', 'refunds/1 0 grown']);
  });

  test('fail a partition of the set that one of them lacks, and leave the others at work (2 topics, a set of 2)', async () => {
    const one = differing();
    one.put({ topic: 'orders', partition: 0, offset: 3n, metadata: 'quorate:1 of:1' });
    one.partitions.partitions('billing', { count: 2 });
    await one.consumer.run({ eachMessage: handled });
    one.partitions.onFailure = () => one.note(() => undefined);
    one.partitions.grant(0, 3);
    one.partitions.grant(1, 4);
    await one.until(() => one.partitions.failures.length > 0);
    expect(one.partitions.failures[0]).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(
        'Partition 1 of the set is not begun, for not every topic has it: orders has 2, refunds has 1.',
      ) as string,
      details: { partition: 1, counts: { orders: 2, refunds: 1 } },
    });
    expect([...one.starts].sort()).toEqual(['orders 3 commit', 'refunds 3 latest']);
  });

  test('begin a partition of the set once another look finds it in all of them (2 topics, a set of 2)', async () => {
    const one = new StandInConsumer({ topics: ['orders', 'refunds'], end: 3 });
    open.push(one);
    await one.consumer.run({ eachMessage: handled });
    for (const topic of ['orders', 'refunds']) one.counts.set(topic, 2);
    one.partitions.grant(1, 2);
    await one.until(() => one.starts.length === 2);
    expect([...one.starts].sort()).toEqual(['orders/1 0 grown', 'refunds/1 0 grown']);
    expect(one.partitions.failures).toEqual([]);
  });
});
