/** First in, first out, and out of the middle. */
import fc from 'fast-check';
import { WaitQueue } from '../../src/lock/wait-queue.ts';

interface Waiter {
  position: number;
  readonly name: number;
}

test('any order of arrivals and departures agrees with a plain array', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ type: 'push' as const, at: 0 }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ type: 'shift' as const, at: 0 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = new WaitQueue<Waiter>();
      const plain: Waiter[] = [];
      for (const [name, { type, at }] of steps.entries()) {
        const leaver = type === 'shift' ? queue.first() : plain[plain.length === 0 ? 0 : at % plain.length];
        if (type === 'push') {
          const waiter = { position: -1, name };
          queue.push(waiter);
          plain.push(waiter);
        } else if (leaver) {
          expect(queue.placeOf(leaver)).toBe(plain.indexOf(leaver) + 1);
          queue.delete(leaver);
          plain.splice(plain.indexOf(leaver), 1);
        }
        expect([queue.size, queue.first()?.name]).toEqual([plain.length, plain[0]?.name]);
      }
      expect([...queue]).toEqual(plain);
      expect(plain.map((waiter) => queue.placeOf(waiter))).toEqual(plain.map((_, index) => index + 1));
    }),
    { numRuns: 100 },
  );
});

test('places stay right while ten thousand waiters leave from the middle', () => {
  const queue = new WaitQueue<Waiter>();
  const waiters = Array.from({ length: 10_000 }, (_, name) => ({ position: -1, name }));
  for (const waiter of waiters) queue.push(waiter);
  for (let index = 0; index < waiters.length; index += 2) queue.delete(waiters[index]!);
  expect(queue.placeOf(waiters[9_999]!)).toBe(5_000);
  for (let index = waiters.length - 1; index > 0; index -= 2) queue.delete(waiters[index]!);
  expect(queue.size).toBe(0);
  expect(queue.first()).toBeNull();
});
