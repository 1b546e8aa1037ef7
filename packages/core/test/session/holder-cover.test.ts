/** Leases on partitions as their owner counts them. */
import { HolderCover } from '../../src/session/holder-cover.ts';
import type { Instant } from '../../src/time/clock.ts';
import { usableLengthMs } from '../../src/time/clock.ts';

const ttlMs = 1_000;
const usableMs = usableLengthMs(ttlMs);
const at = (monotonicMs: number, wallMs = 1e12 + monotonicMs): Instant => ({ monotonicMs, wallMs });

it('runs from the sending of the keep-alive whose answer listed the token, not from the answer', () => {
  const cover = new HolderCover();
  expect(cover.remainingMs(7, ttlMs, at(0))).toBe(0);
  cover.cover([7], at(100), ttlMs, at(400));
  expect(cover.remainingMs(7, ttlMs, at(400))).toBe(usableMs - 300);
  expect(cover.remainingMs(7, ttlMs, at(100 + usableMs))).toBe(0);
});

it('is not extended by an answer that does not list it', () => {
  const cover = new HolderCover();
  cover.cover([7, 8], at(0), ttlMs, at(10));
  cover.cover([8], at(500), ttlMs, at(510));
  expect(cover.remainingMs(7, ttlMs, at(510))).toBe(usableMs - 510);
  expect(cover.remainingMs(8, ttlMs, at(510))).toBe(usableMs - 10);
  expect(cover.has(7)).toBe(true);
  cover.cover([8], at(990), ttlMs, at(1_000));
  expect(cover.has(7)).toBe(false);
});

it('counts by the faster of both clocks', () => {
  const cover = new HolderCover();
  cover.cover([7], at(0, 0), ttlMs, at(0, 0));
  expect(cover.remainingMs(7, ttlMs, at(10, 600))).toBe(usableMs - 600);
});

it('is the same after a restore, and nothing after its end', () => {
  const cover = new HolderCover();
  cover.cover([7], at(0), ttlMs, at(0));
  const twin = new HolderCover();
  twin.restore(JSON.parse(JSON.stringify(cover.snapshot())) as ReturnType<HolderCover['snapshot']>);
  expect(twin.remainingMs(7, ttlMs, at(10))).toBe(cover.remainingMs(7, ttlMs, at(10)));
  cover.end();
  expect(cover.isEmpty).toBe(true);
});
