/** What the storage conformance cases play with: a seat whose processes start, die and start again, and what it must hold then. */
import assert from 'node:assert/strict';
import type { Ballot } from '../paxos/ballot.ts';
import { foldRecords } from './begin-run.ts';
import type { LoadedMember, MemberRecord, Storage, StoredSnapshot } from './storage.ts';

export interface StorageSubject {
  /** A place to keep one seat in, empty. */
  place(): Promise<StoragePlace>;
  /** What a second process meets on a place that a living one has: it is kept out, or it fences the first one off. */
  readonly secondProcess: 'refused' | 'fences';
  /** True where `StoragePlace.openDying` is there: cases about deaths in the middle of a write are run. */
  readonly canDie?: boolean;
  /** True where `StoragePlace.damage` is there. */
  readonly canDamage?: boolean;
}

export interface StoragePlace {
  /** The storage as a process that starts now has it. */
  open(): Storage;
  /** The process that has this storage dies: what it has not acknowledged may be lost, and it writes no more. Resolves once it is dead. */
  kill(storage: Storage): Promise<void>;
  /**
   * Like `open`, of a process that dies at write `writes` + 1, counted from when `load` has resolved: that write and all later ones do
   * not happen, and their promises reject or never settle. A write is whatever reaches the place by itself.
   */
  openDying?(writes: number): DyingStorage;
  /** Changes what is kept, while nobody has it open: a bit of a record in the middle, a whole one there, the version of the format. */
  damage?(kind: Damage): Promise<void>;
  /** The place is not needed any more. */
  close?(): Promise<void>;
}

export interface DyingStorage extends Storage {
  readonly hasDied: boolean;
  /** Resolves when it has. */
  readonly death: Promise<void>;
}

export type Damage = 'changedRecord' | 'missingRecord' | 'laterVersion';

export interface Expected {
  readonly records: readonly MemberRecord[];
  readonly snapshot?: StoredSnapshot;
}

export interface DyingAct {
  prepare(storage: Storage): Promise<void>;
  act(storage: Storage): Promise<void>;
  readonly old: Expected;
  readonly new: Expected | 'nothing';
}

/** More writes than any act of the suite takes: an act that never ends is a fault of the store. */
const writesMax = 1_000;

/** One run of one case. */
export class Seat {
  readonly #places: StoragePlace[] = [];
  readonly #open = new Set<Storage>();

  static async run(subject: StorageSubject, check: (seat: Seat) => Promise<void>): Promise<void> {
    const seat = new Seat(subject);
    try {
      await seat.anotherPlace();
      await check(seat);
    } finally {
      for (const storage of seat.#open) await seat.#place.kill(storage);
      for (const place of seat.#places) await place.close?.();
    }
  }

  private constructor(private readonly subject: StorageSubject) {}

  async anotherPlace(): Promise<void> {
    this.#open.clear();
    this.#places.push(await this.subject.place());
  }

  open(): Storage {
    const storage = this.#place.open();
    this.#open.add(storage);
    return storage;
  }

  /** A process starts, in whatever state the place is. */
  async start(): Promise<Storage> {
    const storage = this.open();
    await storage.load(() => 'first');
    return storage;
  }

  async kill(storage: Storage): Promise<void> {
    this.#open.delete(storage);
    await this.#place.kill(storage);
  }

  /** The process leaves in good order where its store knows how, else it dies. */
  async restart(storage: Storage): Promise<void> {
    await storage.close?.();
    await this.kill(storage);
  }

  async damage(kind: Damage): Promise<void> {
    await this.#place.damage?.(kind);
  }

  /** Resolves with a storage that was loaded with exactly this. */
  async holds(records: readonly MemberRecord[], snapshot?: StoredSnapshot, incarnation = 'first'): Promise<Storage> {
    const storage = this.open();
    const loaded = await storage.load(() => 'another');
    assert.equal(loaded.identity.incarnation, incarnation);
    same(loaded, { records, ...(snapshot && { snapshot }) });
    return storage;
  }

  /** Resolves with a storage that was loaded with so many records counted. */
  async counts(position: number): Promise<Storage> {
    const storage = this.open();
    const { memory } = await storage.load(() => 'another');
    assert.equal(memory?.position, position);
    return storage;
  }

  async holdsOneOf(all: readonly (readonly MemberRecord[])[]): Promise<void> {
    const loaded = await this.open().load(() => 'another');
    const found = all.some((records) => isSame(loaded, { records }));
    assert.ok(found, 'what was loaded is no beginning of what was appended, or lacks what was acknowledged');
  }

  /** Lets the act die at each of its writes in turn, each time in a place of its own, until it gets to its end. */
  async diesAtEveryWrite({ prepare, act, old, new: fresh }: DyingAct): Promise<void> {
    for (let writes = 0; writes < writesMax; writes += 1) {
      await this.anotherPlace();
      const first = await this.start();
      await prepare(first);
      await this.kill(first);
      const dying = this.#place.openDying?.(writes);
      assert.ok(dying, 'a subject that can die has `openDying`');
      await dying.load(() => 'another');
      let isDone = false;
      const acted = act(dying).then(() => (isDone = true));
      acted.catch(() => undefined);
      await Promise.race([acted, dying.death]).catch(() => undefined);
      await this.#place.kill(dying);
      await this.#checkAfter(`after ${writes} writes`, old, fresh, isDone);
      if (!dying.hasDied) return;
    }
    assert.fail(`more than ${writesMax} writes`);
  }

  async #checkAfter(when: string, old: Expected, fresh: Expected | 'nothing', isDone: boolean): Promise<void> {
    const storage = this.open();
    const loaded = await storage.load(() => 'another');
    const isNew = fresh === 'nothing' ? loaded.memory === undefined : isSame(loaded, fresh);
    const isOld = isSame(loaded, old);
    assert.ok(isDone ? isNew : isOld || isNew, `${when} the store holds neither the old nor the new`);
    const { incarnation } = loaded.identity;
    assert.equal(incarnation, fresh === 'nothing' && isNew ? 'another' : 'first');
    await storage.append(votesOf(100, 103));
    await this.kill(storage);
    const base: Expected = isNew ? (fresh === 'nothing' ? { records: [] } : fresh) : old;
    await this.kill(await this.holds([...base.records, ...votesOf(100, 103)], base.snapshot, incarnation));
  }

  get #place(): StoragePlace {
    const place = this.#places.at(-1);
    assert.ok(place);
    return place;
  }
}

/** For a start that must find the seat empty, or must not: then minting is a fault. */
export function minted(incarnation: string, isWanted = true): () => string {
  return () => {
    assert.ok(isWanted, 'an incarnation was minted for storage that is not empty');
    return incarnation;
  };
}

const ballot: Ballot = { round: 3, node: 'näme ☂', incarnation: 'i', run: 2 };

/** One vote for each slot from `first` up to, and without, `end`. */
export function votesOf(first: number, end: number, round = 1): MemberRecord[] {
  const value = (slot: number): Extract<MemberRecord, { type: 'voted' }>['value'] => [1_700_000_000_000 + slot, [[1, `stamp ${slot}`]]];
  return Array.from({ length: end - first }, (_, index) => ({
    type: 'voted',
    slot: first + index,
    ballot: { ...ballot, round },
    value: value(first + index),
  }));
}

const founding: Extract<MemberRecord, { type: 'founding' }> = {
  type: 'founding',
  record: {
    configuration: { founding: 'f', id: 1, voters: [{ node: 'a', incarnation: 'first' }] },
    tokenSecond: 123_456_789,
    maxSessionTtlMs: 60_000,
    firstFounding: true,
  },
  complete: false,
  confirmed: false,
};

export const inherited: MemberRecord = { type: 'inherited', founding: 'f', tokenSecond: 123_456_789, longestTtlMs: 60_000 };

export const everyRecord: readonly MemberRecord[] = [
  inherited,
  founding,
  { ...founding, complete: true },
  { ...founding, complete: true, confirmed: true },
  { type: 'promised', ballot },
  { type: 'voted', slot: 1, ballot, value: null },
  { type: 'voted', slot: 2, ballot, value: [1.5, [[0, 4096, 7, [[5, 13, 'e/\uFEFFy', 70_000, '\u0000 ☂ '.repeat(100)]]]]] },
  { type: 'learned', slot: 3, value: null },
  { type: 'learned', slot: 4, value: [0, []] },
  { type: 'chosen', upTo: 4 },
  { type: 'promised', ballot: { ...ballot, round: 4 } },
  { type: 'position', position: 70_000 },
];

export function snapshotOf(index: number, chunks: number, bytes = 1_000): StoredSnapshot {
  const chunk = (number: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + number * 31 + index) % 256);
  return {
    index,
    header: Uint8Array.of(1, index % 256, chunks, 0, 255),
    chunks: Array.from({ length: chunks }, (_, number) => chunk(number)),
  };
}

function same(loaded: LoadedMember, { records, snapshot }: Expected): void {
  assert.deepEqual(plain(loaded.memory ?? null), plain(foldRecords(records, snapshot)));
}

function isSame(loaded: LoadedMember, expected: Expected): boolean {
  try {
    same(loaded, expected);
    return true;
  } catch {
    return false;
  }
}

/** Byte arrays of any kind are alike, and what is not there is not there. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([key, field]) => [key, plain(field)]),
  );
}
