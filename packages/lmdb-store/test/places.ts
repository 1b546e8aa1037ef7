/** Folders with a seat in them, for tests: in memory where the system has a file system there, for a flush to a disk proves nothing here. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Damage, DyingStorage, Storage, StoragePlace } from '@quorate/core/adapter';
import { QuorateError } from '@quorate/core/adapter';
import { openDatabase } from '../src/database.ts';
import { LmdbStorage } from '../src/lmdb-storage.ts';
import { appendKey, manifestKey, readManifest, seal } from '../src/layout.ts';

export function newFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'quorate-lmdb-'));
}

export async function lmdbPlace(): Promise<StoragePlace & { readonly path: string }> {
  const path = newFolder();
  return {
    path,
    open: () => new LmdbStorage(path),
    kill: (storage) => (storage as LmdbStorage).die(),
    openDying: (writes) => new DyingLmdbStorage(path, writes),
    damage: (kind) => damage(path, kind),
    close: async () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Of a process that dies before transaction `writes` + 1 after its start. */
class DyingLmdbStorage extends LmdbStorage implements DyingStorage {
  hasDied = false;
  readonly death: Promise<void>;

  constructor(path: string, writes: number) {
    let onDeath = (): void => undefined;
    let left = Infinity;
    super(path, async () => {
      left -= 1;
      if (left >= 0) return;
      this.hasDied = true;
      onDeath();
      throw new QuorateError('STORAGE_FAILED', 'The process is dead.');
    });
    this.death = new Promise((resolve) => (onDeath = resolve));
    const load = this.load.bind(this);
    this.load = async (mint) => {
      const loaded = await load(mint);
      left = writes;
      return loaded;
    };
  }
}

async function damage(path: string, kind: Damage): Promise<void> {
  const database = openDatabase(path);
  const { root, log } = database;
  if (kind === 'laterVersion') {
    const manifest = readManifest(root.get(manifestKey)!);
    await root.put(manifestKey, seal(manifestKey, Buffer.from(JSON.stringify({ ...manifest, format: manifest.format + 1 }))));
  } else if (kind === 'missingRecord') {
    await log.remove(appendKey(7));
  } else {
    const value = Buffer.from(log.get(appendKey(7))!);
    value[value.length - 3]! ^= 1;
    await log.put(appendKey(7), value);
  }
  await root.close();
}

export function dataOf(path: string): Buffer {
  return readFileSync(join(path, 'data.mdb'));
}

export type { Storage };
