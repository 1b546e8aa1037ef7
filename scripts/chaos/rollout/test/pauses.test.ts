/** The pauses of a rollout, on histories made up for it. */
import type { HistoryLine } from '../../history.ts';
import { pausesOf } from '../pauses.ts';

const ms = 1e6;

function grant(atMs: number, ok = true): HistoryLine {
  const base = { process: 'c1', group: 'g', op: 'acquire', key: 'own-c1', value: null, error: null } as const;
  return { ...base, token: 1, call: 0, return: atMs * ms, ok };
}

const during = (fromMs: number, toMs: number) => ({ round: 1, name: 'v1', beganNs: fromMs * ms, endedNs: toMs * ms });

test('a pause is the longest time between two grants, of which a part falls into the restart', () => {
  const history = [grant(0), grant(10), grant(900), grant(905), grant(3_000)];
  expect(pausesOf(history, [during(100, 200), during(902, 904), during(5, 8)])).toEqual([890, 5, 10]);
});

test('an acquire that failed is no grant', () => {
  expect(pausesOf([grant(0), grant(50, false), grant(100)], [during(20, 80)])).toEqual([100]);
});

test('a group that grants nothing any more pauses until the restart is given up', () => {
  expect(pausesOf([grant(0), grant(10)], [during(5, 700)])).toEqual([690]);
});
