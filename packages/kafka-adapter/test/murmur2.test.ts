/** MurmurHash2 against the vectors of Kafka's own tests. */
import { murmur2, partitionOfKey } from '../src/murmur2.ts';

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %p as Kafka does', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test('hashes bytes above 127 and views into larger buffers alike', () => {
  const bytes = Buffer.from('größe/測試');
  const padded = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('y')]);
  expect(murmur2(padded.subarray(1, padded.length - 1))).toBe(murmur2(bytes));
});

test('a negative hash still names a partition', () => {
  for (const key of ['21', 'foobar', 'abc']) expect([0, 1, 2, 3, 4, 5, 6]).toContain(partitionOfKey(Buffer.from(key), 7));
});
