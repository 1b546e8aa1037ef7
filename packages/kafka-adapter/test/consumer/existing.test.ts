/** An existing kafkajs consumer is made exclusive by its import, its instance, and the line that made it. On a real Kafka. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { startService as startAfter } from './existing/after.ts';
import { startService as startBefore } from './existing/before.ts';
import { quorate } from './existing/quorate.ts';
import { KafkaRig, numbers, until } from './kafka-rig.ts';

const linesOf = (name: string) =>
  readFileSync(join(__dirname, 'existing', name), 'utf8')
    .split('\n')
    .slice(1);

describeWithKafka('an existing consumer of kafkajs', (kafka) => {
  afterAll(async () => (await quorate).close());

  test('becomes exclusive by a diff of three lines, and goes on where it got to (1 member, then 1 owner)', async () => {
    const before = linesOf('before.ts');
    const after = linesOf('after.ts');
    expect(after.filter((line) => !before.includes(line))).toHaveLength(3);
    expect(before.filter((line) => !after.includes(line))).toHaveLength(1);

    const rig = new KafkaRig(kafka.brokers);
    await rig.open(2);
    await rig.send(numbers(0, 5), 0);
    await rig.send(numbers(0, 5), 1);
    const orders: string[] = [];
    const old = await startBefore([...kafka.brokers], rig.topic, (order) => orders.push(order));
    await until(() => orders.length === 10);
    await old.stop();
    await rig.send(numbers(5, 8), 1);
    const service = await startAfter([...kafka.brokers], rig.topic, (order) => orders.push(order));
    await until(() => orders.length === 13);
    await service.stop();
    expect(orders.slice(10)).toEqual(['1: 5', '1: 6', '1: 7']);
    await rig.close();
  });
});
