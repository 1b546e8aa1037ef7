/** For how long the group is asked for what somebody looked at once. Against an engine double. */
import { defer, retry } from 'rxjs';
import type { Observable } from 'rxjs';
import { QuorateError } from '../../src/errors.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { arrange } from './arranged.ts';

afterEach(() => jest.restoreAllMocks());

/** The clock and the timers of the host, moved by hand. */
function arrangeWatching() {
  let nowMs = 1_000;
  const due = new Map<object, { readonly atMs: number; readonly onDue: () => void }>();
  jest.spyOn(systemHost, 'monotonicMs').mockImplementation(() => nowMs);
  jest.spyOn(systemHost, 'startIdleTimer').mockImplementation((onDue, delayMs) => {
    const timer = {};
    due.set(timer, { atMs: nowMs + delayMs, onDue });
    return timer;
  });
  jest.spyOn(systemHost, 'stopTimer').mockImplementation((timer) => void (timer && due.delete(timer)));
  const pass = (ms: number) => {
    nowMs += ms;
    for (const [timer, { atMs, onDue }] of due) {
      if (atMs > nowMs) continue;
      due.delete(timer);
      onDue();
    }
  };
  const { engine, quorate } = arrange();
  const lock = quorate.lock('l');
  const partitions = quorate.partitions('orders', { count: 1 });
  const watched = () => [...engine.watchers.keys()];
  return { pass, watched, lock, partitions };
}

type World = ReturnType<typeof arrangeWatching>;

describe.each<[string, (world: World) => unknown, (world: World) => Observable<unknown>]>([
  ['lock.state', ({ lock }: World) => lock.state, ({ lock }: World) => lock.state$],
  ['partitions.ownership', ({ partitions }: World) => partitions.ownership, ({ partitions }: World) => partitions.ownership$],
])('what %s asks for', (_what, look, states$) => {
  test('stays known for a minute after the last look, though a subscription came and went meanwhile', () => {
    const world = arrangeWatching();
    look(world);
    world.pass(20_000);
    const subscription = states$(world).subscribe();
    world.pass(20_000);
    subscription.unsubscribe();
    world.pass(19_999);
    expect(world.watched()).toHaveLength(1);
    world.pass(1);
    expect(world.watched()).toEqual([]);
  });

  test('stays known for a minute after a look beside a subscription', () => {
    const world = arrangeWatching();
    const subscription = states$(world).subscribe();
    look(world);
    subscription.unsubscribe();
    world.pass(30_000);
    look(world);
    world.pass(59_999);
    expect(world.watched()).toHaveLength(1);
    world.pass(1);
    expect(world.watched()).toEqual([]);
  });

  test('is asked for as long as there is a subscription, however long ago the last look was, and no longer', () => {
    const world = arrangeWatching();
    look(world);
    const subscription = states$(world).subscribe();
    world.pass(60_000);
    expect(world.watched()).toHaveLength(1);
    subscription.unsubscribe();
    expect(world.watched()).toEqual([]);
  });
});

describe('one resource more than this process may watch', () => {
  const refusal = new QuorateError('LIMIT_REACHED', 'So many are watched.');

  function arrangeFull() {
    const { engine, quorate } = arrange();
    const asking = jest.spyOn(engine, 'watch').mockImplementation(() => {
      throw refusal;
    });
    const due: (() => void)[] = [];
    jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void) => ({ place: due.push(onDue) }));
    return { engine, quorate, asking, due };
  }

  test.each([
    ['state$', (quorate: Quorate) => quorate.lock('l').state$],
    ['ownership$', (quorate: Quorate) => quorate.partitions('p', { count: 3 }).ownership$],
  ])('is an error of `%s` once a second, so that retry() lets the loop turn meanwhile', (_name, streamOf) => {
    const { quorate, asking, due } = arrangeFull();
    let subscribed = 0;
    const errors: unknown[] = [];
    const stream$ = defer(() => ((subscribed += 1), streamOf(quorate) as Observable<unknown>));
    stream$.pipe(retry(3)).subscribe({ error: (error) => errors.push(error) });
    for (let asked = 1; asked <= 4; asked += 1) {
      expect([subscribed, asking.mock.calls.length, due.length, errors]).toEqual([asked, asked, asked, []]);
      due.at(-1)?.();
    }
    expect(errors).toEqual([refusal]);
  });

  test('completes `state$` where the instance closes meanwhile', async () => {
    const { quorate, due } = arrangeFull();
    const ends: unknown[] = [];
    quorate.lock('l').state$.subscribe({ error: (error) => ends.push(error), complete: () => ends.push('complete') });
    const [end] = due.splice(0);
    jest.mocked(systemHost.startTimer).mockRestore();
    await quorate.close();
    end?.();
    expect(ends).toEqual(['complete']);
  });

  test('leaves it unknown who owns a partition that `whileOwned` finds is not here', async () => {
    const { quorate } = arrangeFull();
    const refused = quorate.partitions('p', { count: 3 }).whileOwned('k', () => 1);
    await expect(refused).rejects.toMatchObject({ code: 'NOT_OWNER', details: { owner: undefined } });
  });

  test('is thrown by `lock.state` and `election()`, and found again by the next call', () => {
    const { quorate, asking } = arrangeFull();
    for (let call = 1; call <= 2; call += 1) {
      expect(() => quorate.lock('l').state).toThrow(refusal);
      expect(() => quorate.election('e')).toThrow(refusal);
      expect(asking).toHaveBeenCalledTimes(2 * call);
    }
  });
});
