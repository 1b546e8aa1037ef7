/** One decoder under many inputs, each made from the seed and its own number, so that any of them can be told again. */
import { seededRandom } from '../../packages/core/src/time/random.ts';
import type { Decoder, Reading } from './decoder.ts';
import { isPolluted, prototypeGuard } from './inspection.ts';
import { shortest } from './shortest.ts';

/**
 * No frame may take longer: a fixed time, and for each byte of a large one five times what the slowest bytes take (values of one byte
 * each, 10 ns to build), so that a large one that takes more than linear time has failed. An input that is over it is timed again, and so is
 * whatever would be the slowest: a machine has pauses of its own (others' work, its collection of garbage). The fastest of these times is
 * the decoder's, and an input that is slow each time has failed.
 */
export function frameMsMax(bytes: number): number {
  return 5 + bytes / 20_000;
}
const timesTimedAgain = 25;
/** Where one of these is within the limit, no more are needed; nor after an input that was too slow each time. */
const timesAtLeast = 3;
/** Below this nothing is timed again. */
const unnoticedMs = 0.5;
/** The whole guard is too slow for every frame; that nothing was assigned is seen after each. */
const runsPerGuard = 1_000;
/** Of one kind of failure the first is told, and of all kinds this many. */
const toldMax = 8;
/** Whoever watches hears nothing of a run while its input is made shorter. */
const shortenedForMs = 10_000;

export interface FuzzFailure {
  readonly decoder: string;
  readonly seed: number;
  readonly run: number;
  readonly error: string;
  /** As short as it could be made. */
  readonly hex: string;
  /** True where the inputs before it in the same life are needed too. */
  readonly needsItsLife: boolean;
}

export interface FuzzResult {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** Inputs that were not refused: hostile input that never comes through tests only the door. */
  readonly read: number;
  /** Of the slowest input, by the fastest of its times. Null where the process died before it could tell. */
  readonly slowestMs: number | null;
  /** Inputs that were over the limit once, and within it when they were timed again. */
  readonly interrupted: number;
  /** The longest reading of all, pauses of the machine in it. */
  readonly longestMs: number | null;
  readonly seconds: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly runs: number;
  /** Begins here, at the life that contains it. */
  readonly from?: number;
  readonly onRun?: (run: number) => void;
  readonly onFailure: (failure: FuzzFailure) => void;
}

export function inputOf(decoder: Decoder, seed: number, run: number): Uint8Array {
  return decoder.input(seededRandom(mix(seed, run)));
}

/** Neighbouring runs are to have nothing in common. */
function mix(seed: number, run: number): number {
  let mixed = (Math.imul(seed, 0x9e3779b1) ^ run) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export function fuzz(decoder: Decoder, { seed, runs, from = 0, onRun, onFailure }: FuzzOptions): FuzzResult {
  const startedMs = performance.now();
  const guard = prototypeGuard();
  const told = new Set<string>();
  const { runsPerLife = Infinity } = decoder;
  let [failures, read, slowestMs, interrupted, longestMs] = [0, 0, 0, 0, 0];
  let isSlowDecoder = false;
  const first = lifeStart(decoder, from);
  for (let run = first; run < from + runs; run += 1) {
    onRun?.(run);
    if (run === first || run % runsPerLife === 0) decoder.renew?.();
    const bytes = inputOf(decoder, seed, run);
    const beganMs = performance.now();
    let reading: Reading = 'refused';
    let error = failureOf(() => void (reading = decoder.read(bytes)));
    const tookMs = performance.now() - beganMs;
    if (reading !== 'refused') {
      read += 1;
      error ??= failureOf(reading);
    }
    const mostMs = frameMsMax(bytes.length);
    const isDoubted = tookMs > Math.min(mostMs, Math.max(slowestMs, unnoticedMs));
    const leastMs: number = isDoubted
      ? Math.min(tookMs, leastTimeMs(decoder, seed, run, isSlowDecoder ? timesAtLeast : timesTimedAgain))
      : tookMs;
    slowestMs = Math.max(slowestMs, leastMs);
    longestMs = Math.max(longestMs, tookMs);
    isSlowDecoder ||= leastMs > mostMs;
    if (leastMs > mostMs) error ??= `took ${leastMs.toFixed(1)} ms, each time`;
    else if (tookMs > mostMs) interrupted += 1;
    if (isPolluted()) error ??= 'a built-in prototype was given a field';
    if (run % runsPerGuard === 0 || run === from + runs - 1) error ??= failureOf(guard);
    if (error === null || run < from) continue;
    failures += 1;
    const kind = error.replace(/\d+(\.\d+)?/g, '#');
    if (!told.has(kind) && told.size < toldMax) onFailure(shortestFailure(decoder, { decoder: decoder.name, seed, run, error }, bytes));
    told.add(kind);
    if (decoder.renew) decoder.renew();
  }
  const seconds = rounded((performance.now() - startedMs) / 1_000, 10);
  const times = { slowestMs: rounded(slowestMs, 100), interrupted, longestMs: rounded(longestMs, 100) };
  return { name: decoder.name, runs, failures, read, ...times, seconds };
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

function lifeStart({ runsPerLife }: Decoder, run: number): number {
  return runsPerLife === undefined ? run : run - (run % runsPerLife);
}

/** In the same life told again. */
function leastTimeMs(decoder: Decoder, seed: number, run: number, timesMost: number): number {
  const bytes = inputOf(decoder, seed, run);
  return fastest(frameMsMax(bytes.length), timesMost, () => {
    decoder.renew?.();
    for (let at = lifeStart(decoder, run); at < run; at += 1) timeOf(decoder, inputOf(decoder, seed, at));
    return timeOf(decoder, bytes);
  });
}

/** Of several times, and of more where none is within the limit. */
function fastest(mostMs: number, timesMost: number, timeOnce: () => number): number {
  let leastMs = Infinity;
  for (let time = 0; time < timesMost && (time < timesAtLeast || leastMs > mostMs); time += 1) {
    leastMs = Math.min(leastMs, timeOnce());
  }
  return leastMs;
}

function shortestFailure(decoder: Decoder, told: Omit<FuzzFailure, 'hex' | 'needsItsLife'>, bytes: Uint8Array): FuzzFailure {
  const fails = (some: Uint8Array): boolean => {
    decoder.renew?.();
    return told.error.startsWith('took ') ? isSlow(decoder, some) : faultOf(decoder, some) !== null;
  };
  const alone = fails(bytes);
  const limits = { attemptsMax: told.error.startsWith('took ') ? 100 : 2_000, untilMs: performance.now() + shortenedForMs };
  const hex = Buffer.from(alone ? shortest(bytes, fails, limits) : bytes).toString('hex');
  return { ...told, hex, needsItsLife: !alone && decoder.renew !== undefined };
}

function isSlow(decoder: Decoder, bytes: Uint8Array): boolean {
  const timeAlone = (): number => (decoder.renew?.(), timeOf(decoder, bytes));
  const mostMs = frameMsMax(bytes.length);
  return fastest(mostMs, timesTimedAgain, timeAlone) > mostMs;
}

function timeOf(decoder: Decoder, bytes: Uint8Array): number {
  const beganMs = performance.now();
  failureOf(() => void decoder.read(bytes));
  return performance.now() - beganMs;
}

/** What is wrong with how these bytes are read, or null. */
export function faultOf(decoder: Decoder, bytes: Uint8Array): string | null {
  let reading: Reading = 'refused';
  return failureOf(() => void (reading = decoder.read(bytes))) ?? (reading === 'refused' ? null : failureOf(reading));
}

function failureOf(call: () => void): string | null {
  try {
    call();
    return null;
  } catch (error) {
    return describe(error);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`;
}
