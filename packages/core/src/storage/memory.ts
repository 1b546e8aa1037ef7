/** Storage in memory: `volatileStorage` lives as long as its process; `memoryDisk` outlives runs, as tests want of a disk. */
import { QuorateError } from '../errors.ts';
import type { MemberRecord } from '../group/member.ts';
import { beginRun } from './begin-run.ts';
import type { Storage, StoredIdentity, StoredSnapshot } from './storage.ts';

/** For diskless voters: nothing is kept, so every start is a new incarnation, and that is what makes it safe. */
export function volatileStorage(): Storage {
  return {
    load: (mint) => Promise.resolve({ identity: { incarnation: mint(), run: 1 } }),
    append: () => undefined,
    compact: () => Promise.resolve(),
    discard: () => Promise.resolve(),
    isVolatile: true,
  };
}

/** Itself the storage of the first process on it. */
export interface MemoryDisk extends Storage {
  /** The storage as another process has it; whoever loads last fences the others off. */
  open(): Storage;
}

/** Keeps what was appended for the next `load`. */
export function memoryDisk(): MemoryDisk {
  let identity: StoredIdentity | null = null;
  let snapshot: StoredSnapshot | undefined;
  let records: MemberRecord[] = [];
  let lastRun = {};

  const wipe = (): void => {
    identity = null;
    snapshot = undefined;
    records = [];
  };

  const open = (): Storage => {
    let run = {};
    const check = (): void => {
      if (run !== lastRun) throw new QuorateError('STORAGE_IN_USE', 'A later run has taken this storage over.');
    };
    return {
      load: (mint) => {
        run = lastRun = {};
        const { isFresh, ...loaded } = beginRun(identity && { identity, snapshot, records }, mint);
        if (isFresh) wipe();
        identity = loaded.identity;
        return Promise.resolve(loaded);
      },
      append: (more) => {
        check();
        records.push(...more);
      },
      compact: async (newer, above) => {
        check();
        snapshot = newer;
        records = [...above];
      },
      discard: async () => {
        check();
        wipe();
      },
    };
  };
  return { ...open(), open };
}
