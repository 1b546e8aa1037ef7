/** Storage on a fenced log: the conformance suite over a log in memory, with parts as small as they may be, and what a log must not be. */
import { storageConformance } from '../../src/storage/conformance.ts';
import type { Damage, DyingStorage, StoragePlace } from '../../src/storage/conformance.ts';
import { logStorage } from '../../src/storage/log-storage.ts';
import { MemoryLog } from '../../src/storage/memory-log.ts';
import type { MemberRecord, StoredSnapshot } from '../../src/storage/storage.ts';

const kindAt = 1;
const positionAt = 2;
const recordsKind = 3;

function openDying(log: MemoryLog, writes: number): DyingStorage {
  let left = Infinity;
  let die = (): void => undefined;
  let hasDied = false;
  const death = new Promise<void>((resolve) => (die = resolve));
  const storage = logStorage(
    log.open(() => {
      left -= 1;
      if (left >= 0) return Promise.resolve();
      hasDied = true;
      die();
      return new Promise(() => undefined);
    }),
  );
  return {
    load: async (mint) => {
      const loaded = await storage.load(mint);
      left = writes;
      return loaded;
    },
    append: (records) => storage.append(records),
    compact: (snapshot, records) => storage.compact(snapshot, records),
    discard: () => storage.discard(),
    get hasDied() {
      return hasDied;
    },
    death,
  };
}

function damage(log: MemoryLog, kind: Damage): void {
  const at = log.entries.findIndex((entry, index) => index >= log.entries.length / 2 && entry[kindAt] === recordsKind);
  const entry = Uint8Array.from(log.entries[at] ?? []);
  if (kind === 'missingRecord') {
    const position = new DataView(entry.buffer).getUint32(positionAt);
    log.entries = log.entries.filter(
      (one) => one[kindAt] !== recordsKind || new DataView(one.buffer, one.byteOffset).getUint32(positionAt) !== position,
    );
    return;
  }
  if (kind === 'laterVersion') entry[0] = 2;
  else entry[entry.length - 1] = (entry.at(-1) ?? 0) ^ 1;
  log.entries[at] = entry;
}

describe.each([
  ['an entry to a part', 1_048_576],
  ['a few bytes to a part', 40],
])('storage on a fenced log, %s', (_, partBytesMax) => {
  const place = async (): Promise<StoragePlace> => {
    const log = new MemoryLog({ partBytesMax });
    return {
      open: () => logStorage(log.open()),
      kill: async () => undefined,
      openDying: (writes) => openDying(log, writes),
      damage: async (kind) => damage(log, kind),
    };
  };
  const subject = { place, secondProcess: 'fences', canDie: true, canDamage: true } as const;
  for (const { name, run } of storageConformance(subject)) test(name, run, 60_000);
});

describe('a log that cannot be trusted', () => {
  const ballot = { round: 1, node: 'a', incarnation: 'i', run: 1 };
  const vote = (slot: number): MemberRecord => ({ type: 'voted', slot, ballot, value: null });
  const mint = (): string => 'anew';
  let log: MemoryLog;
  beforeEach(async () => {
    log = new MemoryLog();
    const storage = logStorage(log.open());
    await storage.load(() => 'first');
    for (let slot = 1; slot <= 5; slot += 1) await storage.append([vote(slot)]);
  });

  test('is refused when its beginning is missing, and never taken for an empty one (1 seat)', async () => {
    log.entries = log.entries.slice(3);
    await expect(logStorage(log.open()).load(mint)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  });

  test('is refused when a write of a process that had been fenced off is in it (2 processes)', async () => {
    const late = log.entries.at(-1) ?? new Uint8Array();
    await logStorage(log.open()).load(mint);
    log.entries.push(late);
    await expect(logStorage(log.open()).load(mint)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  });

  test('is an empty one when it was made anew: the voter comes back as another (1 seat)', async () => {
    log.entries = [];
    expect(await logStorage(log.open()).load(mint)).toEqual({ identity: { incarnation: 'anew', run: 1 } });
  });

  test('is refused when a piece of its snapshot is missing or changed (1 seat)', async () => {
    const snapshot: StoredSnapshot = { index: 3, header: Uint8Array.of(1), chunks: [new Uint8Array(300_000)] };
    const storage = logStorage(log.open());
    await storage.load(mint);
    await storage.compact(snapshot, []);
    const [[key, piece] = ['', new Uint8Array()]] = log.pieces;
    log.pieces.set(key, Uint8Array.from(piece).fill(7));
    await expect(logStorage(log.open()).load(mint)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    log.pieces.delete(key);
    await expect(logStorage(log.open()).load(mint)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
  });
});

describe('a write whose outcome is not known', () => {
  test('ends the run: every later write fails too, and the next start finds it whole or not at all (2 processes)', async () => {
    const log = new MemoryLog();
    let isCut = false;
    const storage = logStorage(log.open(async () => void (isCut && (await Promise.reject(new Error('no answer'))))));
    await storage.load(() => 'first');
    await storage.append([{ type: 'chosen', upTo: 1 }]);
    isCut = true;
    await expect(storage.append([{ type: 'chosen', upTo: 2 }])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    isCut = false;
    await expect(storage.append([{ type: 'chosen', upTo: 3 }])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(storage.append([])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(storage.compact({ index: 3, header: Uint8Array.of(1), chunks: [] }, [])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect((await logStorage(log.open()).load(() => 'another')).memory?.replica?.chosenIndex).toBe(1);
  });
});
