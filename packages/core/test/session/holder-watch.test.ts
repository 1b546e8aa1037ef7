/** What a holder takes for news of what it watches: frames come late, twice, and from leaders of before. */
import { HolderWatch } from '../../src/session/holder-watch.ts';

describe('an answer to a watch', () => {
  const watching = () => {
    const watch = new HolderWatch();
    watch.replace(['o/orders']);
    return { watch, version: watch.message(1).version };
  };

  test('is news once, however often it comes', () => {
    const { watch, version } = watching();
    expect(watch.take({ type: 'watched', version, index: 1, states: ['owns 3'] })).toEqual(['owns 3']);
    expect(watch.take({ type: 'watched', version, index: 2, states: ['owns nothing'] })).toEqual(['owns nothing']);
    expect(watch.take({ type: 'watched', version, index: 1, states: ['owns 3'] })).toEqual([]);
    expect(watch.take({ type: 'watched', version, index: 2, states: ['owns nothing'] })).toEqual([]);
  });

  test('counts for nothing once the list has left again, for another leader may have answered since', () => {
    const { watch, version } = watching();
    const again = watch.message(1).version;
    expect(again).not.toBe(version);
    expect(watch.take({ type: 'watched', version, index: 1, states: ['of the old leader'] })).toEqual([]);
    expect(watch.take({ type: 'watched', version: again, index: 1, states: ['of the new one'] })).toEqual(['of the new one']);
  });

  test('is not asked for again by a keep-alive that leaves right before the list', () => {
    const { watch, version } = watching();
    expect(watch.progress()).toEqual({ watchVersion: version, watchedIndex: 0 });
    watch.repeat();
    expect(watch.progress().watchVersion).toBe(0);
  });
});
