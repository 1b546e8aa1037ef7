/** What a watch list costs where frames take long or get lost: everything is told, and once where nothing was lost. */
import { keepAlivePeriodMs } from '../../src/session/session-holder.ts';
import { SlowLink } from './slow-link.ts';
import type { LinkOptions } from './slow-link.ts';

const ttlMs = 10_000;
const periodMs = keepAlivePeriodMs(ttlMs);
const small = { ttlMs, holders: 1, resources: 20, stateBytes: 100 };
const once = 20 * 100 + 60;

describe.each([0, 600, 1_600, 2_000, 3_000, 5_000])('a watch list over a round trip of %i ms', (roundTripMs) => {
  const oneWayMs = roundTripMs / 2;

  it('is told once where nothing is lost, and each change once (TTL 10 s)', () => {
    const link = new SlowLink({ ...small, oneWayMs });
    link.runUntil(30_000);
    expect(Object.fromEntries(link.known[0]!)).toEqual(Object.fromEntries(link.everyState));
    for (let change = 0; change < 100; change += 1) {
      link.change('e/3');
      link.runUntil(30_000 + 100 * (change + 1));
    }
    link.runUntil(60_000);
    expect(link.known[0]!.get('e/3')).toBe(100);
    expect([link.lists, link.bytesTold, link.sessionsLost]).toEqual([1, once + 100 * 160, 0]);
  });

  it.each(['watch', 'watched'] as const)('is said and told once more where the first `%s` was lost (TTL 10 s)', (type) => {
    let lost = 0;
    const link = new SlowLink({ ...small, oneWayMs, isLost: (message) => message.type === type && (lost += 1) === 1 });
    // The session opens, and from the loss on: the next two keep-alives and what the second of them brings.
    link.runUntil(2 * periodMs + 4 * roundTripMs + 100);
    expect(Object.fromEntries(link.known[0]!)).toEqual(Object.fromEntries(link.everyState));
    link.runUntil(60_000);
    expect([link.lists, link.bytesTold, link.sessionsLost]).toEqual(type === 'watch' ? [2, once, 0] : [1, 2 * once, 0]);
  });

  it('is known whole soon after a time in which every other frame of each kind was lost (TTL 10 s)', () => {
    const frames = new Map<string, number>();
    const isLost: LinkOptions['isLost'] = ({ type }, nowMs) => {
      frames.set(type, (frames.get(type) ?? 0) + 1);
      return nowMs > 10_000 && nowMs < 40_000 && frames.get(type)! % 2 === 0;
    };
    const link = new SlowLink({ ...small, oneWayMs, isLost });
    for (let change = 0; change < 300; change += 1) {
      link.runUntil(10_000 + 100 * change);
      link.change(`e/${change % 20}`);
    }
    link.runUntil(40_000 + 2 * periodMs + 2 * roundTripMs + 100);
    expect(link.sessionsLost).toBe(0);
    expect(Object.fromEntries(link.known[0]!)).toEqual(Object.fromEntries(link.everyState));
    // Told at each loss that was found, not at each keep-alive.
    expect(link.bytesTold).toBeLessThan(once + 300 * 160 + 40 * once);
  });
});

it('costs a leader one telling for each process though its link takes seconds for all (40 processes, 5,000 resources each, 100 Mbit/s)', () => {
  const link = new SlowLink({ ttlMs, oneWayMs: 0, bytesPerMs: 12_500, holders: 40, resources: 5_000, stateBytes: 100 });
  link.runUntil(20_000);
  expect(link.known.map(({ size }) => size)).toEqual(Array.from({ length: 40 }, () => 5_000));
  expect([link.lists, link.sessionsLost]).toEqual([40, 0]);
  expect(link.bytesTold).toBeLessThan(40 * 5_000 * 100 + 40 * 200);
});
