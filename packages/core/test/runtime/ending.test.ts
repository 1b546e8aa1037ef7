/** The end of a member: in which order it lets go of what it stands on, and what is told of that. By a clock that the test moves. */
import type { CloseFailure, Held } from '../../src/runtime/ending.ts';
import { leavingMsMin, letGo } from '../../src/runtime/ending.ts';
import type { TimerHandle } from '../../src/time/host.ts';

interface Step {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function step(): Step {
  let [resolve, reject] = [(): void => undefined, (_error: Error): void => undefined];
  const promise = new Promise<void>((onDone, onFailure) => ([resolve, reject] = [onDone, onFailure]));
  return { promise, resolve: () => resolve(), reject: (error) => reject(error) };
}

function arrange(timeoutMs: number) {
  const timers = new Map<object, { readonly due: () => void; readonly delayMs: number }>();
  const host = {
    startTimer: (onDue: (argument: never) => void, delayMs: number): TimerHandle => {
      const timer = {};
      timers.set(timer, { due: onDue as () => void, delayMs });
      return timer;
    },
    stopTimer: (timer: TimerHandle | undefined) => void (timer && timers.delete(timer)),
  };
  const [transport, succession, storage] = [step(), step(), step()];
  const asked: string[] = [];
  const ask = (what: string, it: Promise<void>) => (): Promise<void> => {
    asked.push(what);
    return it;
  };
  const held: Held = {
    channel: { close: ask('transport', transport.promise) },
    arbiter: { close: ask('arbiter', Promise.resolve()) },
    written: ask('succession', succession.promise),
    storage: { close: ask('storage', storage.promise) },
  };
  const told: string[] = [];
  const tell = ({ what, error }: CloseFailure): void => void told.push(`${what} ${error.code}`);
  const state = { isHeard: true, isOver: false };
  const end = letGo(host, held, timeoutMs, { tell, isHeard: () => state.isHeard }).then(() => (state.isOver = true));
  /** All timers come due; true where there were any. */
  const pass = (): number[] => {
    const due = [...timers.values()];
    timers.clear();
    for (const timer of due) timer.due();
    return due.map(({ delayMs }) => delayMs);
  };
  return { transport, succession, storage, asked, told, state, end, pass, timers };
}

/** All that is due without a timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('letting go', () => {
  afterEach(() => jest.restoreAllMocks());

  it('leaves the transport first, and closes the storage once the next incarnation is written', async () => {
    const it = arrange(10_000);
    await settle();
    expect(it.asked).toEqual(['transport', 'arbiter']);
    it.transport.resolve();
    await settle();
    expect(it.asked).toEqual(['transport', 'arbiter', 'succession']);
    it.succession.resolve();
    await settle();
    expect(it.asked).toEqual(['transport', 'arbiter', 'succession', 'storage']);
    expect(it.state.isOver).toBe(false);
    it.storage.resolve();
    await it.end;
    expect(it.told).toEqual([]);
    expect(it.timers.size).toBe(0);
  });

  it('keeps some of its time for the storage, and says what is late', async () => {
    const it = arrange(10_000);
    await settle();
    const first = Math.max(...it.pass());
    await settle();
    expect(it.asked.at(-1)).toBe('succession');
    it.succession.resolve();
    await settle();
    const [second = NaN] = it.pass();
    await it.end;
    expect(first).toBeLessThan(10_000);
    expect(first + second).toBeCloseTo(10_000);
    expect(it.told).toEqual(['transport TRANSPORT_FAILED', 'storage STORAGE_FAILED']);
  });

  it('does not close a storage that is still written to, and says so', async () => {
    const it = arrange(10_000);
    it.transport.resolve();
    await settle();
    it.pass();
    await it.end;
    expect(it.told).toEqual(['storage STORAGE_FAILED']);
    expect(it.asked).not.toContain('storage');
    it.succession.resolve();
    await settle();
    expect(it.asked).toContain('storage');
  });

  it('has a moment though no time is left, and waits without a timer where it may for ever', async () => {
    const hurried = arrange(0);
    await settle();
    const first = Math.max(...hurried.pass());
    await settle();
    const [second = NaN] = hurried.pass();
    expect(first + second).toBeCloseTo(leavingMsMin);
    const patient = arrange(Infinity);
    await settle();
    expect(patient.timers.size).toBe(0);
  });

  it('warns of what fails only once nobody listens any more', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const it = arrange(10_000);
    it.succession.resolve();
    it.storage.resolve();
    await settle();
    it.pass();
    await it.end;
    it.state.isHeard = false;
    it.transport.reject(new Error('gone'));
    await settle();
    expect(it.told).toEqual(['transport TRANSPORT_FAILED']);
    expect(warning.mock.calls).toEqual([['Quorate could not leave its transport: Error: gone']]);
  });
});
