/** MurmurHash2 as Kafka's default partitioner uses it, so that producers in any language agree on where a key goes. */

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** A partition below `count`. */
export function partitionOfKey(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
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
