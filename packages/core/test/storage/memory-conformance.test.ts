/** The disk in memory against the conformance suite of storages. */
import { storageConformance } from '../../src/storage/conformance.ts';
import type { DyingStorage, StoragePlace } from '../../src/storage/conformance.ts';
import { memoryDisk } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** Every call is one write. */
function dying(storage: Storage, writes: number): DyingStorage {
  let left = writes;
  let die = (): void => undefined;
  const death = new Promise<void>((resolve) => (die = resolve));
  let hasDied = false;
  const orDie = async (write: () => void | Promise<void>): Promise<void> => {
    if (left > 0) {
      left -= 1;
      return write();
    }
    hasDied = true;
    die();
    return new Promise(() => undefined);
  };
  return {
    load: (mint) => storage.load(mint),
    append: (records) => orDie(() => storage.append(records)),
    compact: (snapshot, records) => orDie(() => storage.compact(snapshot, records)),
    discard: () => orDie(() => storage.discard()),
    get hasDied() {
      return hasDied;
    },
    death,
  };
}

async function place(): Promise<StoragePlace> {
  const disk = memoryDisk();
  return {
    open: () => disk.open(),
    kill: async () => undefined,
    openDying: (writes) => dying(disk.open(), writes),
  };
}

describe('the disk in memory', () => {
  for (const { name, run } of storageConformance({ place, secondProcess: 'fences', canDie: true })) test(name, run);
});
