/** Options of join: whatever is given, what comes out is right in every field, or the refusal is one that callers know. */
import fc from 'fast-check';
import { durationMsMax } from '../../src/api/duration.ts';
import type { JoinOptions, ResolvedJoinOptions } from '../../src/api/join-options.ts';
import { resolveJoinOptions } from '../../src/api/join-options.ts';
import { isQuorateError } from '../../src/errors.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

const transport = memoryTransport({ timing: { heartbeatMs: 100, electionTimeoutMs: 500, sessionTtlMs: 10_000 } });
const logger = { debug() {}, info() {}, warn() {}, error() {} };

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true, withTypedArray: true }),
  fc.constantFrom<unknown>(
    null,
    NaN,
    -0,
    0,
    -1,
    Infinity,
    -Infinity,
    2 ** 31,
    2 ** 53,
    '',
    '\ud800',
    'x'.repeat(300),
    Symbol('s'),
    () => 1,
  ),
  fc.constantFrom<unknown>(Object.create(null), [Object.create(null)], [Symbol('s')], new Proxy({}, {}), { ttlMs: Symbol('s') }, [[]]),
);

function mostly<T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: junk });
}

const durations = fc.oneof(
  fc.constantFrom(1, 50, 100, 250, 500, 2_500, 10_000, 60_000, durationMsMax),
  fc.double({ min: 0.1, max: 1e6, noNaN: true }),
);
const names = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', '€'.repeat(85)),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
);
const options = fc.record(
  {
    group: mostly(names),
    node: mostly(names),
    voters: mostly(fc.array(mostly(names), { minLength: 1, maxLength: 5 })),
    transport: mostly(fc.constant(transport)),
    session: mostly(fc.record({ ttlMs: mostly(durations) }, { requiredKeys: [] })),
    timing: mostly(
      fc.record(
        {
          heartbeatMs: mostly(fc.constantFrom(10, 50, 100)),
          electionTimeoutMs: mostly(fc.constantFrom(200, 250, 500)),
          maxSessionTtlMs: mostly(durations),
        },
        { requiredKeys: [] },
      ),
    ),
    firstFounding: mostly(fc.boolean()),
    standby: mostly(fc.boolean()),
    reads: mostly(fc.constantFrom('lease', 'quorum')),
    events: mostly(fc.constantFrom('none', 'leadership', 'all')),
    secrets: mostly(
      fc.array(mostly(fc.oneof(fc.string({ minLength: 16 }), fc.uint8Array({ minLength: 16, maxLength: 40 }))), { maxLength: 3 }),
    ),
    logger: mostly(fc.constant(logger)),
    signal: mostly(fc.constant(new AbortController().signal)),
    timeoutMs: mostly(fc.oneof(durations, fc.constant(Infinity))),
  },
  { requiredKeys: ['group', 'node', 'voters', 'transport'] },
);

/** The resolved options, or the code of the refusal; any other throw goes through. */
function resolve(given: unknown): ResolvedJoinOptions | string {
  try {
    return resolveJoinOptions(given as JoinOptions);
  } catch (error) {
    if (isQuorateError(error)) return error.code;
    throw error;
  }
}

function checkResolved(resolved: ResolvedJoinOptions): void {
  const { heartbeatMs, electionTimeoutMs, sessionTtlMs, maxSessionTtlMs, timeoutMs, voters } = resolved;
  for (const ms of [heartbeatMs, electionTimeoutMs, sessionTtlMs, maxSessionTtlMs]) {
    expect(Number.isFinite(ms) && ms >= 1 && ms <= durationMsMax).toBe(true);
  }
  expect(timeoutMs >= 1).toBe(true);
  expect(electionTimeoutMs).toBeGreaterThanOrEqual(2 * heartbeatMs);
  expect(sessionTtlMs).toBeGreaterThanOrEqual(8 * electionTimeoutMs + (2 / 5) * sessionTtlMs);
  expect(maxSessionTtlMs).toBeGreaterThanOrEqual(sessionTtlMs);
  for (const name of [resolved.group, resolved.node, ...voters]) {
    expect(typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 256 && Buffer.from(name).toString() === name).toBe(true);
  }
  expect(voters).toEqual([...new Set(voters)].sort((a, b) => (a < b ? -1 : 1)));
  expect(['lease', 'quorum']).toContain(resolved.reads);
  expect(['none', 'leadership', 'all']).toContain(resolved.events);
  expect(typeof resolved.firstFounding).toBe('boolean');
  for (const secret of resolved.secrets) expect(Buffer.from(secret as string).length).toBeGreaterThanOrEqual(16);
}

test('options that are right but for a few are resolved, or refused by name', () => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(options, (given) => {
      const resolved = resolve(given);
      const outcome = typeof resolved === 'string' ? resolved : 'resolved';
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (typeof resolved !== 'string') checkResolved(resolved);
    }),
    { numRuns: 3_000 },
  );
  expect([...outcomes.keys()].sort()).toEqual(['INVALID_NAME', 'INVALID_OPTIONS', 'resolved']);
  expect(outcomes.get('resolved')).toBeGreaterThan(100);
});

test.each([
  'group',
  'node',
  'voters',
  'transport',
  'session',
  'timing',
  'firstFounding',
  'standby',
  'autopilot',
  'reads',
  'events',
  'secrets',
  'logger',
  'signal',
  'timeoutMs',
])('anything at all for `%s` is resolved, or refused by name', (field) => {
  fc.assert(
    fc.property(junk, (value) => {
      const resolved = resolve({ group: 'g', node: 'a', voters: ['a'], transport, [field]: value });
      if (typeof resolved === 'string') expect(resolved).toMatch(/^INVALID_(NAME|OPTIONS)$/);
      else checkResolved(resolved);
    }),
    { numRuns: 400 },
  );
});

test('anything at all for the options, or for a field of `session` and `timing`, is refused by name or resolved', () => {
  fc.assert(
    fc.property(junk, fc.constantFrom('ttlMs', 'heartbeatMs', 'electionTimeoutMs', 'maxSessionTtlMs'), (value, field) => {
      expect(resolve(value)).toMatch(/^INVALID_(NAME|OPTIONS)$/);
      const inner = field === 'ttlMs' ? { session: { ttlMs: value } } : { timing: { [field]: value } };
      const resolved = resolve({ group: 'g', node: 'a', voters: ['a'], transport, ...inner });
      if (typeof resolved === 'string') expect(resolved).toBe('INVALID_OPTIONS');
      else checkResolved(resolved);
    }),
    { numRuns: 2_000 },
  );
});
