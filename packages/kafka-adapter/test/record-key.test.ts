/** The key of a frame's record: who wrote it, for whom, and what is not ours. */
import fc from 'fast-check';
import { channelOf, RecordKeys, recordKeyBytesMax, senderOf } from '../src/record-key.ts';

const keysOf = (node: string, channel = node) => new RecordKeys({ channel: Buffer.alloc(8, channel), node, inbox: 300 });
const to = (node: string) => ({ type: 'node', node }) as const;
const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });

test('tells own frames, those for here and those for another node of the inbox apart (3 nodes)', () => {
  const [a, b, c] = [keysOf('a'), keysOf('b'), keysOf('c')];
  expect(a.read(a.keyFor({ type: 'all' }))).toBe('own');
  expect(a.read(a.keyFor(to('a')))).toBe('own');
  expect(b.read(a.keyFor({ type: 'all' }))).toBe('here');
  expect(b.read(a.keyFor({ type: 'voters' }))).toBe('here');
  expect(b.read(a.keyFor(to('b')))).toBe('here');
  expect(c.read(a.keyFor(to('b')))).toBe('elsewhere');
});

test('brings a frame of one namesake to the other (2 processes of one name)', () => {
  const [one, other] = [keysOf('twin', '1'), keysOf('twin', '2')];
  expect(other.read(one.keyFor(to('twin')))).toBe('here');
  expect(one.read(one.keyFor(to('twin')))).toBe('own');
});

test('names the sender, its channel and its inbox (any Unicode names)', () => {
  fc.assert(
    fc.property(name, name, (sender, addressee) => {
      const key = keysOf(sender, 'x').keyFor(to(addressee));
      expect(senderOf(key)).toEqual({ node: sender, inbox: 300 });
      expect(channelOf(key)).toBe('xxxxxxxx');
      expect(keysOf(addressee, 'y').read(key)).toBe('here');
    }),
  );
});

test('reads any bytes without throwing', () => {
  const keys = keysOf('a');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) =>
      ['own', 'foreign', 'elsewhere', 'here'].includes(keys.read(Buffer.from(bytes))),
    ),
  );
  for (const key of [null, Buffer.alloc(0), Buffer.from('orders-42'), Buffer.from([1, ...Buffer.alloc(10), 255, 255])]) {
    expect(keys.read(key)).toBe('foreign');
  }
});

test('stays within the length that frames leave for it (names of 256 bytes)', () => {
  const long = 'é'.repeat(128);
  expect(keysOf(long).keyFor(to(long)).length).toBe(recordKeyBytesMax);
});
