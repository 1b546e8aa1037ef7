/** FNV-1a and the placing of keys by it, against vectors made with the standard library of Go, which nats-server is built with. */
import { fnv1a32, keyBytes, partitionByFnv1a, partitionOfHash } from '../../src/adapter.ts';
import { isQuorateError } from '../../src/errors.ts';
import golden from '../golden/fnv1a.json';

test.each(golden.keys)('hashes golden key %# as Go does, and places it (5 counts)', ({ text, bytes, hash, partitions }) => {
  const key = Buffer.from(bytes, 'hex');
  expect(fnv1a32(key)).toBe(hash);
  expect(golden.counts.map((count) => partitionByFnv1a(key, count))).toEqual(partitions);
  if (text !== undefined) expect(golden.counts.map((count) => partitionByFnv1a(text, count))).toEqual(partitions);
});

test('hashes a view into a larger buffer, and a plain array of bytes, as the bytes alone', () => {
  const bytes = Buffer.from('größe/測試');
  const padded = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('y')]);
  expect(fnv1a32(padded.subarray(1, padded.length - 1))).toBe(fnv1a32(bytes));
  expect(fnv1a32(Uint8Array.from(bytes))).toBe(fnv1a32(bytes));
});

test('takes half a surrogate pair for what the clients send in its place', () => {
  expect(partitionByFnv1a('a\ud800', 1_024)).toBe(partitionByFnv1a('a\ufffd', 1_024));
});

test.each([0, -1, 1.5, NaN, Infinity, 2 ** 53, '12'])('refuses %p as a number of partitions', (count) => {
  expect(codeOf(() => partitionOfHash(7, count as number))).toBe('INVALID_OPTIONS');
});

test.each([null, undefined, 42, {}, [1, 2], new DataView(new ArrayBuffer(2))])('refuses %p as a key', (key) => {
  expect(codeOf(() => keyBytes(key as string))).toBe('INVALID_OPTIONS');
});

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return isQuorateError(error) ? error.code : String(error);
  }
  return undefined;
}
