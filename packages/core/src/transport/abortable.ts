/** Giving up an `open` under way: the one way in which transports turn an abort into an error. */
import { QuorateError } from '../errors.ts';

/** Settles as `work` does, or rejects with `ABORTED` as soon as the signal fires; what `work` settles to later is then ignored. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined, doing: string): Promise<T> {
  if (signal === undefined) return work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new QuorateError('ABORTED', `${doing} was aborted.`, { cause: signal.reason }));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    stop = () => signal.removeEventListener('abort', giveUp);
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    stop?.();
    work.catch(() => undefined);
  }
}
