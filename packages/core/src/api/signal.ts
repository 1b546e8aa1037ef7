/** Abort signals as callers hand them in. */
import { QuorateError } from '../errors.ts';

/** Throws INVALID_OPTIONS for what is no AbortSignal, of whatever realm. */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || typeof (signal as Partial<AbortSignal> | null)?.addEventListener === 'function') return signal;
  throw new QuorateError('INVALID_OPTIONS', '`signal` is not an AbortSignal.');
}
