/** What a plan of a set says before anything is done: what then happens, or why nobody can say. */
import type { Quorate } from '../../src/api/quorate.ts';
import { first, rejection, until, useGroup } from './group.ts';

/** Long enough for a join and a leave to be one change, however busy the machine is. */
const orders = { count: 6, settleMs: 1_500, graceMs: 50 };

describe('a plan of partitions (3 voters)', () => {
  const group = useGroup();
  const setOf = (quorate: Quorate) => quorate.partitions('orders', orders);
  const own = (quorate: Quorate): void => {
    const handler = ({ signal }: { readonly signal: AbortSignal }) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    void setOf(quorate).own(handler);
  };

  async function arrange() {
    const [a, b, c] = await group().joinAll();
    if (!a || !b || !c) throw new Error('not joined');
    own(a);
    own(b);
    await until(() => setOf(a).mine.length === 3 && setOf(b).mine.length === 3);
    return { a, b, c };
  }

  test('says what moves when a member joins and another leaves, and it does', async () => {
    const { a, b, c } = await arrange();
    const theirs = setOf(b).mine;
    const moves = await setOf(a).plan({ join: ['c'], leave: ['b'] });
    expect(moves.map(({ partition, from, to }) => `${partition} ${from} ${to}`)).toEqual(theirs.map((partition) => `${partition} b c`));
    own(c);
    await b.close();
    await until(() => setOf(c).mine.length === 3);
    expect(setOf(c).mine).toEqual(theirs);
  });

  test('says nothing of what cannot be', async () => {
    const { a } = await arrange();
    for (const count of [0, 1.5, 2 ** 30, Number.NaN]) await rejection(setOf(a).plan({ count }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ join: [{ node: 'd', weight: 0 }] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ join: ['a'] }), 'INVALID_NAME');
    await rejection(setOf(a).plan({ join: [''] }), 'INVALID_NAME');
  });

  test('is refused by an instance that is closed, also by one that is closed while it is asked', async () => {
    const { a, b, c } = await arrange();
    await first(setOf(a).ownership$);
    group().bus.disconnect('c');
    const asked = rejection(setOf(c).plan({}), 'CLOSED');
    await c.close({ timeoutMs: 0 });
    await asked;
    await b.close();
    await rejection(setOf(b).plan({ leave: ['a'] }), 'CLOSED');
  });
});
