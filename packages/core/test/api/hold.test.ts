/** A held lock that cannot be had: `retry()` must leave everybody else their turns. Against an engine double. */
import { retry } from 'rxjs';
import { resultCode } from '../../src/lock/command.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import { arrange } from './arranged.ts';
import type { EngineDouble } from './engine-double.ts';
import { until } from './group.ts';

afterEach(() => jest.restoreAllMocks());

/** Subscribed with as many repeats as would be noticed, over timers that a test lets come due by hand. */
function arrangeHold(prepare: (engine: EngineDouble) => void = () => undefined) {
  const due: (() => void)[] = [];
  const world = arrange();
  prepare(world.engine);
  jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void, delayMs: number) => {
    expect(delayMs).toBe(1_000);
    due.push(onDue);
    return {};
  });
  const told: string[] = [];
  const subscription = world.quorate
    .lock('l')
    .hold$.pipe(retry(1_000))
    .subscribe({
      next: ({ token }) => told.push(`lease ${token}`),
      error: ({ code }: { code: string }) => told.push(`error ${code}`),
      complete: () => told.push('complete'),
    });
  return { ...world, due, told, subscription };
}

/** Everything that microtasks alone can bring about has come about then. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const loseMajority = (engine: EngineDouble) => (engine.status = { ...engine.status, majorityLost: { lost: ['m', 'o'], told: null } });
const closeClient = (engine: EngineDouble) => engine.events.next({ type: 'connection', status: 'closed' });

describe('hold$ with retry()', () => {
  test.each([
    ['a lost majority', loseMajority],
    ['a closed client', closeClient],
  ])('asks again once a second over %s, and lets the loop turn meanwhile', async (_what, refuse) => {
    const { due, told } = arrangeHold(refuse);
    await turn();
    expect(due).toHaveLength(1);
    due[0]?.();
    await turn();
    expect(due).toHaveLength(2);
    expect(told).toEqual([]);
  });

  test('takes the lock once the majority is back', async () => {
    const { engine, due, told } = arrangeHold(loseMajority);
    await turn();
    engine.status = { ...engine.status, majorityLost: null };
    due[0]?.();
    expect(engine.ops).toHaveLength(1);
    engine.answer([1, resultCode.granted, 7, null]);
    await turn();
    expect(told).toEqual(['lease 7']);
  });

  test('waits as long after a full queue, which the group would otherwise be asked about without end', async () => {
    const { engine, due } = arrangeHold();
    engine.answer([1, resultCode.queueFull, 0, null]);
    await turn();
    expect(engine.ops).toHaveLength(1);
    due[0]?.();
    expect(engine.ops).toHaveLength(2);
  });

  test('asks again at once after a lost session, and waits for the next', async () => {
    const { engine, due } = arrangeHold();
    engine.loseSession();
    await turn();
    engine.openSession(2);
    expect(engine.ops).toHaveLength(2);
    expect(due).toEqual([]);
  });

  test('completes when the instance closes, and at once after that', async () => {
    const { quorate, told } = arrangeHold();
    jest.restoreAllMocks();
    await quorate.close({ timeoutMs: 0 });
    await until(() => told.length === 1);
    quorate
      .lock('l')
      .hold$.pipe(retry(1_000))
      .subscribe({ error: () => told.push('error'), complete: () => told.push('complete') });
    await turn();
    expect(told).toEqual(['complete', 'complete']);
  });

  test('completes when the instance closes after the client', async () => {
    const { quorate, due, told } = arrangeHold(closeClient);
    await turn();
    jest.restoreAllMocks();
    await quorate.close({ timeoutMs: 0 });
    due[0]?.();
    expect(told).toEqual(['complete']);
  });

  test('stops its pause when it is unsubscribed', async () => {
    const { due, subscription } = arrangeHold(loseMajority);
    await turn();
    const stop = jest.spyOn(systemHost, 'stopTimer');
    subscription.unsubscribe();
    await turn();
    expect(stop).toHaveBeenCalledWith({});
    expect(due).toHaveLength(1);
  });
});
