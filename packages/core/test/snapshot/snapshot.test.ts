/** A group's state in slices: written, carried and taken up again. `docs/protocol.md`, "Snapshots"; the safety rule 2. */
import fc from 'fast-check';
import { rowCodec } from '../../src/codec/snapshot-codec.ts';
import { checkGroupState } from '../../src/group/group-invariants.ts';
import { GroupState } from '../../src/group/group-state.ts';
import { entryKind } from '../../src/session/command.ts';
import { rowKind } from '../../src/snapshot/row.ts';
import type { RowCodec, SnapshotRow } from '../../src/snapshot/row.ts';
import { refusalOf, SnapshotIntake } from '../../src/snapshot/snapshot-intake.ts';
import { chunkBytesMax, SnapshotWriter } from '../../src/snapshot/snapshot-writer.ts';
import { carried, maxSessionTtlMs, randomState, Receiver, rowsIn, written, writerOf } from './carried.ts';
import { largeState } from './large-state.ts';

const anyState = fc.record({ seed: fc.nat(), slots: fc.integer({ min: 0, max: 150 }) }).map(({ seed, slots }) => randomState(seed, slots));
const anySize = fc.constantFrom(1, 200, 1_000, chunkBytesMax);

describe('a state that was carried in chunks', () => {
  it('is the same to the last byte, whatever the state and the size of the chunks', () => {
    fc.assert(
      fc.property(anyState, anySize, (state, bytesMax) => {
        const twin = carried(state, bytesMax);
        expect(twin.hash()).toBe(state.hash());
        expect(checkGroupState(twin)).toEqual(checkGroupState(state));
        expect(twin.counts).toEqual(state.counts);
        expect(written(twin, bytesMax).header).toEqual(written(state, bytesMax).header);
      }),
      { numRuns: 40 },
    );
  });

  it('goes on as the state does that it was taken from', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const twin = carried(randomState(seed, 100));
        const state = randomState(seed, 100);
        for (const one of [twin, state]) one.apply(one.appliedIndex + 1, [5, [...one.sessions()].map(({ key }) => [5, key, 's'] as const)]);
        expect(twin.hash()).toBe(state.hash());
        expect(twin.token).toBe(state.token);
      }),
      { numRuns: 30 },
    );
  });

  it('reaches every kind of row in these tests', () => {
    const kinds = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      const snapshot = written(randomState(seed, 300));
      snapshot.chunks.forEach((_chunk, at) => rowsIn(snapshot, at).forEach((row) => kinds.add(row[0])));
    }
    expect([...kinds].sort((a, b) => a - b)).toEqual(Object.values(rowKind));
  });
});

describe('a receiver', () => {
  const snapshot = written(randomState(7, 300), 1_000);
  const other = written(randomState(8, 300), 1_000);
  const last = snapshot.chunks.length - 1;

  it('takes chunks in order only, and each once, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(last), { maxLength: 60 }), (order) => {
        const receiver = new Receiver(snapshot);
        for (const chunk of order) {
          const isNext = chunk === receiver.intake.nextChunk;
          const { type } = receiver.take(chunk);
          expect(type).toBe(!isNext ? 'ignored' : chunk === last ? 'complete' : 'taken');
        }
        if (receiver.intake.nextChunk <= last) expect(receiver.takeRest().type).toBe('complete');
        expect(written(receiver.state, 1_000).header).toEqual(snapshot.header);
        expect(receiver.take(last).type).toBe('ignored');
      }),
      { numRuns: 20 },
    );
  });

  it('takes nothing of another snapshot', () => {
    const receiver = new Receiver(snapshot);
    receiver.take(0);
    expect(receiver.take(1, other).type).toBe('ignored');
    expect(receiver.takeRest().type).toBe('complete');
  });

  it('finds out that chunks of two snapshots were mixed under one name', () => {
    for (let at = 0; at < Math.min(snapshot.chunks.length, other.chunks.length); at += 1) {
      const receiver = new Receiver(snapshot);
      for (let chunk = 0; chunk < at; chunk += 1) receiver.take(chunk);
      const mixed = receiver.take(at, other, snapshot.header.hash);
      const end = mixed.type === 'refused' ? mixed : receiver.takeRest();
      expect(end.type).toBe('refused');
      expect(receiver.state.appliedIndex).toBe(0);
      expect(receiver.takeRest().type).toBe('ignored');
    }
  });

  it('refuses a snapshot of which any row was changed, left out, doubled or moved', () => {
    const anyChange = fc.record({ how: fc.constantFrom('leave', 'double', 'move', 'change'), at: fc.nat(), to: fc.nat() });
    const whole = snapshot.chunks.flatMap((_chunk, at) => rowsIn(snapshot, at));
    const header = { ...snapshot.header, chunks: 1 };
    fc.assert(
      fc.property(anyChange, ({ how, at, to }) => {
        const rows = [...whole];
        const [row] = rows.splice(at % rows.length, how === 'double' ? 0 : 1);
        const one = row ?? (rows[at % rows.length] as SnapshotRow);
        if (how === 'double' || how === 'move') rows.splice(to % rows.length, 0, one);
        if (how === 'change') rows.splice(at % (rows.length + 1), 0, changed(one, to));
        fc.pre(JSON.stringify(rows) !== JSON.stringify(whole));
        const state = new GroupState({ maxSessionTtlMs });
        const intake = new SnapshotIntake(header, state.tables, rowCodec);
        expect(intake.take(header.hash, 0, rows).type).toBe('refused');
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['of a format it does not know', { format: 2 }, 'it has format 2, and 1 is known here'],
    ['of another founding', { founding: 'g' }, 'it is of another founding'],
    ['of no chunks', { chunks: 0 }, 'it is empty'],
  ])('does not begin a snapshot %s', (_what, field, why) => {
    expect(refusalOf({ ...snapshot.header, ...field }, 'f')).toBe(why);
    expect(refusalOf(snapshot.header, 'f')).toBeNull();
  });

  it.each(['founding', 'configuration', 'index', 'rows'] as const)('refuses a header of which the %s was changed', (field) => {
    const header = { ...snapshot.header, [field]: field === 'founding' ? 'g' : snapshot.header[field] + 1 };
    const receiver = new Receiver({ ...snapshot, header });
    expect(receiver.takeRest().type).toBe('refused');
  });
});

describe('work', () => {
  /** 100,000 locks with a waiter each, 2,000 sessions that were answered. */
  const state = largeState(100_000, 2_000);

  it('is the same small amount in every step of writing and taking 100,000 locks', () => {
    const seen: number[] = [];
    const counting: RowCodec = {
      ...rowCodec,
      pack: (rows) => {
        const chunk = rowCodec.pack(rows);
        seen.push(rows.length);
        expect(chunk.length).toBeLessThanOrEqual(chunkBytesMax);
        return chunk;
      },
    };
    const { appliedIndex: index, groupRow: group, tables } = state;
    const writer = new SnapshotWriter({ founding: 'f', configuration: 1, index, group, tables }, counting, chunkBytesMax);
    let snapshot = writer.step();
    for (let steps = 1; snapshot === null; steps += 1) {
      expect(seen.length).toBe(steps);
      snapshot = writer.step();
    }
    expect(seen.reduce((sum, rows) => sum + rows, 0)).toBe(snapshot.header.rows);
    expect(Math.max(...seen)).toBeLessThan(10_000);
    const stepsOfWriting = seen.splice(0);
    const twin = new GroupState({ maxSessionTtlMs });
    const intake = new SnapshotIntake(snapshot.header, twin.tables, counting);
    for (let chunk = 0; chunk < snapshot.chunks.length; chunk += 1) {
      const taken = intake.take(snapshot.header.hash, chunk, rowsIn(snapshot, chunk));
      // No step does the work of another, the last one neither.
      expect(seen).toEqual(stepsOfWriting.slice(0, chunk + 1));
      if (taken.type === 'complete') twin.resume(snapshot.header.index, taken.group);
    }
    expect(twin.hash()).toBe(state.hash());
  });

  it('is the same small amount in every step though 20,000 incarnations lost their seats', () => {
    const replaced = new GroupState({ maxSessionTtlMs });
    for (let id = 2; id <= 20_001; id += 1) {
      replaced.apply(replaced.appliedIndex + 1, [0, [[entryKind.begin, 's']]]);
      const gone = [['a', incarnationOf(id - 1)]] as const;
      replaced.apply(replaced.appliedIndex + 1, [0, [[entryKind.stopSign, 's', id, [['a', incarnationOf(id)]], gone, []]]]);
    }
    const snapshot = written(replaced, chunkBytesMax);
    expect(snapshot.header.rows).toBe(20_001);
    expect(snapshot.chunks.length).toBeGreaterThan(1);
    for (const chunk of snapshot.chunks) expect(chunk.length).toBeLessThanOrEqual(chunkBytesMax);
    for (const row of rowsIn(snapshot, 0)) expect(rowCodec.sizeOf(row)).toBeLessThan(chunkBytesMax / 100);
    const twin = carried(replaced, chunkBytesMax);
    expect(twin.hash()).toBe(replaced.hash());
    expect([1, 2, 20_000, 20_001].map((id) => twin.membership.isReplaced(incarnationOf(id)))).toEqual([true, true, true, false]);
  });

  it('makes no chunk of more than one row larger than it was told, and none without a row', () => {
    fc.assert(
      fc.property(anyState, fc.integer({ min: 1, max: 3_000 }), (one, bytesMax) => {
        const snapshot = written(one, bytesMax);
        snapshot.chunks.forEach((chunk, at) => {
          const rows = rowsIn(snapshot, at).length;
          expect(rows).toBeGreaterThan(0);
          expect(chunk.length <= bytesMax || rows === 1).toBe(true);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('has no row that is larger than a small part of a chunk, with the longest texts that are allowed', () => {
    const name = '\u{1F512}'.repeat(64);
    const note = 'é'.repeat(512);
    const id = 'x'.repeat(128);
    const most = Number.MAX_SAFE_INTEGER;
    const rows: readonly SnapshotRow[] = [
      [rowKind.group, 'x'.repeat(512), true, most, 255, [most, [[name, id]], most, [id], [name]]],
      [rowKind.session, most, id, name, id, most, most, most],
      [rowKind.answer, most, 10, most, note],
      [rowKind.lock, `l/${name}`, most, note],
      [rowKind.claim, most, name, most, 0, most, most, note],
      [rowKind.partition, name, name, most, most, true, true, note],
    ];
    for (const row of rows) expect(rowCodec.sizeOf(row)).toBeLessThan(chunkBytesMax / 100);
    expect(rowCodec.unpack(rowCodec.pack(rows))).toEqual(rows);
  });

  it('stops where it is between two steps', () => {
    const one = randomState(3, 300);
    const writer = writerOf(one, 500);
    const twin = writerOf(one, 500);
    writer.step();
    for (let done = twin.step(); done === null; done = twin.step());
    let snapshot = writer.step();
    while (snapshot === null) snapshot = writer.step();
    expect(snapshot.header).toEqual(written(one, 500).header);
  });
});

/** As long as those that are minted. */
function incarnationOf(id: number): string {
  return id.toString(16).padStart(32, '0');
}

/** The row with another number or text in one of its places, or another truth. */
function changed(row: SnapshotRow, at: number): SnapshotRow {
  const fields = [...row] as unknown[];
  const place = at % fields.length;
  const before = fields[place];
  fields[place] = typeof before === 'number' ? before + 1 : typeof before === 'boolean' ? !before : `${String(before)}x`;
  return fields as unknown as SnapshotRow;
}
