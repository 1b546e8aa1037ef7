/** The data file as a crash of the machine, or something else, can leave it: every cut of a commit, of the file, and every page overwritten. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isQuorateError } from '@quorate/core/adapter';
import type { LoadedMember, MemberRecord, Storage } from '@quorate/core/adapter';
import { LmdbStorage } from '../src/lmdb-storage.ts';
import { dataOf, newFolder } from './places.ts';

const pageBytes = 4096;
const metaPages = 2;

function promises(first: number, count: number): MemberRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'voted',
    slot: first + index,
    ballot: { round: 1, node: 'a', incarnation: 'i', run: 1 },
    value: [0, [[1, 'x'.repeat(200)]]],
  }));
}

function slotsOf({ memory }: LoadedMember): number[] {
  return (memory?.replica?.votes ?? []).map(({ slot }) => slot);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('the data file', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function folder(data?: Uint8Array): string {
    const path = newFolder();
    folders.push(path);
    if (data) {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'data.mdb'), data);
    }
    return path;
  }

  /** What is found in a folder with this file: the slots voted in and the index of the snapshot, or the code of the refusal. */
  async function found(data: Uint8Array): Promise<{ readonly slots: number[]; readonly index: number } | string> {
    const storage = new LmdbStorage(folder(data));
    try {
      const loaded = await storage.load(() => 'another');
      return { slots: slotsOf(loaded), index: loaded.memory?.snapshot?.index ?? 0 };
    } catch (error) {
      return isQuorateError(error) ? error.code : String(error);
    } finally {
      await storage.close();
    }
  }

  /** The file before and after an act, with nothing of either cut. */
  async function around(act: (storage: Storage) => Promise<void>): Promise<[Buffer, Buffer]> {
    const path = folder();
    const storage = new LmdbStorage(path);
    await storage.load(() => 'i');
    for (let slot = 1; slot <= 60; slot += 1) await storage.append(promises(slot, 1));
    const before = dataOf(path);
    await act(storage);
    const after = dataOf(path);
    await storage.close();
    return [before, after];
  }

  test('holds the old or the new, never a mix, wherever the machine stopped while an append was committed (every page, every byte of the pointer)', async () => {
    const [before, after] = await around((storage) => Promise.resolve(storage.append(promises(61, 40))));
    const old = { slots: range(1, 61), index: 0 };
    const fresh = { slots: range(1, 101), index: 0 };
    expect(await found(before)).toEqual(old);
    expect(await found(after)).toEqual(fresh);
    const changed = range(0, Math.ceil(after.length / pageBytes)).filter((page) => !pageOf(before, page).equals(pageOf(after, page)));
    const [data, metas] = [changed.filter((page) => page >= metaPages), changed.filter((page) => page < metaPages)];
    expect(data.length).toBeGreaterThan(2);
    expect(metas).toHaveLength(1);

    // The pages that nobody points to yet, in whatever order the disk wrote them.
    const torn = Buffer.concat([before, Buffer.alloc(Math.max(0, after.length - before.length))]);
    for (const page of data.reverse()) {
      after.copy(torn, page * pageBytes, page * pageBytes, (page + 1) * pageBytes);
      expect(await found(torn)).toEqual(old);
    }
    // Then the one that points to them, byte by byte as far as it says anything.
    const [meta = 0] = metas;
    for (let bytes = 0; bytes <= 176; bytes += 1) {
      after.copy(torn, meta * pageBytes, meta * pageBytes, meta * pageBytes + bytes);
      expect([old, fresh]).toContainEqual(await found(torn));
    }
    expect(await found(torn)).toEqual(fresh);
  }, 300_000);

  test('is refused with words where it was cut short, whatever is missing (every page)', async () => {
    const [, after] = await around((storage) =>
      storage.compact({ index: 30, header: Buffer.alloc(9), chunks: [Buffer.alloc(20_000, 7), Buffer.alloc(9_000, 8)] }, promises(31, 30)),
    );
    const whole = { slots: range(31, 61), index: 30 };
    expect(await found(after)).toEqual(whole);
    for (let pages = metaPages; pages * pageBytes < after.length; pages += 1) {
      expect(['STORAGE_CORRUPT', JSON.stringify(whole)]).toContain(textOf(await found(after.subarray(0, pages * pageBytes))));
    }
    expect(await found(after.subarray(0, 3 * pageBytes))).toBe('STORAGE_CORRUPT');
  }, 300_000);

  test('is refused, or read whole, where a page was overwritten with zeros (every page)', async () => {
    const [, after] = await around((storage) => Promise.resolve(storage.append(promises(61, 40))));
    const whole = { slots: range(1, 101), index: 0 };
    const refused: number[] = [];
    for (let page = metaPages; page * pageBytes < after.length; page += 1) {
      const spoiled = Buffer.from(after);
      spoiled.fill(0, page * pageBytes, (page + 1) * pageBytes);
      const result = await found(spoiled);
      if (result === 'STORAGE_CORRUPT') refused.push(page);
      else expect(result).toEqual(whole);
    }
    expect(refused.length).toBeGreaterThan(3);
  }, 300_000);
});

function pageOf(bytes: Buffer, page: number): Buffer {
  return bytes.subarray(page * pageBytes, (page + 1) * pageBytes);
}

function textOf(result: object | string): string {
  return typeof result === 'string' ? result : JSON.stringify(result);
}
