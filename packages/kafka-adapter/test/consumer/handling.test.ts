/** What handlers of an owned consumer are given, and in which order. On a real Kafka. */
import type { EachBatchPayload, EachMessagePayload } from 'kafkajs';
import { makeTopic } from '../made-topic.ts';
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';

describeConsumer('the handlers of an owned consumer', (rig) => {
  test('hands out what was produced, in order, and commits it under the group with its token (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 50));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    // A handler written for kafkajs fits as it is.
    const eachMessage = ({ message }: EachMessagePayload): Promise<void> => {
      seen.push(String(message.value));
      return Promise.resolve();
    };
    await consumer.run({ eachMessage });
    partitions.grant(0, 7);
    await until(() => seen.length === 50);
    await rig().send(numbers(50, 60));
    await until(() => seen.length === 60);
    expect(seen).toEqual(numbers(0, 60).map(String));
    await until(async () => (await rig().committed()).offset === '60');
    expect(await rig().committed()).toEqual({ offset: '60', metadata: 'quorate:7 of:1' });
  });

  test('stalls no partition for another one that is slow (1 owner, 4 partitions)', async () => {
    await rig().open(4);
    for (const partition of [0, 1, 2, 3]) await rig().send(numbers(0, 5), partition);
    const { consumer, partitions } = rig().process();
    const seen: number[] = [];
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    await consumer.run({
      eachMessage: async ({ partition }) => {
        if (partition === 2) await stuck;
        seen.push(partition);
      },
    });
    for (const partition of [0, 1, 2, 3]) partitions.grant(partition, partition + 1);
    await until(() => seen.length === 15);
    for (const partition of [0, 1, 3]) await rig().send(numbers(5, 10), partition);
    await until(() => seen.length === 30);
    expect(seen).not.toContain(2);
    release();
    await until(() => seen.length === 35);
  });

  test('gives batches as kafkajs does, and goes on at what the handler resolved (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    const eachBatch = async ({
      batch,
      resolveOffset,
      heartbeat,
      isRunning,
      isStale,
      uncommittedOffsets,
    }: EachBatchPayload): Promise<void> => {
      for (const message of batch.messages.slice(0, 3)) {
        if (!isRunning() || isStale()) return;
        seen.push(message.offset);
        resolveOffset(message.offset);
        await heartbeat();
      }
      expect(uncommittedOffsets().topics[0]?.partitions[0]?.offset).toBe(String(seen.length));
    };
    await consumer.run({ eachBatch, eachBatchAutoResolve: false });
    partitions.grant(0, 1);
    await until(() => seen.length === 10);
    expect(seen).toEqual(numbers(0, 10).map(String));
    await until(async () => (await rig().committed()).offset === '10');
  });

  test('pauses and resumes a partition, and seeks in it (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    let resume = (): void => undefined;
    await consumer.run({
      eachMessage: ({ message, pause }) => {
        seen.push(message.offset);
        if (seen.length === 2) resume = pause();
        return Promise.resolve();
      },
    });
    partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '2');
    expect(seen).toEqual(['0', '1']);
    resume();
    await until(() => seen.length === 5);
    consumer.seek({ topic: rig().topic, partition: 0, offset: '3' });
    await until(() => seen.length === 7);
    expect(seen).toEqual(['0', '1', '2', '3', '4', '3', '4']);
  });

  test('seeks to the ends of the log, and commits neither as an offset (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 5));
    const { consumer, partitions, events } = rig().process();
    const seen: string[] = [];
    const at = { topic: rig().topic, partition: 0 };
    // Before there is an owner, for when there is one.
    consumer.seek({ ...at, offset: '-1' });
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '5');
    consumer.seek({ ...at, offset: '-2' });
    await until(() => seen.length === 5);
    await until(async () => (await rig().committed()).offset === '5');
    consumer.seek({ ...at, offset: '2' });
    consumer.seek({ ...at, offset: '-1' });
    await until(async () => {
      const { offset } = await rig().committed();
      expect(Number(offset)).toBeGreaterThanOrEqual(0);
      await rig().send(['next']);
      return seen.length > 5;
    });
    expect(seen.slice(0, 5)).toEqual(['0', '1', '2', '3', '4']);
    expect(Number(seen[5])).toBeGreaterThanOrEqual(5);
    expect(events.filter(({ type }) => type === 'relocated')).toEqual([]);
  });

  test('lets go of a partition whose message waits for the turn of another (1 owner, 2 partitions)', async () => {
    await rig().open(2);
    await rig().send([0], 0);
    await rig().send([0], 1);
    const { consumer, partitions } = rig().process();
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    const begun: number[] = [];
    await consumer.run({
      partitionsConsumedConcurrently: 1,
      eachMessage: async ({ partition }) => {
        begun.push(partition);
        await stuck;
      },
    });
    partitions.grant(0, 1);
    await until(() => begun.length === 1);
    partitions.grant(1, 2);
    await until(async () => (await rig().committed(1)).offset === '0');
    expect(await partitions.revoke(1)).toBe(`#2;${rig().topic}=0/0`);
    expect(begun).toEqual([0]);
    release();
  });

  test('reads several topics under one ownership (1 owner, 2 topics)', async () => {
    await rig().open(2);
    const refunds = `${rig().topic}.refunds`;
    await makeTopic(rig().admin, refunds, 2);
    await rig().send(numbers(0, 3), 1);
    await rig().send(numbers(0, 4), 1, refunds);
    await rig().send([99], 0, refunds);
    const { consumer, partitions } = rig().process({ topics: [rig().topic, refunds] });
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ topic, message }) => Promise.resolve(void seen.push(`${topic} ${message.offset}`)) });
    partitions.grant(1, 1);
    await until(() => seen.length === 7);
    expect(seen.filter((line) => line.startsWith(`${refunds} `))).toEqual(numbers(0, 4).map((at) => `${refunds} ${at}`));
    expect(await partitions.revoke(1)).toBe(`#1;${rig().topic}=3/3;${refunds}=4/4`);
    expect((await rig().committed(1, refunds)).offset).toBe('4');
  });

  test('refuses topics of different size (2 topics)', async () => {
    await rig().open(2);
    const refunds = `${rig().topic}.refunds`;
    await makeTopic(rig().admin, refunds, 3);
    const { consumer } = rig().process({ topics: [rig().topic, refunds] });
    await expect(consumer.run({ eachMessage: () => Promise.resolve() })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  test('stands where a consumer of kafkajs stood, and can be stopped and run again (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 3));
    const { consumer, partitions } = rig().process({ topics: undefined });
    const seen: string[] = [];
    const eachMessage = ({ message }: EachMessagePayload): Promise<void> => Promise.resolve(void seen.push(message.offset));
    await consumer.connect();
    await consumer.subscribe({ topics: [rig().topic], fromBeginning: true });
    await consumer.run({ eachMessage });
    partitions.grant(0, 1);
    await until(() => seen.length === 3);
    await consumer.disconnect();
    expect((await rig().committed()).offset).toBe('3');
    await rig().send(numbers(3, 5));
    await consumer.run({ eachMessage });
    partitions.grant(0, 2);
    await until(() => seen.length === 5);
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
  });

  test('handles no more partitions at once than it is told to (1 owner, 4 partitions)', async () => {
    await rig().open(4);
    for (const partition of numbers(0, 4)) await rig().send(numbers(0, 5), partition);
    const { consumer, partitions } = rig().process();
    let running = 0;
    let most = 0;
    let handled = 0;
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 3));
        running--;
        handled++;
      },
    });
    for (const partition of numbers(0, 4)) partitions.grant(partition, partition + 1);
    await until(() => handled === 20);
    expect(most).toBe(2);
  });

  test('refuses to run without a handler, without topics, and twice, and offsets that are none (1 owner)', async () => {
    await rig().open();
    const { consumer, partitions, events } = rig().process();
    const eachMessage = () => Promise.resolve();
    await expect(consumer.run({})).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(consumer.run({ eachMessage, eachBatch: eachMessage })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(rig().process({ topics: [] }).consumer.run({ eachMessage })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    for (const wrong of [{ autoCommitInterval: -1 }, { autoCommitThreshold: 0 }, { partitionsConsumedConcurrently: 0.5 }])
      await expect(consumer.run({ eachMessage, ...wrong })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(consumer.run({ eachMessage: 'handler' as never })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(consumer.subscribe({ topics: [/orders/ as never] })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(() => rig().process({ topics: rig().topic as never })).toThrow('topics');
    await consumer.run({ eachMessage });
    await expect(consumer.run({ eachMessage })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(consumer.commitOffsets([{ topic: rig().topic, partition: 0, offset: '1' }])).rejects.toMatchObject({ code: 'NOT_HELD' });
    for (const offset of ['-3', 'latest', '', '1.5', '9223372036854775808', 7 as never])
      expect(() => consumer.seek({ topic: rig().topic, partition: 0, offset })).toThrow('`offset`');
    partitions.grant(0, 1);
    await until(() => events.some(({ type }) => type === 'started'));
    const commit = consumer.commitOffsets([{ topic: rig().topic, partition: 0, offset: '-1' }]);
    await expect(commit).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});
