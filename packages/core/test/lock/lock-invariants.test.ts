/** The check of the lock table names each rule that is broken, and nothing in a sound table. */
import { noteBytesMax } from '../../src/note.ts';
import { checkLockTable } from '../../src/lock/lock-invariants.ts';
import type { LockTableSnapshot } from '../../src/lock/lock-snapshot.ts';
import type { LockLimits } from '../../src/lock/lock-table.ts';
import { LockTable } from '../../src/lock/lock-table.ts';

describe('the check names', () => {
  const holder = (session: number, token: number) => [session, `n${session}`, 1, 0, token, 0, null] as const;
  const waiter = (session: number, token = 0) => holder(session, token);
  const restored = (rows: LockTableSnapshot, limits?: LockLimits): LockTable => {
    const table = new LockTable({ nextToken: () => 0, onGrant: () => undefined }, limits);
    table.restore(rows);
    return table;
  };

  test.each<[string, LockTableSnapshot, string[]]>([
    ['two holders', [['l/x', 1, null, [holder(1, 5), holder(2, 6)], []]], ['locks 1: l/x has 2 holders']],
    ['a waiter at a free lock', [['l/x', 1, 'n', [], [waiter(1)]]], ['locks 2: 1 wait for l/x, which has room']],
    ['a free lock that is kept', [['l/x', 1, null, [], []]], ['locks 3: l/x is free and kept']],
    ['a holder without a token', [['l/x', 1, null, [holder(1, 0)], []]], ['locks 4: acquire 1 of session 1 for l/x holds without a token']],
    [
      'a waiter with one',
      [['l/x', 1, null, [holder(1, 5)], [waiter(2, 6)]]],
      ['locks 4: acquire 1 of session 2 for l/x waits with a token'],
    ],
    [
      'one token of two locks',
      [
        ['l/x', 1, null, [holder(1, 5)], []],
        ['l/y', 1, null, [holder(2, 5)], []],
      ],
      ['locks 4: token 5 is held twice'],
    ],
    ['an empty note', [['l/x', 1, '', [], []]], ['locks 6: the note of l/x is empty or too long']],
    ['too long a note', [['l/x', 1, 'x'.repeat(noteBytesMax + 1), [], []]], ['locks 6: the note of l/x is empty or too long']],
    ['nothing in a sound table', [['l/x', 1, 'note', [holder(1, 5)], [waiter(2)]]], []],
  ])('%s', (_what, rows, broken) => {
    expect(checkLockTable(restored(rows))).toEqual(broken);
  });

  test('a claim that the index has lost, or has in excess', () => {
    const table = restored([['l/x', 1, null, [holder(1, 5)], []]]);
    const claims = table.claims().get(1) as unknown as Map<number, never>;
    const claim = claims.get(1);
    claims.delete(1);
    expect(checkLockTable(table)).toEqual([
      'locks 5: acquire 1 of session 1 for l/x is not in the index',
      'locks 5: the index has 0 claims, the locks 1',
    ]);
    claims.set(1, claim as never);
    claims.set(2, claim as never);
    expect(checkLockTable(table)).toEqual(['locks 5: the index has 2 claims, the locks 1']);
  });

  test('counts that are wrong or above the limits', () => {
    const rows: LockTableSnapshot = [['l/x', 1, 'note', [holder(1, 5)], [waiter(2)]]];
    const table = restored(rows, { waitersMax: 0, notesMax: 0 });
    expect(checkLockTable(table)).toEqual(['locks 6: 1 waiters at l/x', 'locks 6: 1 notes are counted as 1']);
    const lock = [...table.locks()][0]!;
    lock.waiters = null;
    lock.note = null;
    expect(checkLockTable(table)).toEqual([
      'locks 5: the index has 2 claims, the locks 1',
      'locks 6: 0 waiters are counted as 1',
      'locks 6: 0 notes are counted as 1',
    ]);
  });
});
