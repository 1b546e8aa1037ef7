/** The plan of a run: the same from the same seed, within its bounds, and never such that a group could not recover. */
import { killsVoter, planOf } from '../plan.ts';
import type { Nemesis, PlanOptions } from '../plan.ts';
import { leastSeconds, timingOf } from '../timing.ts';

const seeds = Array.from({ length: 200 }, (_, index) => index);

function options(seed: number, cluster: 1 | 3 = 3): PlanOptions {
  return { seed, episodes: 5, seconds: leastSeconds('nats'), cluster, timing: timingOf('nats') };
}

function everyNemesis(cluster: 1 | 3 = 3): Nemesis[] {
  return seeds.flatMap((seed) => planOf(options(seed, cluster)).flatMap(({ nemeses }) => nemeses));
}

describe('a plan', () => {
  test('is the same from the same seed, and another from another', () => {
    expect(planOf(options(7))).toEqual(planOf(options(7)));
    expect(planOf(options(7))).not.toEqual(planOf(options(8)));
  });

  test('begins as the plan of a shorter run with the same seed', () => {
    expect(planOf({ ...options(7), episodes: 9 }).slice(0, 5)).toEqual(planOf(options(7)));
  });

  test('is without two episodes alike', () => {
    const texts = planOf({ ...options(7), episodes: 50 }).map(({ nemeses }) => JSON.stringify(nemeses));
    expect(new Set(texts).size).toBe(50);
  });

  test('kills at most one voter in an episode (3 voters, 200 seeds)', () => {
    const kills = seeds.flatMap((seed) => planOf(options(seed)).map(({ nemeses }) => nemeses.filter(killsVoter).length));
    expect(new Set(kills)).toEqual(new Set([0, 1]));
  });

  test('stops a holder before its write in every episode, with time for others to take its lock', () => {
    for (const seed of seeds) {
      for (const { nemeses } of planOf(options(seed))) {
        const stalls = nemeses.filter(
          ({ type, forMs }) => (type === 'pauseHolder' || type === 'blockHolder') && forMs > timingOf('nats').sessionTtlMs,
        );
        expect(stalls.length).toBeGreaterThan(0);
      }
    }
  });

  test('strikes in order, and is over when the episode is', () => {
    const { seconds } = options(0);
    for (const seed of seeds) {
      for (const { nemeses } of planOf(options(seed))) {
        expect(nemeses.map(({ atMs }) => atMs)).toEqual(nemeses.map(({ atMs }) => atMs).sort((a, b) => a - b));
        for (const { atMs, forMs } of nemeses) expect(atMs + forMs).toBeLessThanOrEqual(seconds * 1_000);
      }
    }
  });

  test('uses every nemesis there is', () => {
    const types = new Set(everyNemesis().map(({ type }) => type));
    const processes = ['kill', 'killHolder', 'pause', 'pauseHolder', 'block', 'blockHolder'];
    const wires = ['cut', 'cutToBroker', 'cutToProcess', 'slow', 'drop', 'refuse', 'lateAnswers'];
    expect(types).toEqual(new Set([...processes, ...wires, 'killBroker', 'killBrokers']));
  });

  test('kills members that there are (1 and 3 brokers)', () => {
    const members = (cluster: 1 | 3): Set<number> =>
      new Set(everyNemesis(cluster).flatMap((nemesis) => (nemesis.type === 'killBroker' ? [nemesis.member] : [])));
    expect(members(1)).toEqual(new Set([0]));
    expect(members(3)).toEqual(new Set([0, 1, 2]));
  });
});
