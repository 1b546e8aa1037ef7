/** MurmurHash2 and the placing of keys by it, against vectors made with Kafka's own Java client, and against kafkajs. */
import { Partitioners } from 'kafkajs';
import type { PartitionMetadata } from 'kafkajs';
import { murmur2, partitionByMurmur2 } from '../src/murmur2.ts';
import golden from './golden/murmur2.json';

// The vectors of Kafka's own tests.
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

test.each(golden.keys)('hashes golden key %# as the Java client does, and places it (5 counts)', ({ text, bytes, hash, partitions }) => {
  const key = Buffer.from(bytes, 'hex');
  expect(murmur2(key)).toBe(hash);
  expect(golden.counts.map((count) => partitionByMurmur2(key, count))).toEqual(partitions);
  if (text !== undefined) expect(golden.counts.map((count) => partitionByMurmur2(text, count))).toEqual(partitions);
});

test('hashes bytes above 127 and views into larger buffers alike', () => {
  const bytes = Buffer.from('größe/測試');
  const padded = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('y')]);
  expect(murmur2(padded.subarray(1, padded.length - 1))).toBe(murmur2(bytes));
});

describe('kafkajs', () => {
  const binary = Array.from({ length: 300 }, (_, length) => Buffer.from(Array.from({ length }, (_, at) => (at * 151 + length * 67) & 255)));
  const keys = [...binary, ...golden.keys.flatMap(({ text }) => (text === undefined ? [] : [text]))];

  test.each(golden.counts)('places every key where we do by its default partitioner (%d partitions)', (count) => {
    const place = kafkajsPlacing(Partitioners.DefaultPartitioner, count);
    expect(keys.map((key) => partitionByMurmur2(key, count))).toEqual(keys.map(place));
  });

  // Before version 2 its hash was computed in floating point: who still asks for that needs a `partitionOf` of their own.
  test('places many keys elsewhere by its legacy partitioner (64 partitions)', () => {
    const place = kafkajsPlacing(Partitioners.LegacyPartitioner, 64);
    const elsewhere = keys.filter((key) => place(key) !== partitionByMurmur2(key, 64));
    expect(elsewhere.length).toBeGreaterThan(keys.length / 2);
  });

  test('hashes the decimal digits of bytes that are no Buffer (64 partitions)', () => {
    const place = kafkajsPlacing(Partitioners.DefaultPartitioner, 64);
    const bytes = Uint8Array.of(1, 2, 3);
    expect(place(bytes as Buffer)).toBe(partitionByMurmur2('1,2,3', 64));
    expect(place(Buffer.from(bytes))).toBe(partitionByMurmur2(bytes, 64));
  });
});

function kafkajsPlacing(partitioner: typeof Partitioners.DefaultPartitioner, count: number): (key: string | Buffer) => number {
  const choose = partitioner();
  const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }) as PartitionMetadata);
  return (key) => choose({ topic: 't', partitionMetadata, message: { key, value: null } });
}
