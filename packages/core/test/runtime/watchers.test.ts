/** Who watches what in a process: what is asked of the group is what changed, up to a bound. */
import { Watchers } from '../../src/runtime/watchers.ts';
import { watchedMax } from '../../src/session/message.ts';

const nothing = (): void => undefined;

test('only what began and ended since is asked for, and anew what did both', () => {
  const watchers = new Watchers(nothing);
  const stop = watchers.add('l/a', nothing);
  watchers.add('l/b', nothing);
  expect(watchers.takeChanged()).toEqual({ added: ['l/a', 'l/b'], removed: [] });
  expect(watchers.takeChanged()).toBeNull();
  stop();
  watchers.add('l/c', nothing)();
  expect(watchers.takeChanged()).toEqual({ added: [], removed: ['l/a', 'l/c'] });
  const again = watchers.add('l/a', nothing);
  watchers.takeChanged();
  again();
  watchers.add('l/a', nothing);
  expect(watchers.takeChanged()).toEqual({ added: ['l/a'], removed: ['l/a'] });
});

test('one more than a process may watch is refused, until another ends (65,536 resources)', () => {
  const watchers = new Watchers(nothing);
  const stops = Array.from({ length: watchedMax }, (_, index) => watchers.add(`l/${index}`, nothing));
  const limit: unknown = expect.objectContaining({
    code: 'LIMIT_REACHED',
    message: expect.stringContaining('This process watches 65536 resources already; one may watch no more. A limit of this process, '),
    details: { limit: 'watched resources' },
  });
  expect(() => watchers.add('l/more', nothing)).toThrow(limit as Error);
  watchers.add('l/7', nothing);
  stops[0]?.();
  expect(() => watchers.add('l/more', nothing)).not.toThrow();
});
