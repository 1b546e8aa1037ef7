/** An owned consumer and the consumer group whose offsets it keeps. On a real Kafka. */
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';

describeConsumer('the group of an owned consumer', (rig) => {
  test('waits for an old deployment in the group to be gone, and goes on where it got to (1 member, 1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const old = rig().kafka.consumer({ groupId: rig().groupId });
    await old.connect();
    await old.subscribe({ topics: [rig().topic], fromBeginning: true });
    const seenByOld: string[] = [];
    await old.run({ eachMessage: ({ message }) => Promise.resolve(void seenByOld.push(message.offset)) });
    await until(() => seenByOld.length === 5);
    const { consumer, partitions, events } = rig().process({ groupCheckIntervalMs: 100 });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 1);
    await until(() => events.some(({ type }) => type === 'groupHasMembers'));
    expect(events.find(({ type }) => type === 'groupHasMembers')).toMatchObject({ error: { code: 'GROUP_HAS_MEMBERS' } });
    await rig().send(numbers(5, 8));
    await until(() => seenByOld.length === 8);
    expect(seen).toEqual([]);
    await old.disconnect();
    await rig().send(numbers(8, 10));
    await until(() => seen.length === 2);
    expect(seen).toEqual(['8', '9']);
    expect(events.at(-1)).not.toMatchObject({ type: 'groupHasMembers' });
  });

  test('makes way for an old deployment that turns up while it consumes (1 owner, 1 member)', async () => {
    await rig().open();
    const { consumer, partitions, events } = rig().process({ groupCheckIntervalMs: 100 });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 1);
    await rig().send(numbers(0, 5));
    await until(async () => (await rig().committed()).offset === '5');
    const old = rig().kafka.consumer({ groupId: rig().groupId });
    await old.connect();
    await old.subscribe({ topics: [rig().topic], fromBeginning: true });
    const seenByOld: string[] = [];
    await old.run({ eachMessage: ({ message }) => Promise.resolve(void seenByOld.push(message.offset)) });
    await until(() => events.some(({ type }) => type === 'finished'));
    await rig().send(numbers(5, 8));
    await until(() => seenByOld.length === 3);
    await old.disconnect();
    await until(() => events.some(({ type }) => type === 'groupFree'));
    await rig().send(numbers(8, 10));
    await until(() => seen.length === 7);
    expect(seen).toEqual(['0', '1', '2', '3', '4', '8', '9']);
    expect(partitions.failures).toEqual([]);
  });

  test('commits again what has not moved (1 owner)', async () => {
    await rig().open();
    await rig().send([0]);
    const { consumer, partitions } = rig().process({ recommitIntervalMs: 50 });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '1');
    // As if it had expired.
    await until(async () => {
      await rig()
        .admin.deleteGroups([rig().groupId])
        .catch(() => undefined);
      return (await rig().committed()).offset === '-1';
    });
    await until(async () => (await rig().committed()).offset === '1');
  });
});
