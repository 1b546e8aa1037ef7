/** The judge of the process tests is judged first: planted faults are found, and honest histories are left alone. */
import { faultsIn } from '../support/hold-history.ts';
import type { Hold } from '../support/hold-history.ts';

function hold(node: string, token: number, [askedAtMs, grantedAtMs, heldUntilMs]: [number, number, number], lock = 'x'): Hold {
  return { node, lock, token, askedAtMs, grantedAtMs, heldUntilMs };
}

describe('a history of holds', () => {
  test('is without fault when holders follow one another under rising tokens (2 nodes)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 2]), hold('b', 6, [0, 3, 4]), hold('a', 9, [4, 5, 6])])).toEqual([]);
  });

  test('is without fault when locks are held side by side (2 nodes, 2 locks)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 9], 'x'), hold('b', 6, [0, 2, 8], 'y')])).toEqual([]);
  });

  test('shows two holders of one lock at a time (2 nodes)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 4]), hold('b', 6, [0, 3, 5])])).toEqual([
      "b's hold of x with token 6 was granted 1.000 ms before the end of a's hold of x with token 5",
    ]);
  });

  test('shows an overlap with a hold that is not the one just before (3 nodes)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 9]), hold('b', 6, [0, 9, 9]), hold('c', 7, [0, 8, 10])])).toHaveLength(1);
  });

  test('shows a token that was given twice (2 nodes, 2 locks)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 2], 'x'), hold('b', 5, [0, 1, 2], 'y')])).toEqual([
      "b's hold of y with token 5 has the token of a's hold of x with token 5",
    ]);
  });

  test('shows a later grant with a smaller token, on another lock too (2 nodes, 2 locks)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 2], 'x'), hold('b', 4, [3, 4, 5], 'y')])).toEqual([
      "b's hold of y with token 4 was asked for after a's hold of x with token 5 was granted",
    ]);
  });

  test('shows a later holder of a lock with a smaller token as an overlap or a fall (2 nodes)', () => {
    expect(faultsIn([hold('a', 5, [0, 1, 2]), hold('b', 4, [0, 3, 4])])).not.toEqual([]);
  });
});
