/** Durations that users give: what is accepted, and a timer that knows `Infinity`. */
import { QuorateError } from '../errors.ts';
import { shown } from '../shown.ts';
import type { Host, TimerHandle } from '../time/host.ts';

/** 24.8 days: Node turns a longer delay into 1 ms. */
export const durationMsMax = 2 ** 31 - 1;

export const callTimeoutMsDefault = 30_000;

/** A finite number of milliseconds from `leastMs` to 24.8 days; throws `INVALID_OPTIONS`. */
export function checkDuration(option: string, ms: unknown, leastMs = 1): number {
  if (typeof ms === 'number' && ms >= leastMs && ms <= durationMsMax) return ms;
  const bounds = `a number of milliseconds from ${leastMs} to ${durationMsMax} (24.8 days)`;
  throw new QuorateError('INVALID_OPTIONS', `\`${option}\` is ${shown(ms)}; it must be ${bounds}.`, { details: { option } });
}

/** As `checkDuration`, but `Infinity` may be written, and `undefined` stands for the default. */
export function checkTimeout(option: string, ms: unknown, defaultMs: number, leastMs = 1): number {
  if (ms === undefined) return defaultMs;
  return ms === Infinity ? Infinity : checkDuration(option, ms, leastMs);
}

/** Undefined where there is nothing to wait for. */
export function startTimer(host: Host, ms: number, onDue: () => void): TimerHandle | undefined {
  return ms === Infinity ? undefined : host.startTimer(onDue, ms);
}
