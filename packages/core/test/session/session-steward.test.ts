/** The leader's side of sessions at a desk. The safety rules 5 to 7. */
import { entryKind } from '../../src/session/command.ts';
import type { KeepAlive, Watch } from '../../src/session/message.ts';
import { watchedMax } from '../../src/session/message.ts';
import { SessionSteward } from '../../src/session/session-steward.ts';
import type { SessionView } from '../../src/session/session-steward.ts';

type Result = readonly [seq: number];

const ttlMs = 1_000;
const stamp = 'ballot 1';
const expired = (session: number): unknown[] => [[entryKind.expire, session, stamp]];

/** Sessions 1 of a and 2 of b; sequence 5 is answered, 6 waits, others never came. */
function deskOf(nowMs = 0) {
  const living = new Map([
    [1, { key: 1, node: 'a', ttlMs }],
    [2, { key: 2, node: 'b', ttlMs: 2 * ttlMs }],
  ]);
  const view: SessionView<Result, string> = {
    sessions: () => living.values(),
    session: (key) => living.get(key),
    isEnded: (key) => key <= 10 && !living.has(key),
    lookup: (_, seq) => (seq === 5 ? [5] : seq === 6 ? 'pending' : 'unknown'),
    statesOf: (resource) => [`state of ${resource}`],
    coveredTokens: (key) => (key === 1 ? [21, 22] : []),
  };
  return {
    living,
    steward: new SessionSteward<string, Result, string>(
      view,
      stamp,
      nowMs,
      500,
      (states) => [states],
      (token) => token !== 22,
    ),
    view,
  };
}

const beat = (session: number, more: Partial<KeepAlive> = {}): KeepAlive => {
  return { type: 'keepAlive', session, id: 3, floor: 0, pending: [], watchVersion: 0, watchedIndex: 0, watchHeard: 0, ...more };
};

const part = (number: number, added: readonly string[], more: Partial<Watch> = {}): Watch => {
  return { type: 'watch', session: 1, version: 1, since: 0, part: number, added, removed: [], ...more };
};

describe('a steward', () => {
  it('gives every session its full TTL from its beginning, then ends the silent ones under its stamp', () => {
    const { steward } = deskOf(5_000);
    expect(steward.expire(5_999, 5_999)).toEqual([]);
    expect(steward.expire(6_000, 6_000)).toEqual(expired(1));
    expect(steward.expire(6_001, 6_001)).toEqual([]);
    expect(steward.expire(7_000, 7_000)).toEqual(expired(2));
  });

  it('counts a keep-alive from its arrival, and from none that came before', () => {
    const { steward } = deskOf();
    steward.onKeepAlive('a', beat(1), 700);
    steward.onKeepAlive('a', beat(1), 300);
    expect(steward.remainingMs(1, 700)).toBe(ttlMs);
    expect(steward.expire(1_699, 1_699)).toEqual([]);
    expect(steward.expire(1_700, 1_700)).toEqual(expired(1));
  });

  it('ends a session that an open was to replace and did not, a TTL later, and answers nothing for it until then', () => {
    const { steward } = deskOf();
    steward.beginEnding(1);
    steward.livesOn(1, ttlMs, 400);
    // It is asked for again and again, and refused again and again.
    steward.beginEnding(1);
    steward.livesOn(1, ttlMs, 900);
    expect(steward.onKeepAlive('a', beat(1), 500)).toBeNull();
    expect(steward.expire(1_399, 1_399)).toEqual([]);
    expect(steward.expire(1_400, 1_400)).toEqual(expired(1));
  });

  it('ends nobody for a time in which it cannot know that it led', () => {
    const { steward } = deskOf();
    expect(steward.expire(1_200, 999)).toEqual([]);
    expect(steward.expire(1_200, 1_000)).toEqual(expired(1));
  });

  it('gives everyone the full TTL again when its authority had lapsed', () => {
    const { steward } = deskOf();
    expect(steward.expire(900, 100)).toEqual([]);
    expect(steward.expire(5_000, 5_000)).toEqual([]);
    expect(steward.expire(5_999, 5_999)).toEqual([]);
    expect(steward.expire(6_000, 6_000)).toEqual(expired(1));
  });

  it('answers nothing for a session from the moment it proposes its end (safety 6)', () => {
    const { steward } = deskOf();
    steward.beginEnding(1);
    expect(steward.onKeepAlive('a', beat(1), 10)).toBeNull();
    expect(steward.onKeepAlive('b', beat(2), 10)).not.toBeNull();
  });

  it('answers only its holder, and says of one that is over that it is', () => {
    const { steward, living } = deskOf();
    expect(steward.onKeepAlive('b', beat(1), 10)).toBeNull();
    living.delete(1);
    expect(steward.onKeepAlive('a', beat(1), 10)).toEqual({ type: 'sessionEnded', session: 1 });
    expect(steward.onKeepAlive('a', beat(99), 10)).toBeNull();
  });

  it('tells what is answered and what never came; what waits is neither', () => {
    const { steward } = deskOf();
    expect(steward.onKeepAlive('a', beat(1, { pending: [5, 6, 7] }), 10)).toEqual({
      type: 'keptAlive',
      session: 1,
      id: 3,
      results: [[5]],
      unknown: [7],
      covered: [21],
      watch: { version: 0, part: 0 },
    });
  });

  it('counts the updates of a watch list, and tells again of what was not received, however often it changed', () => {
    const { steward, view } = deskOf();
    const told = (index: number, heard: number) =>
      steward.onMissed('a', beat(1, { watchVersion: 1, watchedIndex: index, watchHeard: heard }));
    expect(steward.onKeepAlive('a', beat(1, { watchVersion: 1 }), 10)).toMatchObject({ watch: { version: 0, part: 0 } });
    expect(told(0, 3)).toEqual([]);
    expect(steward.onWatch('a', part(1, ['l/x', 'l/z']))[0]?.message).toMatchObject({
      part: 1,
      since: 0,
      index: 1,
      states: ['state of l/x', 'state of l/z'],
    });
    expect(steward.onKeepAlive('a', beat(1, { id: 4, watchVersion: 1 }), 10)).toMatchObject({ watch: { version: 1, part: 1 } });
    expect(steward.changed(new Set(['l/y']), view.statesOf)).toEqual([]);
    for (const index of [2, 3]) {
      expect(steward.changed(new Set(['l/x', 'l/y']), view.statesOf)).toMatchObject([
        { node: 'a', message: { since: index - 1, index, states: ['state of l/x'] } },
      ]);
    }
    // Both updates may be on their way: the newest answer that came left before them.
    expect(told(1, 4)).toEqual([]);
    steward.onKeepAlive('a', beat(1, { id: 5, watchVersion: 1, watchHeard: 4 }), 20);
    expect(told(3, 5)).toEqual([]);
    expect(told(1, 5)).toMatchObject([{ message: { since: 1, index: 4, states: ['state of l/x'] } }]);
    // So may be what was told again, though that of before was not received.
    expect(told(1, 5)).toEqual([]);
    steward.onKeepAlive('a', beat(1, { id: 6, watchVersion: 1, watchHeard: 5 }), 30);
    expect(told(3, 6)).toMatchObject([{ message: { since: 3, index: 5, states: ['state of l/x'] } }]);
    steward.ended(1, 'a');
    expect(steward.hasWatchers).toBe(false);
  });

  it('closes a gap of updates though what they told of is watched no more', () => {
    const { steward } = deskOf();
    steward.onWatch('a', part(1, ['l/x']));
    steward.onWatch('a', part(2, [], { since: 1, removed: ['l/x'] }));
    const message = { version: 1, part: 2, since: 0, index: 2, states: [] };
    steward.onKeepAlive('a', beat(1, { watchVersion: 1 }), 10);
    expect(steward.onMissed('a', beat(1, { watchVersion: 1, watchHeard: 3 }))).toMatchObject([{ message }]);
  });

  it('holds what it told before an answer against the first of two answers to one keep-alive', () => {
    const { steward, view } = deskOf();
    steward.onWatch('a', part(1, ['l/x']));
    steward.onKeepAlive('a', beat(1, { watchVersion: 1, watchedIndex: 1 }), 10);
    steward.changed(new Set(['l/x']), view.statesOf);
    steward.onKeepAlive('a', beat(1, { watchVersion: 1, watchedIndex: 1 }), 20);
    expect(steward.onMissed('a', beat(1, { id: 4, watchVersion: 1, watchedIndex: 1, watchHeard: 3 }))).toEqual([]);
  });

  it('takes what removes and adds as many as may be watched, and forgets a list that comes to more: its holder is answered that there is none', () => {
    const { steward } = deskOf();
    const names = (kind: string) => Array.from({ length: watchedMax }, (_, index) => `l/${kind}-${index}`);
    const known = (): unknown => steward.onKeepAlive('a', beat(1), 10);
    expect(steward.onWatch('a', part(1, names('a')))).toHaveLength(1);
    expect(steward.onWatch('a', part(2, names('b'), { since: 1, removed: names('a') }))).toHaveLength(1);
    expect(steward.onWatch('a', part(3, ['l/b-0'], { since: 2 }))).toHaveLength(1);
    expect(known()).toMatchObject({ watch: { version: 1, part: 3 } });
    expect(steward.onWatch('a', part(4, ['l/one-more'], { since: 3 }))).toEqual([]);
    expect(known()).toMatchObject({ watch: { version: 0, part: 0 } });
    expect(steward.hasWatchers).toBe(false);
  });

  it('knows nothing of a list of which more was told than by this leader', () => {
    const { steward } = deskOf();
    steward.onWatch('a', part(1, ['l/x']));
    const known = (watchedIndex: number): unknown => steward.onKeepAlive('a', beat(1, { watchVersion: 1, watchedIndex }), 10);
    expect(known(1)).toMatchObject({ watch: { version: 1, part: 1 } });
    expect(known(2)).toMatchObject({ watch: { version: 0, part: 0 } });
  });

  it('does not tell a list again that comes twice or late, nor one of another session', () => {
    const { steward, view } = deskOf();
    const told = (session: number, version: number): number => steward.onWatch('a', part(1, ['l/x'], { session, version })).length;
    expect([told(1, 4), told(1, 4), told(1, 3), told(2, 9), told(77, 9)]).toEqual([1, 0, 0, 0, 0]);
    expect(steward.changed(new Set(['l/x']), view.statesOf)).toMatchObject([{ node: 'a', message: { version: 4, index: 2 } }]);
    expect(told(1, 5)).toBe(1);
  });

  it('takes a part upon those before it, and none behind a gap', () => {
    const { steward, view } = deskOf();
    const states = (watch: Watch): unknown[] =>
      steward.onWatch('a', watch).flatMap(({ message }) => (message.type === 'watched' ? message.states : []));
    expect(states(part(2, ['l/y'], { since: 1 }))).toEqual([]);
    expect(states(part(1, ['l/x']))).toEqual(['state of l/x']);
    expect(states(part(3, ['l/z'], { since: 2 }))).toEqual([]);
    expect(states(part(2, ['l/y'], { since: 1 }))).toEqual(['state of l/y']);
    expect(states(part(2, ['l/y'], { since: 1 }))).toEqual([]);
    // Said again since the first, with what was lost.
    expect(states(part(4, ['l/y', 'l/z'], { since: 1, removed: ['l/x'] }))).toEqual(['state of l/y', 'state of l/z']);
    expect(steward.changed(new Set(['l/x']), view.statesOf)).toEqual([]);
    expect(steward.changed(new Set(['l/z']), view.statesOf)).toMatchObject([{ message: { part: 4, states: ['state of l/z'] } }]);
  });
});
