/** How one owner follows another on a real Kafka: drained, after a crash, and when the old one does not know. */
import { isQuorateError } from '@quorate/core/adapter';
import type { OwnedMessagePayload } from '../../src/index.ts';
import { describeConsumer } from './each-driver.ts';
import { numbers, until } from './kafka-rig.ts';

describeConsumer('the hand-over of an owned partition', (rig) => {
  test('hands over drained, with nothing lost and nothing doubled (2 owners, 20 hand-overs)', async () => {
    await rig().open();
    const seen: string[] = [];
    const handle =
      (who: string) =>
      async ({ message, token }: OwnedMessagePayload) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        seen.push(`${String(message.value)} ${who} ${token}`);
      };
    const [a, b] = [rig().process(), rig().process()];
    await a.consumer.run({ eachMessage: handle('a') });
    await b.consumer.run({ eachMessage: handle('b') });
    const sending = (async () => {
      for (let at = 0; at < 400; at += 20) await rig().send(numbers(at, at + 20));
    })();
    let note: string | undefined;
    for (let token = 1; token <= 20; token++) {
      const { partitions } = token % 2 === 0 ? a : b;
      const before = seen.length;
      partitions.grant(0, token, note);
      await until(() => seen.length > before || seen.length === 400);
      note = await partitions.revoke(0);
    }
    await sending;
    a.partitions.grant(0, 21, note);
    await until(() => seen.length >= 400);
    note = await a.partitions.revoke(0);
    expect(seen.map((line) => Number(line.split(' ')[0]))).toEqual(numbers(0, 400));
    expect(note).toBe(`#21;${rig().topic}=400/400`);
  });

  test('begins at the last commit after a lease ran out: at least once (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const [a, b] = [rig().process(), rig().process()];
    const seen: { a: string[]; b: string[] } = { a: [], b: [] };
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    await a.consumer.run({
      eachMessage: async ({ message }) => {
        seen.a.push(message.offset);
        if (message.offset === '4') {
          await until(async () => (await rig().committed()).offset === '4');
          await stuck;
        }
      },
      autoCommitThreshold: 1,
    });
    await b.consumer.run({
      eachMessage: ({ message }) => {
        seen.b.push(message.offset);
        return Promise.resolve();
      },
    });
    a.partitions.grant(0, 1);
    await until(() => seen.a.includes('4'));
    await until(async () => (await rig().committed()).offset === '4');
    const lost = a.partitions.lose(0);
    b.partitions.grant(0, 2);
    await until(() => seen.b.length === 6);
    release();
    await lost;
    expect(seen.b).toEqual(['4', '5', '6', '7', '8', '9']);
    // The message that was under way is handled twice, and nothing after it by the old owner.
    expect(seen.a.at(-1)).toBe('4');
    await until(async () => (await rig().committed()).metadata === 'quorate:2 of:1');
  });

  test('commits nothing once a later owner has: STALE_OWNER (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const [a, b] = [rig().process(), rig().process()];
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    let isAt4 = false;
    await a.consumer.run({
      eachMessage: async ({ message }) => {
        if (message.offset !== '4') return;
        isAt4 = true;
        await stuck;
      },
    });
    await b.consumer.run({ eachMessage: () => Promise.resolve() });
    a.partitions.grant(0, 1);
    await until(() => isAt4);
    // Both believe that they own it: what a pause longer than the clocks allow would bring about.
    b.partitions.grant(0, 2);
    await until(async () => (await rig().committed()).offset === '10');
    release();
    await until(() => a.partitions.failures.length > 0);
    expect(a.partitions.failures.every((error) => isQuorateError(error, 'STALE_OWNER'))).toBe(true);
    expect(await rig().committed()).toEqual({ offset: '10', metadata: 'quorate:2 of:1' });
  });

  test('sends no commit under a lease that may end before it arrives, and says so in the note (1 owner)', async () => {
    await rig().open();
    await rig().send([0, 1]);
    const { consumer, partitions, events } = rig().process();
    await consumer.run({
      eachMessage: async ({ message }) => {
        await until(async () => (await rig().committed()).offset === message.offset);
        if (message.offset === '1') partitions.shorten(0, 1);
      },
      autoCommitThreshold: 1,
    });
    partitions.grant(0, 1);
    await until(() => events.some(({ type }) => type === 'commitFailed'));
    expect(events.find(({ type }) => type === 'commitFailed')).toMatchObject({ error: { code: 'LEASE_LOST' } });
    expect(await partitions.revoke(0)).toBe(`#1;${rig().topic}=2/1`);
    expect((await rig().committed()).offset).toBe('1');
  });

  test('makes a commit that a lease had too little left for once it has more (1 owner)', async () => {
    await rig().open();
    await rig().send([0]);
    const { consumer, partitions, events } = rig().process();
    await consumer.run({
      eachMessage: async () => {
        await until(async () => (await rig().committed()).offset === '0');
        partitions.shorten(0, 1);
      },
    });
    partitions.grant(0, 1);
    await until(() => events.some(({ type }) => type === 'commitFailed'));
    partitions.shorten(0, 60_000);
    await until(async () => (await rig().committed()).offset === '1');
  });

  test('leaves its partition when told to, after the running handler alone (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    let revoking: Promise<string | undefined> | undefined;
    await consumer.run({
      eachMessage: async ({ message, signal }) => {
        if (message.offset === '3') {
          revoking = partitions.revoke(0);
          expect(signal.aborted).toBe(true);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(message.offset);
      },
    });
    partitions.grant(0, 1);
    await until(() => revoking !== undefined);
    expect(await revoking).toBe(`#1;${rig().topic}=4/4`);
    expect(seen).toEqual(['0', '1', '2', '3']);
    expect((await rig().committed()).offset).toBe('4');
  });

  test('begins at the note where that is further than the commit (1 owner)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    partitions.grant(0, 2, `#1;${rig().topic}=6`);
    await until(() => seen.length === 4);
    expect(seen).toEqual(['6', '7', '8', '9']);
  });

  test('goes on where its last owner had sought back to, though that one crashed (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const [a, b] = [rig().process(), rig().process()];
    const seen: string[] = [];
    for (const { consumer } of [a, b]) {
      await consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ message, signal }) => {
          seen.push(message.offset);
          // Once it was sought back, it gets no further than that.
          if (seen.length === 12 && !signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      });
    }
    a.partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '10');
    const note = await a.partitions.revoke(0);
    a.partitions.grant(0, 2, note);
    await until(() => a.events.filter(({ type }) => type === 'started').length === 2);
    a.consumer.seek({ topic: rig().topic, partition: 0, offset: '3' });
    await until(async () => seen.length === 12 && (await rig().committed()).offset === '4');
    await a.partitions.lose(0);
    b.partitions.grant(0, 3, note);
    await until(() => seen.length === 18);
    expect(seen.slice(10)).toEqual(['3', '4', '4', '5', '6', '7', '8', '9']);
  });

  test('leaves commits to a user who wants them, and hands over what was committed (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 6));
    const { consumer, partitions } = rig().process();
    const seen: string[] = [];
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        seen.push(message.offset);
        if (message.offset === '3') await consumer.commitOffsets([{ topic, partition, offset: '4', metadata: 'mine' }]);
      },
    });
    partitions.grant(0, 1);
    await until(() => seen.length === 6);
    const note = await partitions.revoke(0);
    expect(await rig().committed()).toEqual({ offset: '4', metadata: 'quorate:1 of:1 mine' });
    partitions.grant(0, 2, note);
    await until(() => seen.length === 8);
    expect(seen.slice(6)).toEqual(['4', '5']);
  });

  test('fences the commits of earlier owners by a transactional producer (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 10));
    const [a, b] = [rig().process({ commit: 'fenced' }), rig().process({ commit: 'fenced' })];
    let releaseA = (): void => undefined;
    let releaseB = (): void => undefined;
    const stuckA = new Promise<void>((resolve) => (releaseA = resolve));
    const stuckB = new Promise<void>((resolve) => (releaseB = resolve));
    await a.consumer.run({ eachMessage: ({ message }) => (message.offset === '4' ? stuckA : Promise.resolve()), autoCommitThreshold: 1 });
    await b.consumer.run({ eachMessage: ({ message }) => (message.offset === '4' ? stuckB : Promise.resolve()) });
    a.partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '4');
    expect((await rig().committed()).metadata).toBe('quorate:1 of:1');
    const [topic, partition] = [rig().topic, 0];
    // The later owner has fenced by the time it begins, and has put its token there.
    b.partitions.grant(0, 2);
    await until(() => b.events.some(({ type }) => type === 'started'));
    releaseA();
    await until(() => a.events.some((event) => event.type === 'commitFailed' && isQuorateError(event.error, 'STALE_OWNER')));
    expect(await rig().committed()).toEqual({ offset: '4', metadata: 'quorate:2 of:1' });
    await a.partitions.lose(0);
    releaseB();
    await until(async () => (await rig().committed()).offset === '10');
    // And where an owner does not look first, the broker refuses it.
    const driver = rig().driver();
    await driver.connect();
    await driver.leaders([topic]);
    const offsets = [{ topic, partition, offset: 5n, metadata: 'quorate:1' }];
    const [producer] = [await driver.fence(rig().groupId), await driver.fence(rig().groupId)];
    const late = driver.commitFenced({ producer, groupId: rig().groupId, offsets });
    await expect(late).rejects.toMatchObject({ kind: 'fenced' });
    await driver.close();
    expect(await rig().committed()).toEqual({ offset: '10', metadata: 'quorate:2 of:1' });
  });

  test('hands over fenced, with nothing lost and nothing doubled (2 owners, 6 hand-overs)', async () => {
    await rig().open();
    await rig().send(numbers(0, 60));
    const seen: string[] = [];
    const processes = [rig().process({ commit: 'fenced' }), rig().process({ commit: 'fenced' })];
    for (const { consumer } of processes) {
      await consumer.run({
        eachMessage: async ({ message }) => {
          await new Promise((resolve) => setTimeout(resolve, 2));
          seen.push(message.offset);
        },
      });
    }
    // Without a note: what is committed must do.
    for (let token = 1; token <= 6 || seen.length < 60; token++) {
      const before = seen.length;
      processes[token % 2]?.partitions.grant(0, token);
      await until(() => seen.length > before || seen.length >= 60);
      await processes[token % 2]?.partitions.revoke(0);
    }
    expect(seen).toEqual(numbers(0, 60).map(String));
  });

  test('begins after the last message by default, and leaves that place to whoever comes after a crash (2 owners)', async () => {
    await rig().open();
    await rig().send(numbers(0, 3));
    const [a, b] = [rig().process({ fromBeginning: false }), rig().process({ fromBeginning: false })];
    const seen: string[] = [];
    for (const { consumer } of [a, b]) {
      await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) });
    }
    a.partitions.grant(0, 1);
    await until(async () => (await rig().committed()).offset === '3');
    await a.partitions.lose(0);
    await rig().send(numbers(3, 5));
    b.partitions.grant(0, 2);
    await until(() => seen.length === 2);
    expect(seen).toEqual(['3', '4']);
  });
});
