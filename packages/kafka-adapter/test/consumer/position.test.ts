/** Where an owner begins, and what may be seen there: notes, commits, and records of transactions. */
import fc from 'fast-check';
import { begunWithIn, readNote, startOf, tokenOf, userMetadataIn, writeMetadata, writeNote } from '../../src/consumer/hand-over-note.ts';
import { controlOf, readCommitted } from '../../src/consumer/read-committed.ts';
import type { RawRecord } from '../../src/consumer/read-committed.ts';

const at = { topic: 'orders', partition: 0 };
const commit = (offset: bigint | undefined, metadata = 'quorate:3') => ({ ...at, offset, metadata });

describe('a hand-over note', () => {
  test('reads as it was written, whatever the topics and offsets', () => {
    const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/);
    const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const positions = fc.array(fc.tuple(topic, fc.record({ position: offset, committed: fc.option(offset, { nil: undefined }) })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(positions, fc.maxSafeNat(), (entries, token) => {
        const note = { token, positions: new Map(entries) };
        expect(readNote(writeNote(note))).toEqual(note);
      }),
    );
  });

  test('is left out where it would be over a note’s 1 KiB', () => {
    const topics = Array.from({ length: 40 }, (_, index) => `a-rather-long-name-of-a-topic-${index}`);
    const positions = new Map(topics.map((topic) => [topic, { position: 1n, committed: 1n }]));
    expect(writeNote({ token: 1, positions })).toBeUndefined();
  });

  test('says nothing where it is somebody else’s', () => {
    for (const note of [undefined, '', 'last run on pod-3', 'orders=1', '#;orders=1', '#1', '#x;orders=1'])
      expect(readNote(note)).toBeUndefined();
    for (const part of ['', 'orders=', 'orders=1/', '=4', 'orders=-1']) expect(readNote(`#1;${part}`)?.positions.size).toBe(0);
  });
});

describe('the start of an owner', () => {
  const noted = (position: bigint, committed: bigint | undefined, token = 3) => {
    return { token, positions: new Map([['orders', { position, committed }]]) };
  };

  test('is the commit or the note, whichever there is', () => {
    expect(startOf(commit(5n), undefined)).toEqual({ offset: 5n, from: 'commit' });
    expect(startOf(commit(5n), { token: 4, positions: new Map() })).toEqual({ offset: 5n, from: 'commit' });
    expect(startOf(commit(undefined), noted(7n, undefined))).toEqual({ offset: 7n, from: 'note' });
    expect(startOf(commit(undefined), undefined)).toBeUndefined();
  });

  test('is the note of an owner whose last commit was not made', () => {
    expect(startOf(commit(5n), noted(7n, 5n))).toEqual({ offset: 7n, from: 'note' });
    expect(startOf(commit(5n, 'quorate:2'), noted(7n, 5n))).toEqual({ offset: 7n, from: 'note' });
    expect(startOf(commit(7n), noted(7n, 7n))).toEqual({ offset: 7n, from: 'commit' });
  });

  test('is the commit of an owner that came after the note and left none', () => {
    expect(startOf(commit(9n, 'quorate:4'), noted(7n, 7n))).toEqual({ offset: 9n, from: 'commit' });
  });

  test('is where the last owner went back to, told by its commit or by its note', () => {
    expect(startOf(commit(2n, 'quorate:4'), noted(7n, 7n))).toEqual({ offset: 2n, from: 'commit' });
    expect(startOf(commit(7n, 'quorate:2'), noted(2n, 7n))).toEqual({ offset: 2n, from: 'note' });
    expect(startOf(commit(7n), noted(2n, 7n))).toEqual({ offset: 2n, from: 'note' });
  });

  test('is the commit where an operator has reset it since', () => {
    expect(startOf(commit(2n, ''), noted(7n, 7n))).toEqual({ offset: 2n, from: 'commit' });
    expect(startOf(commit(9n, ''), noted(7n, 7n))).toEqual({ offset: 9n, from: 'commit' });
    // The commit of an old deployment, which the last owner began at and never got to replace.
    expect(startOf(commit(5n, ''), noted(7n, 5n))).toEqual({ offset: 7n, from: 'note' });
    expect(startOf(commit(5n, ''), noted(2n, 5n))).toEqual({ offset: 2n, from: 'note' });
  });

  test('tells commits of owners from those of others', () => {
    expect(tokenOf(writeMetadata(42))).toBe(42);
    expect(tokenOf(writeMetadata(42, 'mine'))).toBe(42);
    for (const own of ['', 'mine', 'two words']) expect(userMetadataIn(writeMetadata(42, own))).toBe(own);
    expect(userMetadataIn('somebody else’s')).toBe('');
    expect(begunWithIn(writeMetadata(42, 'mine'))).toBeUndefined();
    for (const metadata of ['', 'quorate', 'quorate:', 'quorate:x', 'quorate:1x', 'a quorate:1']) expect(tokenOf(metadata)).toBeUndefined();
  });
});

describe('the metadata of a commit', () => {
  test('says with how many partitions the group began the topic, before what the user wrote', () => {
    for (const own of ['', 'mine', 'two words', 'of:7', 'of:x', ' ']) {
      const metadata = writeMetadata(42, own, 12);
      expect([tokenOf(metadata), begunWithIn(metadata), userMetadataIn(metadata)]).toEqual([42, 12, own]);
    }
  });

  test('leaves to the user what is no such number', () => {
    for (const own of ['of:0', 'of:x', 'of:1x', 'of:12345678', 'of', 'mine of:3'])
      expect([begunWithIn(`quorate:42 ${own}`), userMetadataIn(`quorate:42 ${own}`)]).toEqual([undefined, own]);
    expect(begunWithIn('of:3')).toBeUndefined();
  });
});

describe('reading committed records', () => {
  const record = (
    offset: number,
    producerId: string,
    kind: 'plain' | 'transactional' | 'abort' | 'commit' = 'transactional',
  ): RawRecord => ({
    offset: BigInt(offset),
    producerId,
    isTransactional: kind !== 'plain',
    control: kind === 'abort' ? 'abort' : kind === 'commit' ? 'other' : 'none',
    message: { key: null, value: null, timestamp: '0', attributes: 0, offset: String(offset), headers: {} },
  });
  const shown = (records: readonly RawRecord[], aborted: readonly (readonly [string, number])[], from = 0) =>
    readCommitted(records, {
      from: BigInt(from),
      aborted: aborted.map(([producerId, first]) => ({ producerId, firstOffset: BigInt(first) })),
    }).map(({ offset }) => Number(offset));

  test('drops what two producers abort at once, and keeps what one of them does next', () => {
    const records = [
      record(0, 'p'),
      record(1, 'q'),
      record(2, 'p'),
      record(3, 'p', 'abort'),
      record(4, 'p'),
      record(5, 'q', 'abort'),
      record(6, 'q'),
    ];
    // As brokers list them: in the order of their ends.
    expect(
      shown(records, [
        ['p', 0],
        ['q', 1],
      ]),
    ).toEqual([4, 6]);
    expect(
      shown(records, [
        ['q', 1],
        ['p', 0],
      ]),
    ).toEqual([4, 6]);
  });

  test('knows transactions that began before what was fetched', () => {
    const records = [record(10, 'p'), record(11, 'q'), record(12, 'p', 'abort'), record(13, 'q', 'abort')];
    expect(
      shown(records, [
        ['p', 2],
        ['q', 3],
      ]),
    ).toEqual([]);
  });

  test('shows plain records of anybody, and nothing before the offset that was asked for', () => {
    expect(shown([record(0, '-1', 'plain'), record(1, 'p'), record(2, '-1', 'plain')], [['p', 1]], 1)).toEqual([2]);
  });

  test('takes a message for no marker, whatever its key', () => {
    const key = Buffer.from([0, 0, 0, 0]);
    expect([controlOf(false, key), controlOf(true, key), controlOf(true, Buffer.from([0, 0, 0, 1])), controlOf(true, null)]).toEqual([
      'none',
      'abort',
      'other',
      'other',
    ]);
  });
});
