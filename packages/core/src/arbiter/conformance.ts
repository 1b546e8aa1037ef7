/**
 * The conformance suite of the arbiter port: what every arbiter must do, as cases that any test framework can loop over.
 *
 *     for (const { name, run } of arbiterConformance(subject)) test(name, run, 60_000);
 */
import assert from 'node:assert/strict';
import { isQuorateError } from '../errors.ts';
import type { Arbiter } from './arbiter.ts';

export interface ArbiterSubject {
  /** A place for the log of one group, where none was written yet. */
  place(): Promise<ArbiterPlace>;
  /** True where `ArbiterPlace.loseBeginning` is there. */
  readonly canLose?: boolean;
}

export interface ArbiterPlace {
  /** The log as a process has it that starts now. */
  open(): Arbiter;
  /** Takes the oldest record away, or all of them, as a purge or a retention would; not as if nothing had ever been written. */
  loseBeginning?(of: 'the first record' | 'all records'): Promise<void>;
  close?(): Promise<void>;
}

export interface ArbiterCase {
  /** A sentence with a topology. */
  readonly name: string;
  /** Rejects where the arbiter does not conform. Cases may run in any order, one at a time. */
  run(): Promise<void>;
}

type Check = (place: ArbiterPlace, open: () => Arbiter) => Promise<void>;

const processes = 5;

export function arbiterConformance(subject: ArbiterSubject): readonly ArbiterCase[] {
  const cases: [string, Check][] = [
    ['is empty where nobody wrote (2 processes)', startsEmpty],
    ['gives every process what was written, in order and to the byte (2 processes)', givesBack],
    ['lets one record count at a position, whoever asks (2 processes)', takesTheFirst],
    ['lets exactly one of several writers at once have a position (5 processes)', takesOneOfMany],
    ['takes nothing at a position that is not the next (1 process)', takesNoGap],
    ['keeps all that is written by processes that lose and try again (5 processes)', keepsAll],
    ['keeps the log when its processes are gone (3 processes)', outlives],
  ];
  if (subject.canLose === true) {
    cases.push(
      [
        'does not read a log without its first record, nor write to it (2 processes)',
        (place, open) => refuses(place, open, 'the first record'),
      ],
      ['does not take a log that was cleared for one that never was (2 processes)', (place, open) => refuses(place, open, 'all records')],
    );
  }
  return cases.map(([name, check]) => ({ name, run: () => runIn(subject, check) }));
}

async function runIn(subject: ArbiterSubject, check: Check): Promise<void> {
  const place = await subject.place();
  const opened: Arbiter[] = [];
  const open = (): Arbiter => {
    const arbiter = place.open();
    opened.push(arbiter);
    return arbiter;
  };
  try {
    await check(place, open);
  } finally {
    for (const arbiter of opened) await arbiter.close();
    await place.close?.();
  }
}

async function startsEmpty(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  assert.deepEqual(await open().read(), []);
  assert.deepEqual(await open().read(), []);
}

async function givesBack(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const [writer, reader] = [open(), open()];
  const records = [Uint8Array.of(0), recordOf('ä ☂', 1), Uint8Array.from({ length: 4_000 }, (_, index) => index % 256)];
  for (const [position, record] of records.entries()) {
    assert.equal(await writer.append(position, record), true);
    await holds(reader, records.slice(0, position + 1));
  }
  await holds(open(), records);
}

async function takesTheFirst(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const [first, second] = [open(), open()];
  assert.equal(await first.append(0, recordOf('first', 0)), true);
  assert.equal(await second.append(0, recordOf('second', 0)), false, 'a second record counts at a position that was taken');
  await holds(second, [recordOf('first', 0)]);
  assert.equal(await second.append(1, recordOf('second', 1)), true);
  assert.equal(await first.append(1, recordOf('first', 1)), false);
  for (const one of [first, second]) await holds(one, [recordOf('first', 0), recordOf('second', 1)]);
}

async function takesOneOfMany(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const all = Array.from({ length: processes }, () => open());
  for (let position = 0; position < 4; position += 1) {
    const won = await Promise.all(all.map((one, index) => one.append(position, recordOf(`process ${index}`, position))));
    const winners = won.flatMap((has, index) => (has ? [index] : []));
    assert.equal(winners.length, 1, `${winners.length} writers were told that they have position ${position}`);
    for (const one of all) {
      const found = await one.read();
      assert.equal(found.length, position + 1);
      assert.deepEqual(plain(found.at(-1)), plain(recordOf(`process ${winners[0]}`, position)));
    }
  }
}

async function takesNoGap(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const arbiter = open();
  assert.equal(await arbiter.append(0, recordOf('a', 0)), true);
  const isTaken = await arbiter.append(2, recordOf('a', 2)).catch(() => false);
  assert.equal(isTaken, false, 'a record was taken behind a gap');
  await holds(arbiter, [recordOf('a', 0)]);
  assert.equal(await arbiter.append(1, recordOf('a', 1)), true);
  await holds(open(), [recordOf('a', 0), recordOf('a', 1)]);
}

async function keepsAll(_place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const each = 3;
  const write = async (name: string): Promise<void> => {
    const arbiter = open();
    for (let number = 0; number < each;) {
      const { length } = await arbiter.read();
      if (await arbiter.append(length, recordOf(name, number))) number += 1;
    }
  };
  const names = Array.from({ length: processes }, (_, index) => `process ${index}`);
  await Promise.all(names.map(write));
  const found = (await open().read()).map((record) => new TextDecoder().decode(record));
  assert.equal(found.length, processes * each);
  for (const name of names) {
    const own = Array.from({ length: each }, (_, number) => `${name} ${number}`);
    assert.deepEqual(
      found.filter((record) => record.startsWith(`${name} `)),
      own,
    );
  }
}

async function outlives(place: ArbiterPlace, open: () => Arbiter): Promise<void> {
  const first = place.open();
  await first.append(0, recordOf('first', 0));
  await first.close();
  const second = place.open();
  await second.append(1, recordOf('second', 1));
  await second.close();
  await holds(open(), [recordOf('first', 0), recordOf('second', 1)]);
}

async function refuses(place: ArbiterPlace, open: () => Arbiter, lost: 'the first record' | 'all records'): Promise<void> {
  const writer = open();
  for (let position = 0; position < 3; position += 1) await writer.append(position, recordOf('a', position));
  await place.loseBeginning?.(lost);
  for (const arbiter of [writer, open()]) {
    for (const act of [() => arbiter.read(), () => arbiter.append(0, recordOf('b', 0)), () => arbiter.append(3, recordOf('b', 3))]) {
      await assert.rejects(
        async () => act(),
        (error: unknown) => isQuorateError(error, 'ARBITER_CORRUPT'),
        'a log without its beginning was read or written',
      );
    }
  }
}

async function holds(arbiter: Arbiter, records: readonly Uint8Array[]): Promise<void> {
  assert.deepEqual((await arbiter.read()).map(plain), records.map(plain));
}

function recordOf(name: string, number: number): Uint8Array {
  return new TextEncoder().encode(`${name} ${number}`);
}

function plain(record: Uint8Array | undefined): string {
  return Buffer.from(record ?? []).toString('base64');
}
