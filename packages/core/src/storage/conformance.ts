/**
 * The conformance suite of the storage port: what every store must do, crashes included, as cases that any test framework can loop
 * over.
 *
 *     for (const { name, run } of storageConformance(subject)) test(name, run, 60_000);
 */
import assert from 'node:assert/strict';
import { isQuorateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { everyRecord, inherited, minted, Seat, snapshotOf, votesOf } from './conformance-seat.ts';
import type { StorageSubject } from './conformance-seat.ts';

export type { Damage, DyingStorage, StoragePlace, StorageSubject } from './conformance-seat.ts';

export interface StorageCase {
  /** A sentence with a topology. */
  readonly name: string;
  /** Rejects where the store does not conform. Cases may run in any order, one at a time. */
  run(): Promise<void>;
}

type Check = (seat: Seat) => Promise<void>;

export function storageConformance(subject: StorageSubject): readonly StorageCase[] {
  const cases: [string, Check][] = [
    ['gives an empty seat an incarnation and nothing else, and counts every start as a run (4 starts)', countsRuns],
    ['gives back every kind of record as it was appended (2 starts)', keepsEveryRecord],
    ['keeps the order of appends that did not wait for each other (200 appends)', keepsTheOrder],
    ['takes an append without records (2 starts)', takesAnEmptyAppend],
    ['keeps every append that was acknowledged before its process was killed (20 lives)', survivesKills],
    ['loses the appends under way from the last on, each whole or not at all (1 kill)', losesFromTheEnd],
    ['puts a snapshot in the place of what came before it, and keeps what comes after (3 starts)', compacts],
    ['counts the records of an incarnation, over a snapshot and every restart (4 starts)', countsRecords],
    ['keeps appends made while a snapshot is written (2 starts)', compactsUnderAppends],
    ['gives a snapshot back to the byte, and nothing of the one before it (2 snapshots)', replacesSnapshots],
    ['forgets everything with its incarnation, and is usable at once (3 starts)', discards],
    ['starts a discarded incarnation anew, though its process died before the storage was cleared (2 starts)', completesADiscard],
    ['keeps what a survivor hands on to its next incarnation (3 starts)', handsOn],
    ['lets the next process in once it is closed (2 processes)', closes],
  ];
  if (subject.secondProcess === 'refused') cases.push(['keeps a second process out while the first lives (2 processes)', refusesASecond]);
  if (subject.secondProcess === 'fences') {
    cases.push(
      ['fences a process off when a later one has started (2 processes)', fencesTheFirst],
      ['lets no process that was fenced off discard what the later one has (2 processes)', fencesADiscard],
    );
  }
  if (subject.canDie === true) {
    cases.push(
      ['holds the old or the new after a death at any write of an append, and works on (every write)', diesAppending],
      ['holds the old or the new after a death at any write of a snapshot, and works on (every write)', diesCompacting],
      ['holds the old or nothing after a death at any write of a discard, and works on (every write)', diesDiscarding],
    );
  }
  if (subject.canDamage === true) {
    cases.push(
      ['does not start on records that no crash can leave, and says so (2 damages)', noticesCorruption],
      ['does not start on what a later version wrote, and says so (1 start)', refusesALaterVersion],
    );
  }
  return cases.map(([name, check]) => ({ name, run: () => Seat.run(subject, check) }));
}

async function countsRuns(seat: Seat): Promise<void> {
  for (let run = 1; run <= 4; run += 1) {
    const storage = seat.open();
    const loaded = await storage.load(minted('first', run === 1));
    assert.deepEqual(loaded.identity, { incarnation: 'first', run });
    if (run === 1) assert.equal(loaded.memory, undefined);
    else assert.deepEqual(loaded.memory?.founder.record, null);
    await seat.kill(storage);
  }
}

async function keepsEveryRecord(seat: Seat): Promise<void> {
  const storage = await seat.start();
  for (const record of everyRecord) await storage.append([record]);
  await storage.append(votesOf(10, 20));
  await seat.restart(storage);
  await seat.holds([...everyRecord, ...votesOf(10, 20)]);
}

async function keepsTheOrder(seat: Seat): Promise<void> {
  const storage = await seat.start();
  const appends = Array.from({ length: 200 }, (_, index) => [...votesOf(1, 2, index), ...votesOf(index + 2, index + 3)]);
  const done: number[] = [];
  await Promise.all(
    appends.map(async (records, index) => {
      await storage.append(records);
      done.push(index);
    }),
  );
  assert.deepEqual(
    done,
    appends.map((_, index) => index),
    'appends were acknowledged in another order',
  );
  await seat.restart(storage);
  await seat.holds(appends.flat());
}

async function takesAnEmptyAppend(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append(votesOf(1, 3));
  await storage.append([]);
  await storage.append(votesOf(3, 5));
  await seat.restart(storage);
  await seat.holds(votesOf(1, 5));
}

async function survivesKills(seat: Seat): Promise<void> {
  for (let life = 0; life < 20; life += 1) {
    const storage = await seat.start();
    await storage.append(votesOf(life * 3 + 1, life * 3 + 4));
    await seat.kill(storage);
    await seat.kill(await seat.holds(votesOf(1, life * 3 + 4)));
  }
}

async function losesFromTheEnd(seat: Seat): Promise<void> {
  const storage = await seat.start();
  const appends = Array.from({ length: 100 }, (_, index) => votesOf(index * 5 + 1, index * 5 + 6));
  let acknowledged = 0;
  const all = appends.map(async (records) => {
    await storage.append(records);
    acknowledged += 1;
  });
  // What the kill ends rejects or never settles; neither is of interest here.
  for (const one of all) one.catch(() => undefined);
  await all[9];
  await seat.kill(storage);
  const known = acknowledged;
  await seat.holdsOneOf(appends.map((_, index) => appends.slice(0, index + 1).flat()).slice(known - 1));
}

async function compacts(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append(votesOf(1, 50));
  const snapshot = snapshotOf(40, 3);
  await storage.compact(snapshot, votesOf(41, 50));
  await seat.restart(storage);
  const again = await seat.holds(votesOf(41, 50), snapshot);
  await again.append(votesOf(50, 60));
  await seat.restart(again);
  await seat.holds(votesOf(41, 60), snapshot);
}

/** What a position rests on: no store has to know of it. */
async function countsRecords(seat: Seat): Promise<void> {
  const first = await seat.start();
  await first.append(votesOf(1, 41));
  await seat.kill(first);
  const second = await seat.counts(40);
  const compacted = second.compact(snapshotOf(30, 3), [...votesOf(31, 41), { type: 'position', position: 40 }]);
  await second.append(votesOf(41, 43));
  await compacted;
  await seat.kill(second);
  const third = await seat.counts(42);
  await third.append([...votesOf(43, 44), { type: 'position', position: 42 }]);
  await seat.kill(third);
  await seat.counts(42);
}

async function compactsUnderAppends(seat: Seat): Promise<void> {
  const storage = await seat.start();
  const append = async (slot: number): Promise<void> => storage.append(votesOf(slot, slot + 10));
  const before = Promise.all([1, 11, 21].map(append));
  const snapshot = snapshotOf(25, 8);
  const compacted = storage.compact(snapshot, votesOf(26, 31));
  const after = Promise.all([31, 41, 51].map(append));
  await Promise.all([before, compacted, after]);
  await storage.append(votesOf(61, 65));
  await seat.restart(storage);
  await seat.holds(votesOf(26, 65), snapshot);
}

async function replacesSnapshots(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append(votesOf(1, 11));
  await storage.compact(snapshotOf(10, 5, 262_144), []);
  await storage.append(votesOf(11, 21));
  const second = snapshotOf(20, 2, 100_000);
  await storage.compact(second, []);
  await seat.restart(storage);
  const again = await seat.holds([], second);
  const empty = snapshotOf(21, 0);
  await again.compact(empty, []);
  await seat.restart(again);
  await seat.holds([], empty);
}

async function discards(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append(votesOf(1, 11));
  await storage.compact(snapshotOf(5, 2), votesOf(6, 11));
  await storage.discard();
  const anew = await storage.load(minted('second'));
  assert.deepEqual(anew, { identity: { incarnation: 'second', run: 1 } });
  await storage.append(votesOf(1, 3));
  await seat.restart(storage);
  await seat.holds(votesOf(1, 3), undefined, 'second');
}

async function completesADiscard(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append([...votesOf(1, 4), { type: 'discarded' }]);
  await seat.kill(storage);
  const next = seat.open();
  assert.deepEqual((await next.load(minted('second'))).identity, { incarnation: 'second', run: 1 });
  await next.append(votesOf(7, 9));
  await seat.restart(next);
  await seat.holds(votesOf(7, 9), undefined, 'second');
}

async function handsOn(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append([...votesOf(1, 4), { type: 'discarded' }]);
  await storage.discard();
  assert.deepEqual((await storage.load(minted('second'))).identity, { incarnation: 'second', run: 1 });
  await storage.append([inherited]);
  await seat.restart(storage);
  await seat.holds([inherited], undefined, 'second');
}

async function closes(seat: Seat): Promise<void> {
  const storage = await seat.start();
  const written = storage.append(votesOf(1, 4));
  await storage.close?.();
  await written;
  await seat.holds(votesOf(1, 4));
}

async function refusesASecond(seat: Seat): Promise<void> {
  const first = await seat.start();
  await first.append(votesOf(1, 3));
  const second = seat.open();
  await rejectsWith('STORAGE_IN_USE', () => second.load(minted('other')));
  await first.append(votesOf(3, 5));
  await seat.kill(first);
  await seat.holds(votesOf(1, 5));
}

async function fencesTheFirst(seat: Seat): Promise<void> {
  const first = await seat.start();
  await first.append(votesOf(1, 3));
  const second = seat.open();
  const { identity } = await second.load(minted('other'));
  assert.deepEqual(identity, { incarnation: 'first', run: 2 });
  await rejectsWith('STORAGE_IN_USE', () => first.append(votesOf(3, 5)));
  await rejectsWith('STORAGE_IN_USE', () => first.append([]));
  await rejectsWith('STORAGE_IN_USE', () => first.compact(snapshotOf(2, 1), []));
  await second.append(votesOf(3, 4));
  await seat.restart(second);
  await seat.holds(votesOf(1, 4));
}

async function fencesADiscard(seat: Seat): Promise<void> {
  const first = await seat.start();
  await first.append(votesOf(1, 3));
  const second = seat.open();
  await second.load(minted('other', false));
  await rejectsWith('STORAGE_IN_USE', () => first.discard());
  await second.append(votesOf(3, 4));
  await seat.restart(second);
  await seat.holds(votesOf(1, 4));
}

async function diesAppending(seat: Seat): Promise<void> {
  await seat.diesAtEveryWrite({
    prepare: (storage) => Promise.resolve(storage.append(votesOf(1, 3))),
    act: (storage) => Promise.resolve(storage.append(votesOf(3, 9))),
    old: { records: votesOf(1, 3) },
    new: { records: votesOf(1, 9) },
  });
}

async function diesCompacting(seat: Seat): Promise<void> {
  const [older, newer] = [snapshotOf(4, 3), snapshotOf(8, 4)];
  await seat.diesAtEveryWrite({
    prepare: async (storage) => {
      await storage.append(votesOf(1, 7));
      await storage.compact(older, votesOf(5, 7));
      await storage.append(votesOf(7, 12));
    },
    act: (storage) => storage.compact(newer, votesOf(9, 12)),
    old: { records: votesOf(5, 12), snapshot: older },
    new: { records: votesOf(9, 12), snapshot: newer },
  });
}

async function diesDiscarding(seat: Seat): Promise<void> {
  const snapshot = snapshotOf(4, 3);
  await seat.diesAtEveryWrite({
    prepare: async (storage) => {
      await storage.compact(snapshot, votesOf(5, 7));
      await storage.append(votesOf(7, 12));
    },
    act: (storage) => storage.discard(),
    old: { records: votesOf(5, 12), snapshot },
    new: 'nothing',
  });
}

async function noticesCorruption(seat: Seat): Promise<void> {
  for (const damage of ['changedRecord', 'missingRecord'] as const) {
    const storage = await seat.start();
    for (let slot = 1; slot < 20; slot += 1) await storage.append(votesOf(slot, slot + 1));
    await seat.kill(storage);
    await seat.damage(damage);
    const next = seat.open();
    await rejectsWith('STORAGE_CORRUPT', () => next.load(minted('other')));
    await next.close?.();
    await seat.anotherPlace();
  }
}

async function refusesALaterVersion(seat: Seat): Promise<void> {
  const storage = await seat.start();
  await storage.append(votesOf(1, 3));
  await seat.kill(storage);
  await seat.damage('laterVersion');
  const next = seat.open();
  await rejectsWith('STORAGE_VERSION', () => next.load(minted('other')));
  await next.close?.();
}

async function rejectsWith(code: ErrorCode, act: () => void | Promise<unknown>): Promise<void> {
  await assert.rejects(
    async () => act(),
    (error: unknown) => isQuorateError(error, code),
    `expected ${code}`,
  );
}
