/** Who holds a lock, who waits for it, and what is kept with it. `docs/protocol.md`, "Locks"; the safety rule 17. */
import type { LockEvent, LockOp, LockResult } from '../../src/lock/command.ts';
import { acquireFlag, lockOp, resultCode } from '../../src/lock/command.ts';
import { noteBytesMax } from '../../src/note.ts';
import { checkLockTable } from '../../src/lock/lock-invariants.ts';
import type { LockLimits } from '../../src/lock/lock-table.ts';
import { LockTable } from '../../src/lock/lock-table.ts';

const { granted, queued, busy, done, notHeld, queueFull, limit, unsupported } = resultCode;

/** Sessions 1, 2, … of nodes n1, n2, …; tokens from 101. */
class Desk {
  readonly grants: { readonly session: number; readonly node: string; readonly result: LockResult }[] = [];
  readonly table: LockTable;
  private token = 100;
  private slot = 0;

  constructor(limits?: LockLimits) {
    const host = {
      nextToken: () => (this.token += 1),
      onGrant: (session: number, node: string, result: LockResult) => void this.grants.push({ session, node, result }),
    };
    this.table = new LockTable(host, limits);
  }

  do(session: number, op: LockOp): LockResult {
    this.nextSlot();
    return this.table.apply(session, `n${session}`, op);
  }

  acquire(session: number, seq: number, resource = 'l/x', flags = 0, value: string | null = null): LockResult {
    return this.do(session, [lockOp.acquire, seq, resource, 0, flags, value]);
  }

  release(session: number, seq: number, token: number, note: string | null = null): LockResult {
    return this.do(session, [lockOp.release, seq, 'l/x', token, note]);
  }

  cancel(session: number, seq: number, target: number): LockResult {
    return this.do(session, [lockOp.cancel, seq, target]);
  }

  end(session: number, expired = false): void {
    this.nextSlot();
    this.table.endSession(session, expired);
  }

  /** What was told since the last call, in short. */
  told(): string[] {
    return this.table.takeChanges().events.map(({ type, node, token }: LockEvent) => `${type} ${node} ${token}`);
  }

  private nextSlot(): void {
    this.slot += 1;
    this.table.beginSlot(this.slot, this.slot * 1000);
  }
}

let desk: Desk;
beforeEach(() => {
  desk = new Desk();
});
afterEach(() => {
  expect(checkLockTable(desk.table)).toEqual([]);
});

describe('grant and queue', () => {
  test('a free lock is granted at once, under a token', () => {
    expect(desk.acquire(1, 1)).toEqual([1, granted, 101, null]);
    expect(desk.table.stateOf('l/x')).toEqual({
      resource: 'l/x',
      version: 1,
      holders: [{ node: 'n1', session: 1, token: 101, sinceWallMs: 1000, value: null }],
      waiters: [],
      waiting: 0,
      note: null,
    });
  });

  test('a held lock queues, and tells the place and who holds it since when', () => {
    desk.acquire(1, 1);
    expect(desk.acquire(2, 1)).toEqual([1, queued, 1, ['n1', 101, 1000]]);
    expect(desk.acquire(3, 1)).toEqual([1, queued, 2, ['n1', 101, 1000]]);
    expect(desk.table.stateOf('l/x')).toMatchObject({ waiters: ['n2', 'n3'], waiting: 2, version: 3 });
  });

  test('waiters are granted in the order of their requests, each under a larger token', () => {
    desk.acquire(1, 1);
    desk.acquire(2, 1);
    desk.acquire(3, 1);
    desk.release(1, 2, 101);
    desk.release(2, 2, 102);
    expect(desk.grants).toEqual([
      { session: 2, node: 'n2', result: [1, granted, 102, null] },
      { session: 3, node: 'n3', result: [1, granted, 103, null] },
    ]);
    expect(desk.told()).toEqual([
      'granted n1 101',
      'waiting n2 0',
      'waiting n3 0',
      'released n1 101',
      'granted n2 102',
      'released n2 102',
      'granted n3 103',
    ]);
  });

  test('a lock is not re-entrant: its holder queues behind itself', () => {
    desk.acquire(1, 1);
    expect(desk.acquire(1, 2)).toEqual([2, queued, 1, ['n1', 101, 1000]]);
    desk.release(1, 3, 101);
    expect(desk.grants).toEqual([{ session: 1, node: 'n1', result: [2, granted, 102, null] }]);
  });

  test('an acquire that must not queue is told who is in the way, and leaves nothing', () => {
    desk.acquire(1, 1);
    expect(desk.acquire(2, 1, 'l/x', acquireFlag.dontQueue)).toEqual([1, busy, 0, ['n1', 101, 1000]]);
    desk.release(1, 2, 101);
    expect(desk.grants).toEqual([]);
    expect(desk.table.counts).toEqual({ locks: 0, waiting: 0, notes: 0 });
  });

  test('a queue takes as many waiters as its limit, and each lock has its own', () => {
    desk = new Desk({ waitersMax: 2, notesMax: 10 });
    for (const session of [1, 2, 3]) desk.acquire(session, 1);
    expect(desk.acquire(4, 1)).toEqual([1, queueFull, 0, ['n1', 101, 1000]]);
    desk.acquire(1, 2, 'l/y');
    expect(desk.acquire(4, 2, 'l/y')[1]).toBe(queued);
    desk.cancel(2, 2, 1);
    expect(desk.acquire(4, 3)).toEqual([3, queued, 2, ['n1', 101, 1000]]);
  });

  test('a state names the first sixteen waiters and counts all', () => {
    for (let session = 1; session <= 20; session += 1) desk.acquire(session, 1);
    const { waiters, waiting } = desk.table.stateOf('l/x');
    expect(waiters).toEqual(Array.from({ length: 16 }, (_, index) => `n${index + 2}`));
    expect(waiting).toBe(19);
  });

  test.each([
    ['shared locks', [lockOp.acquire, 1, 'l/x', -1, 0, null]],
    ['permits', [lockOp.acquire, 1, 'l/x', 2, 0, null]],
    ['flags of a later version', [lockOp.acquire, 1, 'l/x', 0, 2, null]],
  ] as const)('%s are refused and change nothing', (_what, op) => {
    expect(desk.do(1, op)).toEqual([1, unsupported, 0, null]);
    expect(desk.table.counts.locks).toBe(0);
    expect(desk.told()).toEqual([]);
  });

  test('an operation of a later version is refused by every replica alike', () => {
    const later: unknown = [99, 7, 'l/x'];
    expect(desk.do(1, later as LockOp)).toEqual([7, unsupported, 0, null]);
  });
});

describe('release', () => {
  test('a release frees the lock', () => {
    desk.acquire(1, 1);
    expect(desk.release(1, 2, 101)).toEqual([2, done, 0, null]);
    expect(desk.table.stateOf('l/x').holders).toEqual([]);
  });

  test('a release under an older token frees nothing', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101);
    desk.acquire(1, 3);
    expect(desk.release(1, 4, 101)).toEqual([4, notHeld, 0, null]);
    expect(desk.table.stateOf('l/x').holders).toHaveLength(1);
  });

  test.each([
    ['release', (desk: Desk) => desk.release(2, 1, 101)],
    ['note', (desk: Desk) => desk.do(2, [lockOp.note, 1, 'l/x', 101, 'mine'])],
    ['proclaim', (desk: Desk) => desk.do(2, [lockOp.proclaim, 1, 'l/x', 101, 'mine'])],
  ])('a %s by another session than the holder changes nothing, though it names the token', (_what, act) => {
    desk.acquire(1, 1);
    const before = desk.table.stateOf('l/x');
    expect(act(desk)).toEqual([1, notHeld, 0, null]);
    expect(desk.table.stateOf('l/x')).toEqual(before);
  });

  test('a waiter cannot release what it waits for', () => {
    desk.acquire(1, 1);
    desk.acquire(2, 1);
    expect(desk.release(2, 2, 0)).toEqual([2, notHeld, 0, null]);
    expect(desk.table.counts.waiting).toBe(1);
  });

  test('a lock that nobody took is not held', () => {
    expect(desk.release(1, 1, 5)).toEqual([1, notHeld, 0, null]);
  });
});

describe('cancel', () => {
  test('a cancel takes a waiter out of the queue, and tells the place it had and who holds', () => {
    for (const session of [1, 2, 3, 4]) desk.acquire(session, 1);
    expect(desk.cancel(3, 2, 1)).toEqual([2, done, 2, ['n1', 101, 1000]]);
    expect(desk.table.stateOf('l/x').waiters).toEqual(['n2', 'n4']);
    desk.release(1, 2, 101);
    desk.release(2, 2, 102);
    expect(desk.grants.map(({ node }) => node)).toEqual(['n2', 'n4']);
  });

  test('a cancel that crosses its grant releases the lock to the next', () => {
    desk.acquire(1, 1);
    desk.acquire(2, 1);
    desk.told();
    expect(desk.cancel(1, 2, 1)).toEqual([2, done, 0, ['n1', 101, 1000]]);
    expect(desk.told()).toEqual(['released n1 101', 'granted n2 102']);
  });

  test('a cancel of what is released, or never came, does nothing', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101);
    desk.acquire(2, 1);
    expect(desk.cancel(1, 3, 1)).toEqual([3, done, 0, null]);
    expect(desk.cancel(1, 4, 77)).toEqual([4, done, 0, null]);
    expect(desk.table.stateOf('l/x').holders).toMatchObject([{ node: 'n2' }]);
  });

  test('a session cancels its own acquires only', () => {
    desk.acquire(1, 1);
    desk.acquire(2, 5);
    expect(desk.cancel(3, 1, 5)).toEqual([1, done, 0, null]);
    expect(desk.table.counts.waiting).toBe(1);
  });
});

describe('hand-over notes and proclaimed values', () => {
  test('a note written at the release is given to the next holder', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101, 'position 7');
    expect(desk.table.stateOf('l/x')).toMatchObject({ holders: [], note: 'position 7' });
    expect(desk.acquire(2, 1)).toEqual([1, granted, 102, 'position 7']);
  });

  test('a note written while holding outlives a holder that expires, and reaches the waiter', () => {
    desk.acquire(1, 1);
    desk.acquire(2, 1);
    expect(desk.do(1, [lockOp.note, 2, 'l/x', 101, 'half way'])).toEqual([2, done, 0, null]);
    desk.end(1, true);
    expect(desk.grants).toEqual([{ session: 2, node: 'n2', result: [1, granted, 102, 'half way'] }]);
  });

  test('a release without a note leaves the note of the holder before', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101, 'kept');
    desk.acquire(2, 1);
    desk.release(2, 2, 102, null);
    expect(desk.table.stateOf('l/x').note).toBe('kept');
  });

  test('an empty note removes the note, and a free lock with it', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101, 'gone soon');
    desk.acquire(1, 3);
    expect(desk.release(1, 4, 102, '')).toEqual([4, done, 0, null]);
    expect(desk.table.counts).toEqual({ locks: 0, waiting: 0, notes: 0 });
  });

  test('a note above the limit of the table is refused and nothing changes; one in place of another is not above it', () => {
    desk = new Desk({ waitersMax: 10, notesMax: 1 });
    desk.acquire(1, 1);
    desk.do(1, [lockOp.note, 2, 'l/x', 101, 'first']);
    desk.acquire(2, 1, 'l/y');
    expect(desk.do(2, [lockOp.note, 2, 'l/y', 102, 'second'])).toEqual([2, limit, 0, null]);
    expect(desk.do(2, [lockOp.release, 3, 'l/y', 102, 'second'])).toEqual([3, limit, 0, null]);
    expect(desk.table.stateOf('l/y')).toMatchObject({ holders: [{ token: 102 }], note: null });
    expect(desk.do(1, [lockOp.note, 3, 'l/x', 101, 'instead'])).toEqual([3, done, 0, null]);
    expect(desk.do(2, [lockOp.release, 4, 'l/y', 102, ''])).toEqual([4, done, 0, null]);
  });

  test('a text above 1 KiB is refused as note, as value of an acquire and as proclaimed value', () => {
    const long = 'é'.repeat(noteBytesMax / 2) + 'x';
    expect(desk.acquire(1, 1, 'e/x', 0, long)).toEqual([1, limit, 0, null]);
    desk.acquire(1, 2);
    expect(desk.do(1, [lockOp.note, 3, 'l/x', 101, long])).toEqual([3, limit, 0, null]);
    expect(desk.do(1, [lockOp.proclaim, 4, 'l/x', 101, long])).toEqual([4, limit, 0, null]);
    expect(desk.release(1, 5, 101, long)).toEqual([5, limit, 0, null]);
    expect(desk.table.stateOf('l/x')).toMatchObject({ holders: [{ token: 101, value: null }], note: null });
  });

  test('what an acquire would proclaim stands from its grant on, even out of the queue', () => {
    desk.acquire(1, 1, 'l/x', 0, 'at a:80');
    desk.acquire(2, 1, 'l/x', 0, 'at b:80');
    expect(desk.table.stateOf('l/x').holders).toMatchObject([{ node: 'n1', value: 'at a:80' }]);
    desk.end(1);
    expect(desk.table.stateOf('l/x').holders).toMatchObject([{ node: 'n2', value: 'at b:80' }]);
  });

  test('a proclaimed value takes the place of the one before, and is told', () => {
    desk.acquire(1, 1, 'l/x', 0, 'old');
    desk.told();
    expect(desk.do(1, [lockOp.proclaim, 2, 'l/x', 101, 'new'])).toEqual([2, done, 0, null]);
    expect(desk.table.takeChanges()).toEqual({
      events: [{ type: 'proclaimed', resource: 'l/x', node: 'n1', session: 1, token: 101, value: 'new' }],
      changed: new Set(['l/x']),
    });
  });

  test('a note changes the state that watchers see, though it is no event', () => {
    desk.acquire(1, 1);
    desk.told();
    desk.do(1, [lockOp.note, 2, 'l/x', 101, 'seen']);
    expect(desk.table.takeChanges()).toEqual({ events: [], changed: new Set(['l/x']) });
    expect(desk.table.stateOf('l/x')).toMatchObject({ version: 2, note: 'seen' });
  });
});

describe('the end of a session', () => {
  test('it leaves every queue and frees every lock, by sequence, whatever order they were taken in', () => {
    for (const [seq, resource] of [
      [4, 'l/d'],
      [2, 'l/b'],
    ] as const) {
      desk.acquire(1, seq, resource);
    }
    desk.acquire(2, 1, 'l/b');
    desk.acquire(2, 2, 'l/c');
    desk.acquire(1, 3, 'l/c');
    desk.told();
    desk.end(1, true);
    expect(desk.told()).toEqual(['withdrawn n1 0', 'expired n1 102', 'granted n2 104', 'expired n1 101']);
    expect(desk.table.claims().has(1)).toBe(false);
  });

  test('it never grants to itself what it also waits for', () => {
    desk.acquire(1, 1);
    desk.acquire(1, 2);
    desk.acquire(2, 1);
    desk.end(1);
    expect(desk.grants).toEqual([{ session: 2, node: 'n2', result: [1, granted, 102, null] }]);
  });

  test('of a session without locks, or unknown, it changes nothing', () => {
    desk.acquire(1, 1);
    desk.release(1, 2, 101);
    desk.told();
    desk.end(1);
    desk.end(7);
    expect(desk.told()).toEqual([]);
  });
});

test('a lock that is free and has no note is forgotten; its state is free as of the last slot', () => {
  desk.acquire(1, 1);
  desk.release(1, 2, 101);
  expect(desk.table.counts).toEqual({ locks: 0, waiting: 0, notes: 0 });
  expect(desk.table.stateOf('l/x')).toEqual({ resource: 'l/x', version: 2, holders: [], waiters: [], waiting: 0, note: null });
});

test('a table restored from a snapshot goes on as the one it was taken from', () => {
  for (const session of [1, 2, 3, 4]) desk.acquire(session, 1);
  desk.cancel(3, 2, 1);
  desk.do(1, [lockOp.note, 2, 'l/x', 101, 'kept']);
  const twin = new Desk();
  twin.acquire(9, 1);
  twin.table.restore(desk.table.snapshot());
  expect(twin.table.counts).toEqual(desk.table.counts);
  expect(twin.table.snapshot()).toEqual(desk.table.snapshot());
  expect(checkLockTable(twin.table)).toEqual([]);
  twin.end(1);
  twin.end(2);
  expect(twin.grants.map(({ node, result }) => [node, result[3]])).toEqual([
    ['n2', 'kept'],
    ['n4', 'kept'],
  ]);
});
