/** Messages that a handler fails at. On a real Kafka. */
import type { OwnedBatchPayload } from '../../src/index.ts';
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';

describeConsumer('an owned consumer whose handler fails', (rig) => {
  test('puts a failed message before the handler again under the same token, and then to the dead letters (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const letters: string[] = [];
    const { consumer, partitions, events } = rig().process({
      deadLetter: ({ message, failures, token }) => Promise.resolve(void letters.push(`${message.offset} ${failures} ${token}`)),
    });
    const seen: string[] = [];
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(message.offset);
        return message.offset === '2' ? Promise.reject(new Error('cannot stomach it')) : Promise.resolve();
      },
    });
    partitions.grant(0, 1);
    await until(() => seen.length === 7);
    expect(seen).toEqual(['0', '1', '2', '2', '2', '3', '4']);
    expect(letters).toEqual(['2 3 1']);
    // To `own` this was no failure: five of different messages would cost the partition.
    expect(partitions.failures).toEqual([]);
    expect(events.filter(({ type }) => type === 'handlerFailed')).toHaveLength(3);
    await until(async () => (await rig().committed()).offset === '5');
  });

  test('fails with its handler where there are no dead letters, and begins again at that message under the same token (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    await consumer.run({
      eachMessage: ({ message, token }) => {
        seen.push(`${message.offset} ${token}`);
        return message.offset === '2' && seen.length < 5 ? Promise.reject(new Error('not now')) : Promise.resolve();
      },
    });
    partitions.grant(0, 9);
    await until(() => seen.length === 7);
    expect(seen).toEqual(['0 9', '1 9', '2 9', '2 9', '2 9', '3 9', '4 9']);
    expect(partitions.failures.map(String)).toEqual(['Error: not now', 'Error: not now']);
    await until(async () => (await rig().committed()).offset === '5');
  });

  test('finds the message at fault in a batch (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 6));
    const letters: string[] = [];
    const { consumer, partitions } = rig().process({ deadLetter: ({ message }) => Promise.resolve(void letters.push(message.offset)) });
    const done = new Set<string>();
    await consumer.run({
      eachBatch: ({ batch }: OwnedBatchPayload) => {
        if (batch.messages.some(({ offset }) => offset === '3')) return Promise.reject(new Error('cannot stomach one of them'));
        for (const { offset } of batch.messages) done.add(offset);
        return Promise.resolve();
      },
    });
    partitions.grant(0, 1);
    await until(() => done.size === 5);
    expect(letters).toEqual(['3']);
    await until(async () => (await rig().committed()).offset === '6');
  });
});
