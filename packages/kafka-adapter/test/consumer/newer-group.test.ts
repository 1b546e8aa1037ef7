/** An old deployment of Kafka's newer group protocol (KIP-848), which the requests that describe a group do not show. On a real Kafka. */
import type * as Platformatic from '@platformatic/kafka' with { 'resolution-mode': 'import' };
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';
import type { KafkaRig } from './kafka-rig.ts';

const { Consumer } = jest.requireActual<typeof Platformatic>('@platformatic/kafka');

async function oldDeployment(rig: KafkaRig) {
  const own = { clientId: 'old', bootstrapBrokers: [...rig.brokers], groupId: rig.groupId };
  const consumer = new Consumer({ ...own, groupProtocol: 'consumer' });
  const stream = await consumer.consume({ topics: [rig.topic], mode: 'earliest', autocommit: 50 });
  const seen: string[] = [];
  stream.on('data', ({ offset }) => seen.push(String(offset)));
  stream.on('error', () => undefined);
  const leave = async (): Promise<void> => {
    await Promise.resolve(stream.close());
    await Promise.resolve(consumer.close(true));
  };
  return { seen, leave };
}

describeConsumer('the group of an owned consumer', (rig) => {
  test('waits for an old deployment that nobody can list, tells of it once, and goes on where it got to (1 member, 1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const old = await oldDeployment(rig());
    await until(async () => old.seen.length === 5 && (await rig().committed()).offset === '5');
    const { consumer, partitions, events } = rig().process();
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 1);
    // Asked more than once whether it is gone.
    await until(() => events.filter(({ type }) => type === 'commitFailed').length >= 3);
    await rig().send(numbers(5, 8));
    await until(async () => old.seen.length === 8 && (await rig().committed()).offset === '8');
    expect(seen).toEqual([]);
    await old.leave();
    await rig().send(numbers(8, 10));
    await until(() => seen.length === 2);
    expect(seen).toEqual(['8', '9']);
    const told = events.map(({ type }) => type).filter((type) => type === 'groupHasMembers' || type === 'groupFree');
    expect(told).toEqual(['groupHasMembers', 'groupFree']);
  });
});
