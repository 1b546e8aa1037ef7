/** What a holder takes for news of what it watches, and what it says of it: frames come late, twice, and from leaders of before. */
import { HolderWatch } from '../../src/session/holder-watch.ts';
import type { Watch, Watched } from '../../src/session/message.ts';
import { watchedMax } from '../../src/session/message.ts';

/** States are named after their resource: `o/orders owns 3`. */
const watchOf = (added: readonly string[]) => {
  const watch = new HolderWatch<string>({ partBytesMax: () => 100, resourceOf: (state) => state.split(' ')[0]! });
  watch.begin();
  watch.change({ added, removed: [] }, 1);
  const version = watch.whole(1)[0]!.version;
  watch.beat(1);
  const told = (index: number, state: string, more: Partial<Watched<string>> = {}): readonly string[] =>
    watch.take({ type: 'watched', version, part: 1, since: index - 1, index, states: [`o/orders ${state}`], ...more });
  const change = (now: readonly string[], gone: readonly string[] = []): readonly Watch[] => watch.change({ added: now, removed: gone }, 1);
  return { watch, version, told, change };
};

describe('an answer to a watch', () => {
  const watching = () => watchOf(['o/orders']);

  test('is news once, however often it comes', () => {
    const { told } = watching();
    expect(told(1, 'owns 3')).toEqual(['o/orders owns 3']);
    expect(told(2, 'owns nothing')).toEqual(['o/orders owns nothing']);
    expect(told(1, 'owns 3')).toEqual([]);
    expect(told(2, 'owns nothing')).toEqual([]);
  });

  test('counts for nothing once the list has left again, for another leader may have answered since', () => {
    const { watch, version, told } = watching();
    const again = watch.whole(1)[0]!.version;
    expect(again).not.toBe(version);
    expect(told(1, 'of the old leader')).toEqual([]);
    expect(told(1, 'of the new one', { version: again })).toEqual(['o/orders of the new one']);
  });

  test('is not asked for again by a keep-alive that leaves right before the list', () => {
    const { watch, version } = watching();
    expect(watch.beat(2)).toEqual({ watchVersion: version, watchedIndex: 0, watchHeard: 0 });
    watch.repeat();
    expect(watch.beat(3).watchVersion).toBe(0);
    expect(watch.answered(3, { version: 0, part: 0 }, 1)).toEqual([]);
  });

  test('is not asked for again by the answer to a keep-alive that left before the list, though a later one has left since', () => {
    const { watch, told } = watching();
    watch.repeat();
    watch.beat(2);
    const [list] = watch.whole(1);
    watch.beat(3);
    expect(watch.answered(2, { version: 0, part: 0 }, 1)).toEqual([]);
    expect(told(1, 'owns 3', { version: list!.version })).toEqual(['o/orders owns 3']);
    expect(watch.answered(3, { version: 0, part: 0 }, 1)).toMatchObject([{ since: 0, part: 1, added: ['o/orders'] }]);
  });

  test('is acknowledged by the newest keep-alive whose answer came, of this list alone', () => {
    const { watch, version } = watching();
    expect(watch.beat(2).watchHeard).toBe(0);
    watch.answered(2, { version, part: 1 }, 1);
    expect(watch.beat(3).watchHeard).toBe(2);
    watch.whole(1);
    expect(watch.beat(4).watchHeard).toBe(0);
    watch.answered(3, { version, part: 1 }, 1);
    expect(watch.beat(5).watchHeard).toBe(0);
  });

  test('is not taken behind a gap, and closes one that it follows upon', () => {
    const { told, watch } = watching();
    expect(told(1, 'owns 3')).toEqual(['o/orders owns 3']);
    expect(told(3, 'owns 5')).toEqual([]);
    expect(watch.beat(2).watchedIndex).toBe(1);
    expect(told(4, 'owns 6', { since: 1 })).toEqual(['o/orders owns 6']);
    expect(told(3, 'owns 5')).toEqual([]);
    expect(watch.beat(3).watchedIndex).toBe(4);
  });

  test('of before the question is no answer to whoever asks anew', () => {
    const { told, change } = watching();
    change([], ['o/orders']);
    change(['o/orders']);
    expect(told(1, 'owned 3 before')).toEqual([]);
    expect(told(2, 'owns 4', { part: 3 })).toEqual(['o/orders owns 4']);
  });
});

describe('a watch list', () => {
  test('says what changed, not what there is', () => {
    const { change, version } = watchOf(['l/a', 'l/b']);
    const part = { type: 'watch', session: 1, version };
    expect(change(['l/c'])).toEqual([{ ...part, since: 1, part: 2, added: ['l/c'], removed: [] }]);
    expect(change([], ['l/a'])).toEqual([{ ...part, since: 2, part: 3, added: [], removed: ['l/a'] }]);
  });

  test('is cut to what a message holds, each part upon the one before', () => {
    const { watch } = watchOf(Array.from({ length: 7 }, (_, index) => `l/${index}${'n'.repeat(12)}`));
    const parts = watch.whole(1);
    expect(parts.map(({ since, part, added }) => [since, part, added.length])).toEqual([
      [0, 1, 2],
      [1, 2, 2],
      [2, 3, 2],
      [3, 4, 1],
    ]);
  });

  test('says again what a leader lacks of what it had been told before the keep-alive, and all to one that has nothing of it', () => {
    const { watch, version, change } = watchOf(['l/a']);
    change(['l/b']);
    change([], ['l/a']);
    watch.beat(2);
    change(['l/c']);
    watch.beat(3);
    expect(watch.answered(2, { version, part: 1 }, 1)).toMatchObject([{ since: 1, part: 5, added: ['l/b', 'l/c'], removed: ['l/a'] }]);
    // The third left before that was said again.
    expect(watch.answered(3, { version, part: 1 }, 1)).toEqual([]);
    watch.beat(4);
    expect(watch.answered(4, { version, part: 5 }, 1)).toEqual([]);
    watch.beat(5);
    expect(watch.answered(5, { version: version - 1, part: 9 }, 1)).toMatchObject([
      { since: 0, part: 1, added: ['l/b', 'l/c'], removed: [] },
    ]);
  });

  test('says again first what is watched no more, for the leader has room for no more than may be watched', () => {
    const { watch, version, change } = watchOf(['l/a']);
    change(['l/b'], ['l/a']);
    change([`l/${'c'.repeat(22)}`], ['l/b']);
    watch.beat(2);
    expect(watch.answered(2, { version, part: 1 }, 1).map(({ added, removed }) => [removed.length, added.length])).toEqual([
      [2, 0],
      [0, 1],
    ]);
  });

  test('leaves whole with the next session, and is not said without one', () => {
    const { watch } = watchOf(['l/a']);
    expect(watch.change({ added: ['l/b'], removed: ['l/a'] }, null)).toEqual([]);
    expect(watch.snapshot().removed).toEqual([]);
    watch.begin();
    expect(watch.isUnsent).toBe(true);
    expect(watch.whole(2)).toMatchObject([{ session: 2, since: 0, part: 1, added: ['l/b'], removed: [] }]);
  });

  test('begins anew where more was removed than a silent leader need hear of one by one', () => {
    const { change, version, watch } = watchOf(['l/kept']);
    const names = Array.from({ length: watchedMax / 2 }, (_, index) => `l/${index}`);
    for (const gone of [names, names.map((name) => `${name}b`), ['l/one-more']]) {
      change(gone);
      change([], gone);
    }
    expect(watch.snapshot().removed).toEqual([]);
    expect(watch.snapshot()).toMatchObject({ version: version + 1, part: 1, resources: [['l/kept', 1]] });
  });

  test('that became empty is said to a leader that may know it, and then no more', () => {
    const { watch, change } = watchOf(['l/a']);
    change([], ['l/a']);
    watch.repeat();
    expect(watch.whole(1)).toMatchObject([{ since: 0, part: 1, added: [], removed: [] }]);
    watch.begin();
    expect(watch.isUnsent).toBe(false);
  });
});
