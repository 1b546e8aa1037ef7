/**
 * Where a key stands on the ring: the top 53 bits of MurmurHash3_x86_128 (Austin Appleby, public domain), the variant for 32-bit
 * machines, since JavaScript multiplies whole numbers of 32 bits fast and of 64 bits slowly. It is not for keys of an adversary.
 */
import { QuorateError } from '../errors.ts';

/** One more than the largest position: positions are whole numbers that a double holds exactly. */
export const positionsEnd = 2 ** 53;

/** Equal bytes have one position, in [0, 2^53); a string stands for its bytes in UTF-8. The array is the caller's own: do not keep it. */
export type KeyHash = (key: string | Uint8Array) => number;

const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

const blockWords = 4;
const wordsAtFirst = 64;

/** A hash function with a buffer of its own, so that hashing allocates nothing. It throws `INVALID_OPTIONS` at what is neither string nor bytes. */
export function murmur3(seed = 0): KeyHash {
  const encoder = new TextEncoder();
  let words = new Int32Array(wordsAtFirst);

  return (key) => {
    if (typeof key !== 'string' && !isBytes(key))
      throw new QuorateError('INVALID_OPTIONS', 'A key is neither a string nor an array of bytes.');
    if (key.length + 16 > words.length * 4) words = new Int32Array(key.length);
    if (typeof key !== 'string') return hashWords(words, fromBytes(words, key), seed);
    if (fromAscii(words, key)) return hashWords(words, key.length, seed);
    const bytes = encoder.encode(key);
    if (bytes.length + 16 > words.length * 4) words = new Int32Array(bytes.length);
    return hashWords(words, fromBytes(words, bytes), seed);
  };
}

/** By its tag, for bytes may come from another realm; words of two or more bytes would lose all but one of them. */
function isBytes(key: unknown): boolean {
  return ArrayBuffer.isView(key) && Object.prototype.toString.call(key) === '[object Uint8Array]';
}

/** Bytes become little-endian words; the last block is filled up with zeros, which leave the state as it is. */
function fromBytes(words: Int32Array, bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length >>> 2;
  let at = 0;
  for (let word = 0; word < whole; word++, at += 4)
    words[word] = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  let last = 0;
  for (let shift = 0; at < length; at++, shift += 8) last |= (bytes[at] ?? 0) << shift;
  fillUp(words, whole, last);
  return length;
}

/** Most keys are ASCII, where a UTF-16 unit is a byte; false for the others. */
function fromAscii(words: Int32Array, text: string): boolean {
  const { length } = text;
  const whole = length >>> 2;
  let at = 0;
  let seen = 0;
  for (let word = 0; word < whole; word++, at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    seen |= a | b | c | d;
    words[word] = a | (b << 8) | (c << 16) | (d << 24);
  }
  let last = 0;
  for (let shift = 0; at < length; at++, shift += 8) {
    const unit = text.charCodeAt(at);
    seen |= unit;
    last |= unit << shift;
  }
  fillUp(words, whole, last);
  return seen < 0x80;
}

function fillUp(words: Int32Array, whole: number, last: number): void {
  words[whole] = last;
  words[whole + 1] = 0;
  words[whole + 2] = 0;
  words[whole + 3] = 0;
}

function hashWords(words: Int32Array, length: number, seed: number): number {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;

  const blocksEnd = (length >>> 4) * blockWords;
  let at = 0;
  for (; at < blocksEnd; at += blockWords) {
    h1 ^= scramble(words[at] ?? 0, c1, 15, c2);
    h1 = (Math.imul(rotateLeft(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(words[at + 1] ?? 0, c2, 16, c3);
    h2 = (Math.imul(rotateLeft(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(words[at + 2] ?? 0, c3, 17, c4);
    h3 = (Math.imul(rotateLeft(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(words[at + 3] ?? 0, c4, 18, c1);
    h4 = (Math.imul(rotateLeft(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  if ((length & 15) !== 0) {
    h1 ^= scramble(words[at] ?? 0, c1, 15, c2);
    h2 ^= scramble(words[at + 1] ?? 0, c2, 16, c3);
    h3 ^= scramble(words[at + 2] ?? 0, c3, 17, c4);
    h4 ^= scramble(words[at + 3] ?? 0, c4, 18, c1);
  }

  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = avalanche(h2 + h1);
  h3 = avalanche(h3 + h1);
  h4 = avalanche(h4 + h1);
  h1 = avalanche(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  // The other two words do not reach the position.
  return (h1 >>> 0) * 0x20_0000 + (h2 >>> 11);
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotateLeft(Math.imul(word, first), bits), second);
}

function avalanche(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
