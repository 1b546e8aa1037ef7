/** What a fence lets through, what it never does, and how much it remembers. */
import fc from 'fast-check';
import { isQuorateError } from '../../src/errors.ts';
import { TokenFence, tokenFence } from '../../src/partition/token-fence.ts';
import type { TokenFenceOptions } from '../../src/partition/token-fence.ts';

test('lets the newest owner through and nothing of those before it (2 owners)', () => {
  const isFresh = tokenFence();
  const messages: [string, number][] = [
    ['orders/1', 5],
    ['orders/1', 5],
    ['orders/1', 6],
    ['orders/1', 5],
    ['orders/1', 6],
  ];
  expect(messages.map(([resource, token]) => isFresh(resource, token))).toEqual([true, true, true, false, true]);
  expect(isFresh.memory.counts).toEqual({ fresh: 4, stale: 1, belowFloor: 0, unfenced: 0 });
  expect(isFresh.memory.dropped).toBe(1);
});

test('compares tokens within a resource only (2 resources)', () => {
  const isFresh = tokenFence();
  expect([isFresh('a', 9), isFresh('b', 3), isFresh('a', 8), isFresh({ resource: 'b', token: 3 })]).toEqual([true, true, false, true]);
});

describe('a fence that had to forget', () => {
  test('forgets the resource with the smallest token, and lets nothing below that in again (2 remembered)', () => {
    const fence = new TokenFence({ resourcesMax: 2 });
    expect(['a', 'b', 'c'].map((resource, index) => fence.judge(resource, 10 * (index + 1)))).toEqual(['fresh', 'fresh', 'fresh']);
    expect(fence.floor).toBe(10);
    expect(fence.newestOf('a')).toBeUndefined();
    // It may be that nothing newer than 9 was ever seen for `a` or `new`; that is not known any more.
    expect([fence.judge('a', 9), fence.judge('new', 9)]).toEqual(['belowFloor', 'belowFloor']);
    expect(fence.judge('b', 19)).toBe('stale');
    expect(fence.counts).toEqual({ fresh: 3, stale: 1, belowFloor: 2, unfenced: 0 });
    expect(fence.dropped).toBe(3);
  });

  test('lets the forgotten owner itself go on (2 remembered)', () => {
    const fence = new TokenFence({ resourcesMax: 2 });
    for (const [resource, token] of [
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ] as const)
      fence.judge(resource, token);
    expect([fence.judge('a', 10), fence.judge('a', 10), fence.judge('b', 20)]).toEqual(['fresh', 'fresh', 'fresh']);
    expect(fence.snapshot()).toEqual({
      floor: 10,
      newest: expect.arrayContaining([
        ['c', 30],
        ['b', 20],
      ]),
    });
  });

  test('keeps a resource whose token rose (2 remembered)', () => {
    const fence = new TokenFence({ resourcesMax: 2 });
    fence.judge('a', 10);
    fence.judge('b', 20);
    fence.judge('a', 40);
    fence.judge('c', 30);
    expect([fence.newestOf('a'), fence.newestOf('b'), fence.newestOf('c'), fence.floor]).toEqual([40, undefined, 30, 20]);
  });
});

interface Message {
  readonly resource: string;
  readonly token: number;
}

const someMessages = fc.array(
  fc.record({ resource: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), token: fc.integer({ min: 0, max: 60 }) }),
  { minLength: 1, maxLength: 150 },
);

test('never lets an older token in after a newer one, within its bound, across restarts (2,000 histories, 1 to 9 remembered)', () => {
  fc.assert(
    fc.property(someMessages, fc.integer({ min: 1, max: 9 }), fc.nat(), (messages, resourcesMax, restartAt) => {
      let fence = new TokenFence({ resourcesMax });
      const passed = new Map<string, number>();
      messages.forEach(({ resource, token }, index) => {
        if (index === restartAt % messages.length) fence = new TokenFence({ resourcesMax, seed: fence.snapshot() });
        const floor = fence.floor;
        const verdict = fence.judge(resource, token);
        const newest = passed.get(resource) ?? -1;
        if (verdict === 'fresh') expect(token).toBeGreaterThanOrEqual(newest);
        // Only what is below the floor, or below its own newest, is dropped.
        else expect(token).toBeLessThan(verdict === 'stale' ? newest : floor);
        if (verdict === 'fresh') passed.set(resource, token);
        const { newest: remembered } = fence.snapshot();
        expect(remembered.length).toBeLessThanOrEqual(resourcesMax);
        for (const [, rememberedToken] of remembered) expect(rememberedToken).toBeGreaterThanOrEqual(fence.floor);
        expect(fence.floor).toBeGreaterThanOrEqual(floor);
      });
    }),
    { numRuns: 2_000 },
  );
});

test('says exactly what an unbounded memory says while nothing has to be forgotten (1,000 histories, 8 remembered)', () => {
  fc.assert(
    fc.property(someMessages, (messages) => {
      const fence = new TokenFence({ resourcesMax: 8 });
      const newest = new Map<string, number>();
      const expected = ({ resource, token }: Message): string => {
        if (token < (newest.get(resource) ?? 0)) return 'stale';
        newest.set(resource, token);
        return 'fresh';
      };
      for (const message of messages) expect(fence.judge(message.resource, message.token)).toBe(expected(message));
      expect(new Map(fence.snapshot().newest)).toEqual(newest);
    }),
    { numRuns: 1_000 },
  );
});

test('keeps to its bound under names without end (200,000 resources, 1,000 remembered)', () => {
  const fence = new TokenFence({ resourcesMax: 1_000 });
  for (let index = 1; index <= 200_000; index += 1) fence.judge(`resource-${index}`, index);
  expect([fence.snapshot().newest.length, fence.floor, fence.counts.fresh]).toEqual([1_000, 199_000, 200_000]);
});

describe('a message without a usable resource and token', () => {
  const unusable: [unknown, unknown][] = [
    [undefined, 5],
    ['', 5],
    ['x'.repeat(1_025), 5],
    [42, 5],
    ['a', undefined],
    ['a', null],
    ['a', '5'],
    ['a', 5.5],
    ['a', -1],
    ['a', NaN],
    ['a', Infinity],
    ['a', 2 ** 53],
  ];

  test.each(unusable)('is unfenced, and dropped: %.20p with %p', (resource, token) => {
    const isFresh = tokenFence();
    expect(isFresh(resource as string, token as number)).toBe(false);
    expect([isFresh.memory.counts.unfenced, isFresh.memory.dropped, isFresh.memory.snapshot().newest]).toEqual([1, 1, []]);
  });

  test('passes where that was chosen, and is still counted (1 fence)', () => {
    const isFresh = tokenFence({ onUnfenced: 'pass' });
    expect([isFresh(undefined), isFresh('a', undefined), isFresh('a', 5), isFresh('a', 4)]).toEqual([true, true, true, false]);
    expect(isFresh.memory.counts).toEqual({ fresh: 1, stale: 1, belowFloor: 0, unfenced: 2 });
    expect(isFresh.memory.dropped).toBe(1);
  });
});

describe('a seed', () => {
  test('holds off what the fence before it refused (1 restart, as JSON)', () => {
    const before = new TokenFence({ resourcesMax: 2 });
    for (const [index, resource] of ['a', 'b', 'c'].entries()) before.judge(resource, 10 * (index + 1));
    const after = new TokenFence({ resourcesMax: 2, seed: JSON.parse(JSON.stringify(before.snapshot())) });
    expect([after.judge('a', 9), after.judge('b', 19), after.judge('b', 20), after.judge('a', 10)]).toEqual([
      'belowFloor',
      'stale',
      'fresh',
      'fresh',
    ]);
  });

  test('larger than the memory is cut to it by the same rule (3 resources into 1)', () => {
    const newest = [
      ['a', 30],
      ['b', 20],
      ['a', 25],
      ['c', 10],
    ] as const;
    const fence = new TokenFence({ resourcesMax: 1, seed: { floor: 3, newest } });
    expect(fence.snapshot()).toEqual({ floor: 20, newest: [['a', 30]] });
  });
});

test.each<unknown>([
  { resourcesMax: 0 },
  { resourcesMax: 1.5 },
  { resourcesMax: Infinity },
  { onUnfenced: 'throw' },
  { seed: { floor: -1, newest: [] } },
  { seed: { floor: 0 } },
  { seed: { floor: 0, newest: [null] } },
  { seed: { floor: 0, newest: [['a']] } },
  { seed: { floor: 0, newest: [['a', '5']] } },
])('refuses the options %j', (options) => {
  let refusal: unknown;
  try {
    tokenFence(options as TokenFenceOptions);
  } catch (error) {
    refusal = error;
  }
  expect(isQuorateError(refusal, 'INVALID_OPTIONS')).toBe(true);
});
