/** What counts as an overlap, a loss, a double and a break of order, each by a run that has it and by one that does not. */
import { accountOf, longestGap, movesOf, overlapsOf } from '../judge.ts';
import type { Accepted } from '../judge.ts';
import type { Tenure } from '../tenure-log.ts';

const ms = 1e6;

function tenure(process: string, fromMs: number, untilMs: number, partition = 0): Tenure {
  return { process, partition, token: fromMs + 1, fromNs: fromMs * ms, untilNs: untilMs * ms };
}

test('finds two processes that believed to own one partition at one moment (2 workers)', () => {
  const overlaps = overlapsOf([tenure('b', 90, 200), tenure('a', 0, 100)]);
  expect(overlaps).toEqual([expect.objectContaining({ partition: 0, forMs: 10 })]);
});

test('finds an overlap behind a short tenure in between (3 workers)', () => {
  const overlaps = overlapsOf([tenure('a', 0, 300), tenure('b', 100, 110), tenure('c', 200, 400)]);
  expect(overlaps.map(({ first, second }) => `${first.process}${second.process}`)).toEqual(['ab', 'ac']);
});

test('takes no overlap from tenures that touch, from one process, or from two partitions (2 workers)', () => {
  expect(overlapsOf([tenure('a', 0, 100), tenure('b', 100, 200)])).toEqual([]);
  expect(overlapsOf([tenure('a', 0, 100), tenure('a', 50, 200)])).toEqual([]);
  expect(overlapsOf([tenure('a', 0, 100), tenure('b', 50, 200, 1)])).toEqual([]);
});

test('counts moves from process to process and no grants that stay (2 workers)', () => {
  expect(movesOf([tenure('a', 0, 1), tenure('a', 2, 3), tenure('b', 4, 5), tenure('a', 6, 7), tenure('b', 0, 1, 1)])).toBe(2);
});

test('takes the longest time without an owner from the first one to the end, and cuts off what the dead would have relied on', () => {
  const tenures = [tenure('a', 0, 100), tenure('b', 130, 200)];
  expect(longestGap(tenures, new Map(), 210 * ms)).toEqual({ partition: 0, forMs: 30, fromNs: 100 * ms });
  expect(longestGap(tenures, new Map(), 300 * ms)?.forMs).toBe(100);
  expect(longestGap(tenures, new Map([['a', 20 * ms]]), 210 * ms)).toEqual({ partition: 0, forMs: 110, fromNs: 20 * ms });
  expect(longestGap([tenure('a', 0, 100), tenure('b', 50, 60)], new Map(), 100 * ms)).toBeUndefined();
});

function output(process: string, number: number, at: { readonly began: number; readonly sent: number }, key = '0-0'): Accepted {
  return { partition: 0, key, number, process, beganNs: at.began * ms, sentNs: at.sent * ms, token: 1 };
}

function producedTo(number: number) {
  return new Map([['0-0', { partition: 0, key: '0-0', number }]]);
}

test('finds what was sent in and never came out', () => {
  const { lost, processed } = accountOf(producedTo(3), [output('a', 1, { began: 0, sent: 1 }), output('a', 3, { began: 2, sent: 3 })]);
  expect(lost).toEqual([{ partition: 0, key: '0-0', number: 2 }]);
  expect(processed).toBe(2);
});

test('finds a piece that two processes were at, at one time, and calls it a repeat where it was one after the other', () => {
  const first = output('a', 1, { began: 0, sent: 10 });
  const atOnce = accountOf(producedTo(1), [first, output('b', 1, { began: 9, sent: 12 })]);
  expect(atOnce).toMatchObject({ doubled: [{ number: 1 }], repeats: 1, lost: [] });
  const later = accountOf(producedTo(1), [first, output('b', 1, { began: 10, sent: 12 })]);
  expect(later).toMatchObject({ doubled: [], repeats: 1 });
});

test('finds a piece that came out for the first time after a later one of its key, and lets repeats of earlier ones be', () => {
  const at = { began: 0, sent: 1 };
  const inOrder = [output('a', 1, at), output('a', 2, at), output('b', 1, at), output('b', 2, at), output('b', 3, at)];
  expect(accountOf(producedTo(3), inOrder)).toMatchObject({ orderBroken: [], repeats: 2 });
  const broken = [output('a', 2, at), output('a', 1, at), output('a', 1, at, '0-1')];
  expect(accountOf(producedTo(2), broken).orderBroken).toEqual([{ partition: 0, key: '0-0', number: 1 }]);
});
