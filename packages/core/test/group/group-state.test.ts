/** What a group's log does to its sessions and locks. `docs/protocol.md`, "Applying a batch"; the safety rules 5, 12, 13, 17. */
import { electionEventOf } from '../../src/election/term.ts';
import { checkGroupState } from '../../src/group/group-invariants.ts';
import type { LockOp } from '../../src/lock/command.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { answersMax } from '../../src/session/answer-window.ts';
import type { Entry } from '../../src/session/command.ts';
import { entryKind, sessionKeyOf } from '../../src/session/command.ts';
import { acquire, cancel, GroupDesk, release, tokenBase } from './group-desk.ts';

const { granted, done, limit, withdrawn, unsupported } = resultCode;
const { begin, openGroup, openSession, closeSession, expire } = entryKind;

let desk: GroupDesk;
beforeEach(() => {
  desk = new GroupDesk();
});
afterEach(() => {
  expect(checkGroupState(desk.state)).toEqual([]);
});

describe('the log', () => {
  test('slots are applied in order, each once', () => {
    const { state } = desk;
    expect(() => state.apply(state.appliedIndex, null)).toThrow(/in order/);
    expect(() => state.apply(state.appliedIndex + 2, null)).toThrow(/in order/);
  });

  test('a no-op moves the applied index and nothing else', () => {
    const slot = desk.state.appliedIndex + 1;
    expect(desk.state.apply(slot, null)).toEqual({
      slot,
      partitions: new Map(),
      replies: [],
      unknownSessions: [],
      events: [],
      changed: new Set(),
      opened: [],
      refused: [],
      ended: [],
      begun: null,
      groupOpened: false,
      sealed: null,
    });
    expect(desk.state.appliedIndex).toBe(slot);
  });

  test('an entry and an operation of a later version change nothing and stop nobody', () => {
    const session = desk.open('a');
    const laterEntry: unknown = [77, 'whatever'];
    const laterOp: unknown = [77, 1, 'whatever'];
    const applied = desk.slot(laterEntry as Entry<LockOp>, [entryKind.use, session, 0, [laterOp as LockOp, acquire(2)]]);
    expect(applied.replies).toEqual([
      {
        session,
        node: 'a',
        results: [
          [1, unsupported, 0, null],
          [2, granted, tokenBase + 1, null],
        ],
      },
    ]);
  });
});

describe('the opening', () => {
  beforeEach(() => {
    desk = new GroupDesk({}, false);
  });

  test('nothing opens before the group does', () => {
    expect(desk.slot([openSession, 'n', 'a', 'a.1', 10_000, 0])).toMatchObject({
      opened: [],
      refused: [{ nonce: 'n', node: 'a', instance: 'a.1', reason: 'closed' }],
    });
    expect(desk.use(4096, 0, acquire(1))).toMatchObject({ replies: [], unknownSessions: [4096] });
  });

  test('an opening under another stamp than that of the last begin is void', () => {
    expect(desk.slot([begin, 'b1']).begun).toBe('b1');
    desk.slot([begin, 'b2']);
    expect(desk.slot([openGroup, 'b1', 1]).groupOpened).toBe(false);
    expect(desk.state.isOpen).toBe(false);
    expect(desk.slot([openGroup, 'b2', 1]).groupOpened).toBe(true);
    expect(desk.state).toMatchObject({ isOpen: true, stamp: 'b2' });
  });

  test('the first token is above the second that the opening names, and a second opening moves nothing', () => {
    desk.slot([begin, 'b1'], [openGroup, 'b1', 200]);
    const session = desk.open('a');
    expect(desk.results(session, 0, acquire(1))).toEqual([[1, granted, 200 * 2 ** 22 + 1, null]]);
    expect(desk.slot([openGroup, 'b1', 300]).groupOpened).toBe(false);
    expect(desk.results(session, 1, acquire(2, 'l/y'))).toEqual([[2, granted, 200 * 2 ** 22 + 2, null]]);
  });

  test('a counter that would leave the safe integers stops the replica', () => {
    desk.slot([begin, 'b1']);
    expect(() => desk.slot([openGroup, 'b1', 2 ** 31])).toThrow(/safe integer/);
    desk = new GroupDesk();
  });
});

describe('sessions', () => {
  test('a session is numbered by the slot and index of its entry', () => {
    const applied = desk.slot([openSession, 'na', 'a', 'a.1', 10_000, 0], [openSession, 'nb', 'b', 'b.1', 20_000, 0]);
    const { slot } = applied;
    expect(applied.opened).toEqual([
      { nonce: 'na', node: 'a', instance: 'a.1', session: sessionKeyOf(slot, 0), ttlMs: 10_000, retried: false },
      { nonce: 'nb', node: 'b', instance: 'b.1', session: sessionKeyOf(slot, 1), ttlMs: 20_000, retried: false },
    ]);
    expect([...desk.state.sessions()].map(({ node }) => node)).toEqual(['a', 'b']);
    expect(desk.state.sessionOfNode('b')).toBe(sessionKeyOf(slot, 1));
    expect(desk.state.session(sessionKeyOf(slot, 0))).toMatchObject({ node: 'a', instance: 'a.1', ttlMs: 10_000 });
  });

  test('a retried open is answered with the session that it opened before', () => {
    const session = desk.open('a');
    expect(desk.slot([openSession, 'nonce of a', 'a', 'a.1', 10_000, 0]).opened).toEqual([
      { nonce: 'nonce of a', node: 'a', instance: 'a.1', session, ttlMs: 10_000, retried: true },
    ]);
  });

  test('refusals are told with their reason', () => {
    desk = new GroupDesk({ sessionsMax: 1 });
    desk.open('a');
    const applied = desk.slot(
      [openSession, 'n1', 'a', 'a.2', 10_000, 0],
      [openSession, 'n2', 'b', 'b.1', 10_000, 0],
      [openSession, 'n3', 'b', 'b.1', 30_001, 0],
    );
    expect(applied.refused.map(({ nonce, reason }) => [nonce, reason])).toEqual([
      ['n1', 'nameTaken'],
      ['n2', 'limit'],
      ['n3', 'ttlTooLong'],
    ]);
  });

  test('an expiry under the stamp of the last begin ends the session, and its locks are granted on', () => {
    const a = desk.open('a');
    const b = desk.open('b');
    desk.use(a, 0, acquire(1));
    desk.use(b, 0, acquire(1));
    const applied = desk.slot([expire, a, 'b1']);
    expect(applied.ended).toEqual([{ session: a, node: 'a', reason: 'expired' }]);
    expect(applied.events.map(({ type, node }) => [type, node])).toEqual([
      ['expired', 'a'],
      ['granted', 'b'],
    ]);
    expect(applied.replies).toEqual([{ session: b, node: 'b', results: [[1, granted, tokenBase + 2, null]] }]);
    expect(applied.changed).toEqual(new Set(['l/x']));
  });

  test('an expiry that a deposed leader left behind is void: the session that its successor keeps goes on', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1));
    desk.slot([begin, 'b2']);
    expect(desk.slot([expire, a, 'b1'])).toMatchObject({ ended: [], events: [] });
    expect(desk.state.session(a)).toBeDefined();
    expect(desk.slot([expire, a, 'b2']).ended).toHaveLength(1);
  });

  test('a close ends the session at once, and a second one is told that it is no more', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1));
    expect(desk.slot([closeSession, a])).toMatchObject({
      ended: [{ session: a, node: 'a', reason: 'closed' }],
      events: [{ type: 'released', node: 'a' }],
    });
    expect(desk.slot([closeSession, a])).toMatchObject({ ended: [], unknownSessions: [a] });
    expect(desk.slot([expire, a, 'b1'])).toMatchObject({ ended: [], unknownSessions: [] });
  });

  test('a session that its process has given up ends with the opening of the next', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1));
    const applied = desk.slot([openSession, 'again', 'a', 'a.1', 10_000, a]);
    expect(applied.ended).toEqual([{ session: a, node: 'a', reason: 'replaced' }]);
    expect(applied.events).toMatchObject([{ type: 'expired', node: 'a' }]);
    expect(applied.opened).toMatchObject([{ nonce: 'again', node: 'a' }]);
  });

  test.each([
    ['closed by its holder is resigned', closeSession, 'resigned'],
    ['silent for too long is lost', expire, 'lost'],
    ['given up because its lease ran out at the holder first is lost', openSession, 'lost'],
  ] as const)('the term of a session that is %s', (_what, end, meaning) => {
    const a = desk.open('a');
    desk.use(a, 0, [lockOp.acquire, 1, 'e/x', 0, 0, null]);
    const ends = {
      [closeSession]: [closeSession, a],
      [expire]: [expire, a, 'b1'],
      [openSession]: [openSession, 'again', 'a', 'a.1', 10_000, a],
    } as const;
    expect(desk.slot(ends[end]).events.map((event) => electionEventOf(event)?.type)).toEqual([meaning]);
  });

  test('a session that has ended is refused for ever, and one whose slot is not applied yet has not ended', () => {
    const a = desk.open('a');
    expect(desk.state.isEnded(a)).toBe(false);
    expect(desk.state.isEnded(sessionKeyOf(desk.state.appliedIndex + 1, 0))).toBe(false);
    desk.slot([closeSession, a]);
    expect(desk.state.isEnded(a)).toBe(true);
    expect(desk.use(a, 0, acquire(1))).toMatchObject({ replies: [], unknownSessions: [a], events: [] });
    expect(desk.state.lookup(a, 1)).toBe('unknown');
  });

  test('sessions that end leave nothing', () => {
    for (let round = 0; round < 3; round += 1) {
      const sessions = ['a', 'b', 'c'].map((node) => desk.open(node));
      for (const session of sessions) desk.use(session, 0, acquire(1), acquire(2, `l/${session}`), cancel(4, 3));
      desk.slot(...sessions.map((session) => [closeSession, session] as const));
    }
    expect(desk.state.counts).toEqual({ sessions: 0, locks: 0, waiting: 0, notes: 0, partitionSets: 0 });
    expect(desk.state.tables.locks.claims().size).toBe(0);
    expect(desk.state.snapshot()).toMatchObject({ sessions: [], locks: [] });
  });
});

describe('applied once', () => {
  test('a command that comes again is answered again and does nothing', () => {
    const a = desk.open('a');
    const first = desk.results(a, 0, acquire(1));
    expect(desk.results(a, 0, acquire(1), acquire(1))).toEqual([...first, ...first]);
    expect(desk.state.token).toBe(tokenBase + 1);
  });

  test('a release that comes again leaves the next grant of the lock alone', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1), release(2, tokenBase + 1), acquire(3));
    expect(desk.results(a, 0, release(2, tokenBase + 1))).toEqual([[2, done, 0, null]]);
    expect(desk.state.lockState('l/x').holders).toMatchObject([{ token: tokenBase + 2 }]);
  });

  test('commands may come in any order within the window', () => {
    const a = desk.open('a');
    expect(desk.results(a, 0, acquire(5, 'l/five')).map(([seq]) => seq)).toEqual([5]);
    expect(desk.results(a, 0, acquire(2, 'l/two'), acquire(5, 'l/five')).map(([seq]) => seq)).toEqual([2, 5]);
    expect(desk.state.counts.locks).toBe(2);
    expect(desk.state.lookup(a, 1)).toBe('unknown');
  });

  test('what comes at or under the floor is dropped without an answer', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1), release(2, tokenBase + 1));
    expect(desk.use(a, 2, acquire(1), release(2, tokenBase + 1))).toMatchObject({ replies: [], events: [] });
  });

  test('a floor that is behind does not bring back what was dropped', () => {
    const a = desk.open('a');
    desk.use(a, 3);
    expect(desk.use(a, 0, acquire(2))).toMatchObject({ replies: [], events: [] });
  });

  test('a command beyond the window is refused, forgotten, and applied when the floor has come near', () => {
    const a = desk.open('a');
    const seq = answersMax + 1;
    expect(desk.results(a, 0, acquire(seq))).toEqual([[seq, limit, 0, null]]);
    expect(desk.results(a, 0, cancel(1, seq))).toEqual([[1, limit, 0, null]]);
    expect(desk.state.lookup(a, seq)).toBe('unknown');
    expect(desk.results(a, 1, acquire(seq))).toEqual([[seq, granted, tokenBase + 1, null]]);
  });

  test('what a session was answered dies with it: its successor counts from 1', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1));
    const [opened] = desk.slot([openSession, 'again', 'a', 'a.1', 10_000, a]).opened;
    expect(desk.results(opened?.session ?? 0, 0, acquire(1))).toEqual([[1, granted, tokenBase + 2, null]]);
  });
});

describe('a grant out of the queue', () => {
  let a = 0;
  let b = 0;
  beforeEach(() => {
    a = desk.open('a');
    b = desk.open('b');
    desk.use(a, 0, acquire(1));
    desk.use(b, 0, acquire(7));
  });

  test('is told in the reply of the slot that granted it', () => {
    expect(desk.use(a, 0, release(2, tokenBase + 1)).replies).toEqual([
      { session: b, node: 'b', results: [[7, granted, tokenBase + 2, null]] },
      { session: a, node: 'a', results: [[2, done, 0, null]] },
    ]);
  });

  test('is what a copy of the acquire is answered from then on, even later in the same slot', () => {
    const applied = desk.slot([entryKind.use, a, 0, [release(2, tokenBase + 1)]], [entryKind.use, b, 0, [acquire(7)]]);
    expect(applied.replies.find(({ session }) => session === b)?.results).toEqual([
      [7, granted, tokenBase + 2, null],
      [7, granted, tokenBase + 2, null],
    ]);
  });

  test('is found by its sequence, before and after', () => {
    expect(desk.state.lookup(b, 7)).toBe('pending');
    desk.use(a, 0, release(2, tokenBase + 1));
    expect(desk.state.lookup(b, 7)).toEqual([7, granted, tokenBase + 2, null]);
  });

  test('is found by its sequence though the floor passed it while it waited', () => {
    desk.use(b, 7);
    expect(desk.state.lookup(b, 7)).toBe('pending');
    desk.use(a, 0, [lockOp.release, 2, 'l/x', tokenBase + 1, 'over to you']);
    expect(desk.state.lookup(b, 7)).toEqual([7, granted, tokenBase + 2, 'over to you']);
    desk.use(b, 7, release(8, tokenBase + 2));
    expect(desk.state.lookup(b, 7)).toEqual([7, withdrawn, 0, null]);
  });

  test('can be cancelled though the floor passed it', () => {
    expect(desk.results(b, 7, cancel(8, 7))).toEqual([[8, done, 1, ['a', tokenBase + 1, 4000]]]);
    expect(desk.use(a, 0, release(2, tokenBase + 1)).events).toMatchObject([{ type: 'released' }]);
  });
});

describe('a cancel', () => {
  test('that comes before its acquire leaves a tombstone: the late acquire is answered withdrawn and takes nothing', () => {
    const a = desk.open('a');
    expect(desk.results(a, 0, cancel(2, 1))).toEqual([[2, done, 0, null]]);
    expect(desk.use(a, 0, acquire(1))).toMatchObject({ events: [], replies: [{ results: [[1, withdrawn, 0, null]] }] });
    expect(desk.state.counts.locks).toBe(0);
  });

  test('that crosses its grant releases the lock, and a copy of the acquire does not take it again', () => {
    const a = desk.open('a');
    const b = desk.open('b');
    desk.use(a, 0, acquire(1));
    desk.use(b, 0, acquire(1));
    desk.use(a, 0, release(2, tokenBase + 1));
    expect(desk.results(b, 0, cancel(2, 1))).toEqual([[2, done, 0, ['b', tokenBase + 2, 6000]]]);
    expect(desk.state.lockState('l/x').holders).toEqual([]);
    expect(desk.results(b, 0, acquire(1))).toEqual([[1, withdrawn, 0, null]]);
    expect(desk.state.lookup(b, 1)).toEqual([1, withdrawn, 0, null]);
  });

  test('of a waiter takes it out of the queue for good', () => {
    const a = desk.open('a');
    const b = desk.open('b');
    desk.use(a, 0, acquire(1));
    desk.use(b, 0, acquire(1), cancel(2, 1));
    expect(desk.results(b, 0, acquire(1))).toEqual([[1, withdrawn, 0, null]]);
    expect(desk.use(a, 0, release(2, tokenBase + 1)).replies).toEqual([{ session: a, node: 'a', results: [[2, done, 0, null]] }]);
  });

  test('of an acquire that was released keeps the answer it had', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1), release(2, tokenBase + 1));
    desk.use(a, 0, cancel(3, 1));
    expect(desk.state.lookup(a, 1)).toEqual([1, granted, tokenBase + 1, null]);
  });

  test('that comes again does nothing more: a later acquire of the lock stays', () => {
    const a = desk.open('a');
    desk.use(a, 0, acquire(1), cancel(2, 1), acquire(3));
    expect(desk.results(a, 0, cancel(2, 1))).toEqual([[2, done, 0, ['a', tokenBase + 1, 3000]]]);
    expect(desk.state.lockState('l/x').holders).toMatchObject([{ token: tokenBase + 2 }]);
  });
});
