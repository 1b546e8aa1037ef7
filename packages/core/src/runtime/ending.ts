/**
 * The end of a member: its transport and the log of foundings are left, then its storage is closed. All of these are other people's
 * code: what fails or takes too long is told, and keeps nobody from leaving.
 */
import { QuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Arbiter } from '../arbiter/arbiter.ts';
import type { Storage } from '../storage/storage.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { Channel } from '../transport/transport.ts';

type Timers = Pick<Host, 'startTimer' | 'stopTimer'>;

/** Something could not be let go, or not in time; then it goes on by itself. */
export interface CloseFailure {
  readonly type: 'closeFailed';
  readonly what: 'transport' | 'arbiter' | 'storage';
  readonly error: QuorateError;
}

/** What a member stands on. */
export interface Held {
  readonly channel: Pick<Channel, 'close'> | null;
  readonly arbiter: Pick<Arbiter, 'close'>;
  readonly storage: Pick<Storage, 'close'>;
  /** What is still being written to the storage by others than `append`; asked once the transport was left. */
  written(): Promise<void> | undefined;
}

export interface EndingReports {
  tell(failure: CloseFailure): void;
  /** False once nobody listens; then the process is warned. */
  isHeard(): boolean;
}

/** Whoever is past a deadline, or was given none, still has so long to leave in good order. */
export const leavingMsMin = 1_000;
/** Nobody gives a deadline for the end of a voter that stops by itself, nor for that of a synod. */
export const stoppedLeavingMs = 30_000;
/** Of the time that is left; the rest is for the storage, which must not be kept by a transport that hangs. */
const transportPart = 0.8;

const doing = { transport: 'leave its transport', arbiter: "leave the broker's log of foundings", storage: 'close its storage' } as const;
const codes: Readonly<Record<CloseFailure['what'], ErrorCode>> = {
  transport: 'TRANSPORT_FAILED',
  arbiter: 'TRANSPORT_FAILED',
  storage: 'STORAGE_FAILED',
};

/**
 * Resolves within `timeoutMs`, or within `leavingMsMin` where that is longer; never rejects. The storage comes last, for it lets the next
 * process in. What fails only after that is told as well.
 */
export async function letGo(host: Timers, held: Held, timeoutMs: number, reports: EndingReports): Promise<void> {
  const withinMs = Math.max(timeoutMs, leavingMsMin);
  const leave = (what: CloseFailure['what'], part: number, work: () => Promise<unknown> | undefined): Promise<void> => {
    const fail = (why: string, cause?: unknown): void => report({ what, why, cause }, reports);
    const done = (async () => void (await work()))().catch((cause: unknown) => fail(String(cause), cause));
    return within(host, withinMs * part, done, (ms) => fail(lateText(ms)));
  };
  const { channel, arbiter, storage } = held;
  await Promise.all([leave('transport', transportPart, () => channel?.close()), leave('arbiter', transportPart, () => arbiter.close())]);
  await leave('storage', 1 - transportPart, async () => {
    await held.written();
    await storage.close?.();
  });
}

/** Resolves with `work`, which does not reject, or after so long; then `onLate` is called. */
export async function within(host: Timers, ms: number, work: Promise<unknown> | undefined, onLate?: (ms: number) => void): Promise<void> {
  if (ms === Infinity) return void (await work);
  let timer: TimerHandle | undefined;
  const due = new Promise<'late'>((resolve) => (timer = host.startTimer(() => resolve('late'), Math.max(0, ms))));
  if ((await Promise.race([work, due])) === 'late') onLate?.(ms);
  host.stopTimer(timer);
}

function report({ what, why, cause }: { what: CloseFailure['what']; why: string; cause: unknown }, { tell, isHeard }: EndingReports): void {
  const happened = `Quorate could not ${doing[what]}: ${why}`;
  if (isHeard()) tell({ type: 'closeFailed', what, error: new QuorateError(codes[what], `${happened}.`, { cause }) });
  else process.emitWarning(happened);
}

function lateText(ms: number): string {
  return `it takes longer than ${Math.round(ms)} ms; it goes on, and what is not yet written is lost if the process ends before`;
}
