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
    for (const change of [null, undefined, 'abc', []]) await rejection(setOf(a).plan(change as never), 'INVALID_OPTIONS');
    for (const list of ['join', 'leave', 'weigh', 'pin', 'unpin', 'drain', 'exclude', 'include']) {
      for (const value of ['abc', null, {}]) await rejection(setOf(a).plan({ [list]: value }), 'INVALID_OPTIONS');
    }
    for (const item of [null, 7]) await rejection(setOf(a).plan({ join: [item as never] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ weigh: [{ node: 'a' } as never] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ leave: [null as never] }), 'INVALID_NAME');
    await rejection(setOf(a).plan({ pin: [{ partition: -1, node: 'a' }] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ unpin: ['0' as never] }), 'INVALID_OPTIONS');
  });

  test('says of a member that is not there and of two things that contradict each other that they cannot be', async () => {
    const { a } = await arrange();
    await rejection(setOf(a).plan({ leave: ['typo'] }), 'NOT_A_MEMBER');
    await rejection(setOf(a).plan({ drain: ['typo'] }), 'NOT_A_MEMBER');
    await rejection(setOf(a).plan({ weigh: [{ node: 'typo', weight: 2 }] }), 'NOT_A_MEMBER');
    await rejection(setOf(a).plan({ pin: [{ partition: 6, node: 'a' }] }), 'LIMIT_REACHED');
    await rejection(setOf(a).plan({ drain: ['a'], include: ['a'] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ pin: [{ partition: 0, node: 'a' }], unpin: [0] }), 'INVALID_OPTIONS');
    await rejection(setOf(a).plan({ join: ['d', 'd'] }), 'INVALID_OPTIONS');
  });

  test('says what the orders of an operator move, also under an exclusion of whoever is not there', async () => {
    const { a, b } = await arrange();
    const [one = -1] = setOf(a).mine;
    expect(await setOf(a).plan({ pin: [{ partition: one, node: 'b' }] })).toContainEqual({ partition: one, from: 'a', to: 'b' });
    const drained = await setOf(a).plan({ drain: ['b'] });
    expect(drained).toEqual(setOf(b).mine.map((partition) => ({ partition, from: 'b', to: 'a' })));
    await setOf(a).exclude('ghost');
    await first(setOf(a).ownership$, ({ members }) => members.some(({ node, state }) => node === 'ghost' && state === 'excluded'));
    expect(await setOf(a).plan({ join: ['ghost'] })).toEqual([]);
    expect(await setOf(a).plan({ join: ['ghost'], include: ['ghost'] })).toHaveLength(2);
  });

  test('gives a partition that a member gave up to others only, as the group does', async () => {
    const [a] = await group().joinAll();
    if (!a) throw new Error('not joined');
    const given = setOf(a).own(() => undefined);
    const { partitions } = await first(setOf(a).ownership$, (all) => all.partitions.every(({ refusedBy }) => refusedBy.join() === 'a'));
    expect(partitions.map(({ node }) => node)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
    expect(await setOf(a).plan({})).toEqual([]);
    expect((await setOf(a).plan({ join: ['c'] })).map(({ to }) => to)).toEqual(['c', 'c', 'c', 'c', 'c', 'c']);
    await a.close();
    await given;
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
