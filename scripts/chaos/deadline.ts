/** Waits that end: each says what it waited for. */
import { setTimeout as sleep } from 'node:timers/promises';

const lookMs = 50;

export async function within<T>(ms: number, complaint: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(complaint)), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** Looks until nothing is missing any more; rejects with what still was after `ms`, even in the middle of a look. */
export async function eventually(ms: number, whatIsMissing: () => Promise<string | undefined>): Promise<void> {
  const endMs = performance.now() + ms;
  let missing: string | undefined = 'no answer';
  do {
    missing = await within(endMs - performance.now(), `${missing}, within ${ms} ms`, whatIsMissing());
    if (missing === undefined) return;
    await sleep(lookMs);
  } while (performance.now() < endMs);
  throw new Error(`${missing}, within ${ms} ms`);
}
