/** The map of what is under way: as a `Map` in every answer, in order, and with few places for many that come and go. */
import fc from 'fast-check';
import { SequenceMap } from '../src/sequence-map.ts';

function mapOf(...numbers: readonly number[]): SequenceMap<string> {
  const map = new SequenceMap<string>();
  for (const number of numbers) map.set(number, `value ${number}`);
  return map;
}

test('is empty at first', () => {
  const map = mapOf();
  expect([map.size, map.lowest, map.get(0), map.has(0), map.delete(0)]).toEqual([0, undefined, undefined, false, false]);
  expect([map.numbers(), map.values()]).toEqual([[], []]);
});

test('keeps one that stays while thousands come and go', () => {
  const map = mapOf(3);
  for (let number = 4; number < 50_000; number += 1) {
    map.set(number, 'passing');
    if (number >= 40) map.delete(number - 32);
  }
  expect(map.get(3)).toBe('value 3');
  expect(map.lowest).toBe(3);
  expect(map.delete(3)).toBe(true);
  expect(map.has(3)).toBe(false);
});

test('takes numbers out of order, and those beyond 32 bits', () => {
  const token = 2 ** 49 + 5;
  const map = mapOf(token, 70, 6, token + 16, 22);
  expect(map.numbers()).toEqual([6, 22, 70, token, token + 16]);
  expect(map.values()).toEqual([6, 22, 70, token, token + 16].map((number) => `value ${number}`));
  expect(map.lowest).toBe(6);
});

test('can be used again once it was cleared', () => {
  const map = mapOf(1, 2, 900);
  map.clear();
  expect([map.size, map.lowest, map.numbers()]).toEqual([0, undefined, []]);
  map.set(2, 'again');
  expect([map.size, map.lowest, map.get(2)]).toEqual([1, 2, 'again']);
});

test('answers as a Map does, in the order of the numbers', () => {
  const number = fc.oneof(fc.nat(40), fc.nat(3_000), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 100 }));
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('set' as const), number) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('delete' as const), number) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('next' as const), fc.nat(20)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('deleteLowest' as const), fc.nat(20)) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const map = new SequenceMap<number>();
      const known = new Map<number, number>();
      const numbers = (): number[] => [...known.keys()].sort((a, b) => a - b);
      let next = 0;
      steps.forEach(([what, given], at) => {
        const lowest = numbers()[0];
        const chosen = what === 'next' ? (next += 1 + (given >> 3)) : what === 'deleteLowest' ? (lowest ?? given) : given;
        if (what === 'set' || what === 'next') {
          map.set(chosen, at);
          known.set(chosen, at);
        } else expect(map.delete(chosen)).toBe(known.delete(chosen));
        expect([map.size, map.lowest, map.has(chosen), map.get(chosen)]).toEqual([
          known.size,
          numbers()[0],
          known.has(chosen),
          known.get(chosen),
        ]);
      });
      expect(map.numbers()).toEqual(numbers());
      expect(map.values()).toEqual(numbers().map((one) => known.get(one)));
    }),
    { numRuns: 300 },
  );
});
