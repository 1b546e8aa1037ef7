/** The arbiter in memory: processes that share one decide as those on one broker do. For tests, and for the in-memory transport. */
import type { Arbiter } from './arbiter.ts';

/** What a broker would keep of one group; tests look at it and spoil it. */
export class MemoryArbiter {
  records: Uint8Array[] = [];

  /** The log as another process has it. `beforeAccess` is awaited by whatever reaches it, on the way there and on the way back. */
  open(beforeAccess: () => Promise<void> = () => Promise.resolve()): Arbiter {
    return {
      read: async () => {
        await beforeAccess();
        const found = [...this.records];
        await beforeAccess();
        return found;
      },
      append: async (position, record) => {
        await beforeAccess();
        const isFirst = position === this.records.length;
        if (isFirst) this.records.push(record.slice());
        await beforeAccess();
        return isFirst;
      },
      close: () => Promise.resolve(),
    };
  }
}
