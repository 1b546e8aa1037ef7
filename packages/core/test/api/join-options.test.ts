/** The options of join: what is filled in, and what is refused with which words. */
import fc from 'fast-check';
import { resolveJoinOptions } from '../../src/api/join-options.ts';
import type { JoinOptions } from '../../src/api/join-options.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

const transport = memoryTransport({ timing: { heartbeatMs: 100, electionTimeoutMs: 500, sessionTtlMs: 10_000 } });
const good: JoinOptions = { group: 'g', node: 'a', voters: ['c', 'a', 'b'], transport };

function refusalOf(changes: Record<string, unknown>): { code: ErrorCode; message: string } {
  try {
    resolveJoinOptions({ ...good, ...changes } as JoinOptions);
  } catch (error) {
    if (isQuorateError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('accepted');
}

/** A list that has nothing in its first place, which `map` and `forEach` pass over. */
function withGap(second: string): string[] {
  const list: string[] = [];
  list[1] = second;
  return list;
}

describe('options of join', () => {
  test('what is not given comes from the transport and the defaults', () => {
    expect(resolveJoinOptions(good)).toMatchObject({
      voters: ['a', 'b', 'c'],
      heartbeatMs: 100,
      electionTimeoutMs: 500,
      sessionTtlMs: 10_000,
      maxSessionTtlMs: 10_000,
      firstFounding: false,
      whenMajorityIsLost: 'stop',
      standsBy: false,
      replaceAfterMs: 30_000,
      reads: 'lease',
      events: 'leadership',
      timeoutMs: 40_000,
    });
  });

  test('the default deadline contains the wait before a first opening', () => {
    expect(resolveJoinOptions({ ...good, timing: { maxSessionTtlMs: 60_000 } }).timeoutMs).toBe(90_000);
    expect(resolveJoinOptions({ ...good, timeoutMs: Infinity }).timeoutMs).toBe(Infinity);
  });

  test('a TTL above the transport’s raises the longest TTL with it', () => {
    expect(resolveJoinOptions({ ...good, session: { ttlMs: 20_000 } }).maxSessionTtlMs).toBe(20_000);
  });

  test.each([
    ['an empty group', { group: '' }],
    ['a node that is no string', { node: 7 }],
    ['a node that is missing', { node: undefined }],
    ['a group of 257 bytes', { group: 'x'.repeat(257) }],
    ['a group of 86 characters of three bytes', { group: '€'.repeat(86) }],
    ['an empty voter', { voters: ['a', ''] }],
    ['a gap among the voters', { voters: withGap('a') }],
  ])('%s is INVALID_NAME', (_what, changes) => {
    expect(refusalOf(changes).code).toBe('INVALID_NAME');
  });

  test.each([
    [undefined, 'is undefined, not a string'],
    [null, 'is null, not a string'],
    [{}, 'is an object, not a string'],
    [7, 'is a number, not a string'],
  ])('the name %p is refused in good grammar', (node, words) => {
    expect(refusalOf({ node }).message).toContain(`The name of a node ${words}.`);
  });

  test('256 bytes are a name', () => {
    expect(resolveJoinOptions({ ...good, group: 'x'.repeat(256), node: `${'€'.repeat(85)}x` }).group).toHaveLength(256);
  });

  test.each([
    ['voters that are no array', { voters: 'a,b,c' }, '`voters`'],
    ['sixteen voters', { voters: Array.from({ length: 16 }, (_, n) => `v${n}`) }, '16 names; at most 15'],
    ['no voters', { voters: [] }, '`voters` is empty'],
    ['a setting for a lost majority that is none', { whenMajorityIsLost: 'never' }, '`whenMajorityIsLost` is'],
    ['a counted group that is to found itself anew', { voters: { count: 3 }, whenMajorityIsLost: 'refound' }, '`voters` is { count }'],
    ['a repeated voter', { voters: ['a', 'b', 'a'] }, '"a" more than once'],
    ['a TTL that is not finite', { session: { ttlMs: Infinity } }, 'Infinity'],
    ['a TTL that is no number', { session: { ttlMs: NaN } }, 'NaN'],
    ['a TTL over 24.8 days', { session: { ttlMs: 2 ** 31 } }, '2147483648'],
    [
      'a TTL above the longest',
      { session: { ttlMs: 20_000 }, timing: { maxSessionTtlMs: 15_000 } },
      '(20000) is above `timing.maxSessionTtlMs` (15000)',
    ],
    ['a heartbeat of no length', { timing: { heartbeatMs: 0 } }, '`timing.heartbeatMs` is 0'],
    ['an election timeout under two heartbeats', { timing: { heartbeatMs: 300 } }, '(500) is under two heartbeats'],
    ['a secret of 15 bytes', { secrets: ['0123456789abcdef', 'short'] }, '`secrets[1]` has 5 bytes'],
    ['a secret that is a number', { secrets: [16] }, '`secrets[0]`'],
    ['secrets that are one text', { secrets: '0123456789abcdef' }, '`secrets`'],
    ['a deadline of no length', { timeoutMs: 0 }, '`timeoutMs` is 0'],
    ['a deadline over 24.8 days', { timeoutMs: 2 ** 31 }, '`timeoutMs`'],
    ['an autopilot that is neither', { autopilot: true }, '`autopilot` is true'],
    ['an autopilot in a hurry', { autopilot: { replaceAfterMs: 3_999 } }, '(3999) is under eight election timeouts'],
    ['a standby by text', { standby: 'yes' }, '`standby` is a string'],
    ['other reads', { reads: 'dirty' }, '`reads` is "dirty"'],
    ['other events', { events: 'some' }, '`events` is "some"'],
    ['a session that is its TTL', { session: 5_000 }, '`session` is 5000; it must be an object'],
    ['a session that is null', { session: null }, '`session` is null; it must be an object'],
    ['timing that is a number', { timing: 5_000 }, '`timing` is 5000; it must be an object'],
    ['timing that is a list', { timing: [] }, '`timing` is [object Array]; it must be an object'],
    ['a TTL that is a text', { session: { ttlMs: '5000' } }, '`session.ttlMs` is "5000"; it must be a number'],
    ['a standby that is an object', { standby: {} }, '`standby` is an object, not true or false'],
    ['secrets with a gap', { secrets: withGap('0123456789abcdef') }, '`secrets[0]`'],
    ['no transport', { transport: undefined }, '`transport`'],
    ['a logger without error', { logger: { debug() {}, info() {}, warn() {} } }, '`error`'],
  ])('%s is INVALID_OPTIONS, and the message shows it', (_what, changes, shown) => {
    const { code, message } = refusalOf(changes);
    expect(code).toBe('INVALID_OPTIONS');
    expect(message).toContain(shown);
  });

  test('the autopilot is off where that is said, and waits for eight of long election timeouts', () => {
    expect(resolveJoinOptions({ ...good, autopilot: false }).replaceAfterMs).toBe(Infinity);
    expect(resolveJoinOptions({ ...good, autopilot: { replaceAfterMs: 4_000 } }).replaceAfterMs).toBe(4_000);
    const timing = { electionTimeoutMs: 5_000, maxSessionTtlMs: 80_000 };
    expect(resolveJoinOptions({ ...good, timing, session: { ttlMs: 80_000 } }).replaceAfterMs).toBe(40_000);
  });

  test('a TTL must outlast four of the longest election timeouts and two keep-alive periods', () => {
    // 4 × 1,000 + 2 × ttl / 5 ≤ ttl from 6,667 on.
    expect(resolveJoinOptions({ ...good, session: { ttlMs: 6_667 } }).sessionTtlMs).toBe(6_667);
    const { code, message } = refusalOf({ session: { ttlMs: 6_666 } });
    expect(code).toBe('INVALID_OPTIONS');
    expect(message).toContain('`session.ttlMs` (6666) is under four of the longest election timeouts (1000)');
  });

  test('the refusal of a TTL names the least one: it is accepted, and one less is not (any timing)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 2, max: 100_000 }), fc.double({ min: 2, max: 100_000, noNaN: true })), (electionTimeoutMs) => {
        const timing = { heartbeatMs: 1, electionTimeoutMs };
        const leastMs = Number(
          /the least that this timing allows is (\d+)\./.exec(refusalOf({ timing, session: { ttlMs: 1 } }).message)?.[1],
        );
        expect(resolveJoinOptions({ ...good, timing, session: { ttlMs: leastMs } }).sessionTtlMs).toBe(leastMs);
        expect(refusalOf({ timing, session: { ttlMs: leastMs - 1 } }).message).toContain(`allows is ${leastMs}.`);
      }),
    );
  });

  test('an election timeout that no TTL could outlast is named instead', () => {
    const { code, message } = refusalOf({ timing: { electionTimeoutMs: 2 ** 30 } });
    expect(code).toBe('INVALID_OPTIONS');
    expect(message).toContain(
      '`timing.electionTimeoutMs` (1073741824) is so long that no TTL up to 2147483647 outlasts four of the longest.',
    );
  });

  test('a message never shows a secret', () => {
    expect(refusalOf({ secrets: ['hush-hush'] }).message).not.toContain('hush');
  });
});
