/** Waiting: between attempts twice as long each time, up to a limit and never in step with others; and for nothing without a limit. */

export interface BackOffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
}

export function backOffMs(attempt: number, { firstMs, longestMs }: BackOffOptions): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return full * (0.75 + Math.random() / 2);
}

/** Resolves after the time, or at once when the signal fires; which of the two is the caller's to ask. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const timer = setTimeout(stop, durationMs);
    signal.addEventListener('abort', stop);
  });
}

/** Settles as `work` does, or rejects with `late()` when the time is up; what `work` settles to later is ignored. */
export async function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
