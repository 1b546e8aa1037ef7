/** Work at the end of a grant that may wait for a server: it is waited for no longer than the lease lasts. */
import type { OwnedPartition } from '@quorate/core/adapter';

const lookAgainMsMost = 1_000;

/** Settles as `work` does, or with undefined once the lease is over; what `work` settles to later is then ignored. */
export async function untilLapsed<T>(owned: OwnedPartition, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const lapsed = new Promise<undefined>((resolve) => {
    const look = (): void => {
      if (!owned.valid) return resolve(undefined);
      timer = setTimeout(look, Math.min(Math.max(owned.remainingMs, 1), lookAgainMsMost));
    };
    look();
  });
  try {
    return await Promise.race([work, lapsed]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
