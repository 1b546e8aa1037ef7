/** What is paused and sought, whose turn it is, and which message is at fault: the bookkeeping of a consumer, without a broker. */
import { Poison } from '../../src/consumer/poison.ts';
import { Subscription } from '../../src/consumer/subscription.ts';
import { Turns } from '../../src/consumer/turns.ts';

const at = (partition: number, topic = 'orders') => ({ topic, partition });

describe('a subscription', () => {
  test('pauses a topic but for what is resumed of it, and resumes it but for what is paused', () => {
    const subscription = new Subscription();
    const paused = () => [0, 1, 2].map((partition) => subscription.isPaused(at(partition)));
    subscription.pause([{ topic: 'orders' }]);
    subscription.resume([{ topic: 'orders', partitions: [1] }]);
    expect(paused()).toEqual([true, false, true]);
    subscription.resume([{ topic: 'orders' }]);
    expect(paused()).toEqual([false, false, false]);
    subscription.pause([{ topic: 'orders', partitions: [2, 2] }]);
    expect(paused()).toEqual([false, false, true]);
    expect(subscription.isPaused(at(2, 'refunds'))).toBe(false);
  });

  test('keeps a seek until it is forgotten, and then a newer one still', () => {
    const subscription = new Subscription();
    subscription.seek(at(3), 7n);
    expect([subscription.soughtAt(at(2)), subscription.soughtAt(at(3)), subscription.soughtAt(at(3))]).toEqual([undefined, 7n, 7n]);
    subscription.seek(at(3), 9n);
    subscription.forgetSeek(at(3), 7n);
    expect(subscription.soughtAt(at(3))).toBe(9n);
    subscription.forgetSeek(at(3), 9n);
    expect(subscription.soughtAt(at(3))).toBeUndefined();
  });
});

describe('turns', () => {
  test('are taken in the order in which they were asked for, and go on after a failure (2 at once)', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const ask = (index: number) =>
      turns.take(async () => {
        begun.push(index);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (index === 0) throw new Error('failed');
        return true;
      }, new AbortController().signal);
    const asked = [0, 1, 2, 3].map((index) => ask(index).catch(() => undefined));
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[0]?.();
    await asked[0];
    expect(begun).toEqual([0, 1, 2]);
    for (let index = 1; index < 4; index++) {
      ends[index]?.();
      await asked[index];
    }
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test('are not waited for by who is to leave, and pass it by (1 at once)', async () => {
    const turns = new Turns(1);
    const leaving = new AbortController();
    const staying = new AbortController().signal;
    let end = (): void => undefined;
    const first = turns.take(() => new Promise((resolve) => (end = () => resolve(true))), staying);
    const second = turns.take(() => Promise.reject(new Error('it was begun')), leaving.signal);
    const third = turns.take(() => Promise.resolve(true), staying);
    leaving.abort();
    expect(await second).toBe(false);
    end();
    expect([await first, await third]).toEqual([true, true]);
    expect(await turns.take(() => Promise.resolve(true), leaving.signal)).toBe(false);
    expect(await turns.take(() => Promise.resolve(true), staying)).toBe(true);
  });
});

describe('poison', () => {
  test('counts failures at one offset, and forgets them when it is passed', () => {
    const poison = new Poison();
    expect(poison.failed(at(0), { offset: 5n, until: 6n })).toBe(1);
    expect(poison.failed(at(0), { offset: 5n, until: 6n })).toBe(2);
    expect(poison.failed(at(1), { offset: 5n, until: 6n })).toBe(1);
    poison.passed(at(0), 6n);
    expect(poison.failed(at(0), { offset: 5n, until: 6n })).toBe(1);
  });

  test('hands a failed batch out message by message, to its end and no further', () => {
    const poison = new Poison();
    poison.failed(at(0), { offset: 10n, until: 20n });
    // The one at fault is found on the way.
    poison.failed(at(0), { offset: 15n, until: 16n });
    poison.passed(at(0), 16n);
    expect([16n, 19n, 20n].map((offset) => poison.areSingles(at(0), offset))).toEqual([true, true, false]);
    poison.passed(at(0), 20n);
    expect(poison.areSingles(at(0), 16n)).toBe(false);
  });
});
