/** MurmurHash2 as Kafka's default partitioner uses it, so that producers in any language agree on where a key goes. */
import { keyBytes, partitionOfHash } from '@quorate/core/adapter';

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * Where the Java client, kafkajs's `DefaultPartitioner` and librdkafka's `murmur2_random` place a key: `toPositive(murmur2(key)) % count`.
 * The empty key is a key; no key at all has no place, and each producer then chooses one. kafkajs takes bytes for bytes only where
 * they are a `Buffer`: of another `Uint8Array` it hashes the decimal digits.
 *
 * @throws QuorateError `INVALID_OPTIONS` for a count below 1, or a key that is neither text nor bytes.
 */
export function partitionByMurmur2(key: string | Uint8Array, count: number): number {
  return partitionOfHash(murmur2(keyBytes(key)) & 0x7fffffff, count);
}

/** A signed 32-bit number, as in Java. */
export function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const wordsEnd = data.byteLength & ~3;
  let hash = seed ^ data.byteLength;
  for (let at = 0; at < wordsEnd; at += 4) {
    let word = Math.imul(view.getInt32(at, true), multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  if (wordsEnd < data.byteLength) {
    for (let at = data.byteLength - 1; at >= wordsEnd; at--) hash ^= view.getUint8(at) << (8 * (at - wordsEnd));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
