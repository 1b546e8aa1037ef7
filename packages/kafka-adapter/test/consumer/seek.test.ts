/** A seek holds until handling has begun there, however often a beginning comes to nothing. Over a broker in memory. */
import { KafkaFailure } from '../../src/failure.ts';
import type { OwnedConsumerOptions } from '../../src/index.ts';
import { Gate, StandInConsumer } from './stand-in-consumer.ts';

const members = () => Promise.reject(new KafkaFailure('members', 'The group has members'));
const refusing = (topic: string) => (commit: { readonly topic: string }) => (commit.topic === topic ? members() : handled());
const handled = () => Promise.resolve();
const to = (offset: number, topic = 'orders') => ({ topic, partition: 0, offset: String(offset) });

const open: StandInConsumer[] = [];
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

function ready(topics: readonly string[] = ['orders'], options: Partial<OwnedConsumerOptions> = {}): StandInConsumer {
  const one = new StandInConsumer({ topics, end: 100, ...options });
  for (const topic of topics) one.commit(topic, 100);
  open.push(one);
  return one;
}

/** From now on the first commit, of this topic if one is named, waits for what is done with the gate. */
function held(one: StandInConsumer, topic?: string): { readonly gate: Gate; readonly isAsked: () => boolean } {
  const gate = new Gate();
  let asked = false;
  one.onCommit = (commit) => {
    if (asked || commit.topic !== (topic ?? commit.topic)) return handled();
    one.note(() => (asked = true));
    return gate.passed;
  };
  return { gate, isAsked: () => asked };
}

describe('a seek before the partition is owned', () => {
  test('outlives a first commit that is refused for members of the group (1 owner)', async () => {
    const one = ready();
    one.onCommit = () => {
      one.onCommit = handled;
      return members();
    };
    one.consumer.seek(to(98));
    await one.consumer.run({ eachMessage: handled });
    one.partitions.grant(0, 1);
    await one.until(() => one.starts.length === 1);
    expect(one.starts).toEqual(['orders 98 seek']);
  });

  test('outlives a revocation while its first commit is under way, and is done once (1 owner)', async () => {
    const one = ready();
    const { gate, isAsked } = held(one);
    one.consumer.seek(to(98));
    await one.consumer.run({ eachMessage: handled });
    one.partitions.grant(0, 1);
    await one.until(isAsked);
    const revoked = one.partitions.revoke(0);
    gate.fail(new KafkaFailure('connection', 'The connection was lost'));
    await revoked;
    one.partitions.grant(0, 2);
    await one.until(() => one.commits.get('orders')?.offset === 100n && one.starts.length === 1);
    await one.partitions.revoke(0);
    one.partitions.grant(0, 3);
    await one.until(() => one.starts.length === 2);
    expect(one.starts).toEqual(['orders 98 seek', 'orders 100 commit']);
  });

  test('is done with its first commit, whoever handles the messages then (2 owners of 2 topics)', async () => {
    const one = ready(['orders', 'refunds']);
    // The commits of both topics share a request; once that is refused they are made one by one.
    one.onCommit = refusing('refunds');
    one.consumer.seek(to(7));
    await one.consumer.run({ eachMessage: handled });
    one.partitions.grant(0, 1);
    await one.until(() => one.events.some(({ type }) => type === 'groupHasMembers'));
    await one.partitions.revoke(0);
    expect(one.commits.get('orders')?.offset).toBe(7n);
    expect(one.starts).toEqual([]);
    one.commit('orders', 50, 2);
    one.onCommit = handled;
    one.partitions.grant(0, 3);
    await one.until(() => one.starts.length === 2);
    expect(one.starts).toEqual(['orders 50 commit', 'refunds 100 commit']);
  });

  test('is not undone by where this process had got to (1 owner of 2 topics, restarted under its token)', async () => {
    const one = ready(['orders', 'refunds']);
    one.commit('orders', 99);
    let failures = 0;
    await one.consumer.run({ eachMessage: () => (failures++ === 0 ? Promise.reject(new Error('not now')) : handled()) });
    one.onEvent = ({ type }) => {
      if (type !== 'finished' || one.starts.length > 2) return;
      one.consumer.seek(to(100));
      one.onCommit = refusing('refunds');
    };
    one.partitions.grant(0, 1);
    await one.until(() => one.events.some(({ type }) => type === 'groupHasMembers'));
    one.onCommit = handled;
    await one.until(() => one.starts.length === 4);
    expect(one.starts).toEqual(['orders 99 commit', 'refunds 100 commit', 'orders 100 resolved', 'refunds 100 resolved']);
  });

  test('is kept where only the user commits and its beginning came to nothing (1 owner of 2 topics)', async () => {
    const one = ready(['orders', 'refunds']);
    one.onCommit = refusing('refunds');
    one.consumer.seek(to(7));
    await one.consumer.run({ eachMessage: handled, autoCommit: false });
    one.partitions.grant(0, 1);
    await one.until(() => one.events.some(({ type }) => type === 'groupHasMembers'));
    one.onCommit = handled;
    await one.until(() => one.starts.length === 2);
    expect(one.starts).toEqual(['orders 7 seek', 'refunds 100 commit']);
  });

  test('gives way to a newer one that comes while it begins (1 owner)', async () => {
    const one = ready();
    const { gate, isAsked } = held(one);
    one.consumer.seek(to(7));
    const seen: string[] = [];
    await one.consumer.run({ eachMessage: ({ message }) => Promise.resolve(one.note(() => seen.push(message.offset))) });
    one.partitions.grant(0, 1);
    await one.until(isAsked);
    one.consumer.seek(to(98));
    gate.open();
    await one.until(() => seen.length === 2);
    expect([one.starts, seen]).toEqual([['orders 98 seek'], ['98', '99']]);
  });
});

describe('a seek to an end of the log', () => {
  test.each([
    ['-1', 100],
    ['-2', 0],
  ])('to %s is kept where the partition is revoked before that end is found (1 owner)', async (offset, found) => {
    const one = ready();
    const gate = new Gate();
    let asked = false;
    one.onEdge = () => {
      one.note(() => (asked = true));
      return gate.passed;
    };
    await one.consumer.run({ eachMessage: handled });
    one.partitions.grant(0, 1);
    await one.until(() => one.starts.length === 1);
    one.consumer.seek({ ...to(0), offset });
    await one.until(() => asked);
    await one.partitions.revoke(0);
    gate.open();
    one.partitions.grant(0, 2);
    await one.until(() => one.starts.length === 2);
    expect(one.starts).toEqual(['orders 100 commit', `orders ${found} seek`]);
  });
});
