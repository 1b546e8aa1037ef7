/** Who may have a session, and when. The safety rules 10 and 17. */
import type { OpenOutcome, SessionRequest } from '../../src/session/session-table.ts';
import { checkSessionTable, SessionTable } from '../../src/session/session-table.ts';

type Answer = readonly [seq: number, text: string];

const request: SessionRequest = { nonce: 'n1', node: 'a', instance: 'a.1', ttlMs: 10_000, replaces: 0 };

function newTable(sessionsMax = 3): SessionTable<Answer> {
  return new SessionTable<Answer>({ sessionsMax, maxSessionTtlMs: 30_000 });
}

function refusalOf(outcome: OpenOutcome<Answer>): string {
  return outcome.type === 'refused' ? outcome.reason : 'none';
}

test('an open gives a session under the key of its entry', () => {
  const table = newTable();
  const outcome = table.open(4097, request);
  expect(outcome).toMatchObject({ type: 'opened', retried: false, replaced: null, session: { key: 4097, node: 'a', ttlMs: 10_000 } });
  expect(table.ofNode('a')?.key).toBe(4097);
});

test('a retry with the same nonce is answered with the same session', () => {
  const table = newTable();
  table.open(4097, request);
  expect(table.open(8192, request)).toMatchObject({ type: 'opened', retried: true, replaced: null, session: { key: 4097 } });
  expect(table.size).toBe(1);
});

test('another instance of the node is refused while the session lives, and opens once it has ended', () => {
  const table = newTable();
  table.open(1, request);
  const restarted = { ...request, nonce: 'n2', instance: 'a.2' };
  expect(refusalOf(table.open(2, restarted))).toBe('nameTaken');
  table.end(1);
  expect(table.open(3, restarted)).toMatchObject({ type: 'opened', session: { key: 3 } });
});

test('another instance is refused even with the nonce of the living one, or if it claims to replace it', () => {
  const table = newTable();
  table.open(1, request);
  expect(refusalOf(table.open(2, { ...request, instance: 'a.2' }))).toBe('nameTaken');
  expect(refusalOf(table.open(2, { ...request, nonce: 'n2', instance: 'a.2', replaces: 1 }))).toBe('nameTaken');
  expect(table.get(1)).toBeDefined();
});

test('the instance itself replaces the session that it has given up', () => {
  const table = newTable();
  table.open(1, request);
  const outcome = table.open(2, { ...request, nonce: 'n2', replaces: 1 });
  expect(outcome).toMatchObject({ type: 'opened', retried: false, replaced: { key: 1 }, session: { key: 2 } });
  expect(table.get(1)).toBeUndefined();
  expect(table.size).toBe(1);
});

test('the instance itself is refused a second session beside the first', () => {
  const table = newTable();
  table.open(1, request);
  expect(refusalOf(table.open(2, { ...request, nonce: 'n2' }))).toBe('nameTaken');
});

test('a delayed copy of an older open does not end the newer session of its instance', () => {
  const table = newTable();
  table.open(1, request);
  table.open(2, { ...request, nonce: 'n2', replaces: 1 });
  expect(refusalOf(table.open(3, request))).toBe('nameTaken');
  expect(table.get(2)).toBeDefined();
});

test('a session that a delayed copy of an older open brought about gives way to the next open of its instance', () => {
  const table = newTable();
  table.open(1, request);
  table.end(1);
  table.open(2, request);
  expect(table.open(3, { ...request, nonce: 'n2', replaces: 1 })).toMatchObject({
    type: 'opened',
    replaced: { key: 2 },
    session: { key: 3 },
  });
});

test('as many sessions as the limit open, and no more', () => {
  const table = newTable(2);
  table.open(1, request);
  table.open(2, { ...request, node: 'b' });
  expect(refusalOf(table.open(3, { ...request, node: 'c' }))).toBe('limit');
  expect(table.open(4, { ...request, nonce: 'n2', replaces: 1 })).toMatchObject({ type: 'opened' });
});

test('a TTL above the longest of the group is refused, the longest is not', () => {
  const table = newTable();
  expect(refusalOf(table.open(1, { ...request, ttlMs: 30_001 }))).toBe('ttlTooLong');
  expect(table.open(2, { ...request, ttlMs: 30_000 })).toMatchObject({ type: 'opened' });
});

test('a table restored from a snapshot knows the same sessions, floors and answers', () => {
  const table = newTable();
  table.open(1, request);
  const session = table.open(2, { ...request, node: 'b', nonce: 'nb', replaces: 0 });
  if (session.type !== 'opened') throw new Error('the session was refused');
  for (const seq of [1, 2, 4]) session.session.answers.remember([seq, `answer ${seq}`]);
  session.session.answers.raiseFloor(1);
  const restored = newTable();
  restored.restore(table.snapshot());
  expect(restored.snapshot()).toEqual(table.snapshot());
  expect(restored.get(2)?.answers.recall(4)).toEqual([4, 'answer 4']);
  expect(restored.get(2)?.answers.floor).toBe(1);
  expect(restored.open(9, { ...request, node: 'b', nonce: 'nb', replaces: 0 })).toMatchObject({ retried: true, session: { key: 2 } });
});

test('a snapshot holds no part of the table that changes later', () => {
  const table = newTable();
  table.open(1, request);
  table.get(1)?.answers.remember([1, 'before']);
  const snapshot = table.snapshot();
  const text = JSON.stringify(snapshot);
  table.get(1)?.answers.remember([2, 'after']);
  table.end(1);
  expect(JSON.stringify(snapshot)).toBe(text);
});

describe('the check names', () => {
  const rowOf = (key: number, node: string, ttlMs = 10_000) => [key, 'n', node, 'i', ttlMs, 0, 0, []] as const;

  test.each([
    ['a second session of one node', [rowOf(1, 'a'), rowOf(2, 'a')], ['sessions 1: the index by node does not name session 1 of a']],
    ['a TTL above the longest', [rowOf(1, 'a', 30_001)], ["sessions 2: session 1 has a TTL above the group's longest"]],
    ['sessions out of order', [rowOf(2, 'a'), rowOf(1, 'b')], ['sessions 3: session 1 stands after 2']],
    ['one session too many', [rowOf(1, 'a'), rowOf(2, 'b'), rowOf(3, 'c'), rowOf(4, 'd')], ['sessions 2: 4 sessions']],
    ['nothing in a sound table', [rowOf(1, 'a'), rowOf(2, 'b')], []],
  ])('%s', (_what, rows, broken) => {
    const table = newTable();
    table.restore(rows);
    expect(checkSessionTable(table)).toEqual(broken);
  });
});
