/** How good input goes bad: bytes that are changed anywhere, and values that are changed where the bytes stay well-formed. */
import type { Random } from '../../packages/core/src/time/random.ts';
import { isList, type Raw, type Tree } from './pack.ts';

export function oneOf<T>(random: Random, list: readonly T[]): T {
  const item = list[random.below(list.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}

export function randomBytes(random: Random, lengthMax: number): Buffer {
  const bytes = Buffer.allocUnsafe(random.below(lengthMax + 1));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.below(256);
  return bytes;
}

/** Type bytes of MessagePack that begin something or nothing, and the ends of the range. */
const heads = [
  0x00, 0x7f, 0x80, 0x81, 0x90, 0x91, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd9, 0xdb, 0xdd, 0xdf, 0xe0, 0xff,
];

/** Changes one to four places at or after `from`: bits, bytes, lengths, cuts, repeats, and parts of another input. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random, from = 0): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count -= 1) changed = mutateOnce(changed, other, random, from);
  return changed;
}

function mutateOnce(bytes: Buffer, other: Uint8Array, random: Random, from: number): Buffer {
  const at = Math.min(bytes.length, from + random.below(Math.max(1, bytes.length - from)));
  const end = Math.min(bytes.length, at + 1 + random.below(16));
  const before = bytes.subarray(0, at);
  switch (random.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = oneOf(random, heads);
      return bytes;
    case 2:
      return Buffer.concat([before, Uint8Array.of(oneOf(random, heads)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(end)]);
    case 4:
      return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at)]);
    case 5:
      return Buffer.from(before);
    case 6:
      return Buffer.concat([before, other.subarray(random.below(other.length + 1))]);
    default: {
      // A length field, or what is taken for one, as large as it can be.
      const width = 1 + random.below(4);
      return Buffer.concat([before, Buffer.alloc(width, 0xff), bytes.subarray(Math.min(bytes.length, at + width))]);
    }
  }
}

export const oddNumbers = [
  ...[-0, -1, -32, -33, 0.5, NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE],
  ...[0, 1, 2, 3, 4, 5, 6, 9, 10, 127, 128, 255, 256, 4_095, 4_096, 4_097, 8_192, 8_193, 65_535, 65_536, 262_144],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 41, 2 ** 52 - 0.5, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 63],
];

export const oddTexts = [
  ...['', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'l/', 'e/', 'l/x', 'a', 'b', 'c', 'd'],
  ...['\uFEFF', `\uFEFF${'x'.repeat(40)}`, '\0', '\uFFFF', '\u{10FFFF}', '*', '>', '.', '../..', 'é'.repeat(128), 'x'.repeat(257)],
  ...['x'.repeat(1024), 'x'.repeat(1025), '€'.repeat(341), '🔒'.repeat(256)],
];

function raw(...bytes: readonly number[]): Raw {
  return { raw: Uint8Array.from(bytes) };
}

const proto = [...Buffer.from('__proto__')];
/** What the grammar has no place for. */
const oddRaws: readonly Raw[] = [
  raw(0x80),
  raw(0x81, 0xa9, ...proto, 0x81, 0xa1, 0x78, 1),
  raw(0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2),
  raw(0xde, 0, 1, 0xab, ...Buffer.from('constructor'), 0xc0),
  raw(0xc4, 2, 1, 2),
  raw(0xc7, 1, 5, 1),
  raw(0xd4, 0xff, 1),
  raw(0xd6, 0xff, 0, 0, 0, 1),
  raw(0xca, 0x3f, 0x80, 0, 0),
  raw(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0),
  raw(0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  raw(0xcd, 0, 1),
  raw(0xa2, 0xc0, 0xaf),
  raw(0xa3, 0xed, 0xa0, 0x80),
  raw(0xa1, 0xff),
  raw(0xd9, 1, 0x61),
  raw(0xdb, 0xff, 0xff, 0xff, 0xff),
  raw(0xdb, 0, 0, 1, 0),
  raw(0xdd, 0xff, 0xff, 0xff, 0xff),
  raw(0xdd, 0, 4, 0, 0),
  raw(0xdc, 0xff, 0xff),
  raw(0xc1),
  { raw: Buffer.alloc(9, 0x91) },
  { raw: Buffer.alloc(200, 0x91) },
  { raw: Buffer.alloc(5_000, 0x91) },
];

/** One to three values somewhere in the tree are changed, swapped, repeated, left out, or taken from another tree. */
export function mutateTree(tree: Tree, other: Tree, random: Random): Tree {
  let changed = tree;
  for (let count = 1 + (random.below(2) && random.below(3)); count > 0; count -= 1) changed = changeIn(changed, other, random);
  return changed;
}

function changeIn(tree: Tree, other: Tree, random: Random): Tree {
  if (!isList(tree) || tree.length === 0) return odd(tree, other, random);
  const at = random.below(tree.length);
  const item = tree[at] as Tree;
  if (random.below(4) > 0) return tree.with(at, isList(item) ? changeIn(item, other, random) : odd(item, other, random));
  const to = random.below(tree.length);
  switch (random.below(6)) {
    case 0:
      return tree.with(at, tree[to] as Tree).with(to, item);
    case 1:
      return [...tree.slice(0, at), ...tree.slice(at + 1)];
    case 2:
      return [...tree.slice(0, at), item, ...tree.slice(at)];
    case 3:
      return [...tree.slice(0, at), ...new Array<Tree>(2 + random.below(random.below(8) === 0 ? 300 : 8)).fill(item), ...tree.slice(at)];
    case 4:
      return tree.with(at, [item]);
    default:
      return odd(tree, other, random);
  }
}

function odd(tree: Tree, other: Tree, random: Random): Tree {
  switch (random.below(10)) {
    case 0:
      return oneOf(random, oddRaws);
    case 1:
      return partOf(other, random);
    case 2:
      return oneOf(random, [null, true, false, [], [[]], '', 0]);
    case 3:
      return oneOf(random, oddTexts);
    case 4:
      return oneOf(random, oddNumbers);
    default:
      // Mostly a value of the same kind, so that what it stands in is still read.
      if (typeof tree === 'number') return random.below(3) === 0 ? oneOf(random, oddNumbers) : Math.abs(tree + random.below(9) - 4);
      return typeof tree === 'string' ? oneOf(random, oddTexts) : partOf(other, random);
  }
}

function partOf(tree: Tree, random: Random): Tree {
  if (!isList(tree) || tree.length === 0 || random.below(4) === 0) return tree;
  return partOf(tree[random.below(tree.length)] as Tree, random);
}
