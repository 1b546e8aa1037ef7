/** Figures of progress, read from a history whose answers are known. */
import { progressOf, spreadOf } from '../figures.ts';
import type { HistoryLine } from '../history.ts';
import type { Strike } from '../nemesis.ts';

const timing = { electionTimeoutMs: 250 };

function line(of: Partial<HistoryLine>): HistoryLine {
  const blank = {
    process: 'v1',
    group: 'g',
    op: 'acquire',
    key: 'x',
    token: null,
    value: null,
    call: 0,
    return: null,
    ok: null,
    error: null,
  } as const;
  return { ...blank, ...of };
}

const ms = (value: number): number => value * 1e6;

function strike(of: Partial<Strike>): Strike {
  return { type: 'kill', forMs: 1_000, atNs: ms(100), process: 'v1', wasLeader: true, ...of };
}

function grant(process: string, token: number, [call, returned]: readonly [number, number], key = 'x'): HistoryLine {
  return line({ process, token, key, call: ms(call), return: ms(returned), ok: true });
}

describe('the figures of an episode', () => {
  test('count a take-over from the death of the leader to the first grant that was asked for after it (3 processes)', () => {
    const history = [grant('v2', 5, [90, 101]), grant('v1', 6, [101, 102]), grant('v2', 7, [103, 450]), grant('v3', 8, [102, 470])];
    expect(progressOf(history, [strike({})], timing).takeoverMs).toEqual([350]);
  });

  test('count no take-over where the leader was neither dead nor stopped for long (2 processes)', () => {
    const history = [grant('v2', 7, [103, 450])];
    const others = [strike({ wasLeader: false }), strike({ type: 'cut' }), strike({ type: 'pause', forMs: 499 })];
    expect(progressOf(history, others, timing).takeoverMs).toEqual([]);
    expect(progressOf(history, [strike({ type: 'pause', forMs: 500 })], timing).takeoverMs).toEqual([350]);
  });

  test('count a take-over apart where something else was wrong at the same time (3 processes)', () => {
    const history = [grant('v2', 7, [103, 450])];
    const stopped = strike({ type: 'pause', process: 'v3', wasLeader: false, atNs: ms(50), forMs: 300 });
    expect(progressOf(history, [stopped, strike({})], timing)).toMatchObject({ takeoverMs: [], hamperedTakeoverMs: [350] });
    const long = strike({ type: 'drop', process: 'v3', wasLeader: false, atNs: ms(-2_000), forMs: 100 });
    const ofClient = { ...stopped, process: 'c1' };
    expect(progressOf(history, [long, ofClient, strike({})], timing)).toMatchObject({ takeoverMs: [350], hamperedTakeoverMs: [] });
  });

  test('count a hand-over from the death of a holder to the next grant of its lock (2 processes, 2 locks)', () => {
    const released = line({ op: 'release', token: 4, key: 'y', call: ms(80), return: ms(81), ok: true });
    const held = [grant('v1', 4, [10, 20], 'y'), grant('v1', 5, [30, 40], 'x'), released];
    const next = [grant('v2', 6, [50, 900], 'x'), grant('v2', 7, [50, 120], 'y')];
    expect(progressOf([...held, ...next], [strike({})], timing).handOverMs).toEqual([800]);
  });

  test('count the time without a leader from the end of one term to the next, at most as long as it was valid (2 processes)', () => {
    const lead = (process: string, token: number, at: number, validUntil: number): HistoryLine =>
      line({ process, op: 'lead', key: 'e', token, call: ms(at), return: ms(at), ok: true, validUntil: ms(validUntil) });
    const history = [
      lead('v1', 5, 10, 1_000),
      line({ op: 'unlead', key: 'e', token: 5, call: ms(50), return: ms(60), ok: true }),
      lead('v2', 6, 70, 200),
      { ...lead('v2', 6, 100, 300), renewal: true as const },
      lead('v1', 7, 350, 1_000),
    ];
    expect(progressOf(history, [], timing).withoutLeaderMs).toEqual([20, 50]);
  });

  test('are null where nothing happened', () => {
    expect(spreadOf([])).toEqual({ count: 0, p50: null, p99: null, max: null });
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, p50: 2, p99: 3, max: 3 });
  });
});
