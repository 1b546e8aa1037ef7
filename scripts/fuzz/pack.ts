/** MessagePack for liars: writes trees as the codec does, and inside them whatever bytes one likes. */

/** Bytes that stand in the place of a value and need not be one. */
export interface Raw {
  readonly raw: Uint8Array;
}

export type Tree = null | boolean | number | string | Raw | readonly Tree[];

export function isRaw(tree: Tree): tree is Raw {
  return typeof tree === 'object' && tree !== null && 'raw' in tree;
}

export function isList(tree: Tree | undefined): tree is readonly Tree[] {
  return Array.isArray(tree);
}

/** Grown where a tree is larger. A million frames are written into it one after the other. */
let page = Buffer.alloc(128 * 1024);
let at = 0;

/** A tree that would take more is cut off there: it is not the fuzzer that is to be tried. */
const packedBytesMost = 1_048_576;

export function packTrees(prefix: Uint8Array, ...trees: readonly Tree[]): Uint8Array {
  at = 0;
  put(prefix);
  for (const tree of trees) write(tree);
  return Buffer.from(page.subarray(0, at));
}

function write(tree: Tree): void {
  if (at > packedBytesMost) return;
  if (tree === null) putByte(0xc0);
  else if (typeof tree === 'boolean') putByte(tree ? 0xc3 : 0xc2);
  else if (typeof tree === 'number') writeNumber(tree);
  else if (typeof tree === 'string') writeText(tree);
  else if (isRaw(tree)) put(tree.raw);
  else {
    writeLength(tree.length, { fixed: 0x90, fixedMax: 15, heads: [-1, 0xdc, 0xdd] });
    for (const item of tree) write(item);
  }
}

function writeText(text: string): void {
  const length = Buffer.byteLength(text);
  writeLength(length, { fixed: 0xa0, fixedMax: 31, heads: [0xd9, 0xda, 0xdb] });
  makeRoom(length);
  page.write(text, at);
  at += length;
}

interface Heads {
  readonly fixed: number;
  readonly fixedMax: number;
  /** For lengths of one, two and four bytes. */
  readonly heads: readonly [number, number, number];
}

function writeLength(length: number, { fixed, fixedMax, heads: [one, two, four] }: Heads): void {
  if (length <= fixedMax) putByte(fixed | length);
  else if (one >= 0 && length < 2 ** 8) putHead(one, 1, length);
  else if (length < 2 ** 16) putHead(two, 2, length);
  else putHead(four, 4, length);
}

/** Whole numbers in their shortest form, the others as doubles; what is no safe integer goes on the wire nevertheless. */
function writeNumber(value: number): void {
  if (!Number.isInteger(value) || Object.is(value, -0) || value < -32 || value >= 2 ** 64) return writeDouble(value);
  if (value < 0) putByte(256 + value);
  else if (value < 128) putByte(value);
  else if (value < 2 ** 8) putHead(0xcc, 1, value);
  else if (value < 2 ** 16) putHead(0xcd, 2, value);
  else if (value < 2 ** 32) putHead(0xce, 4, value);
  else {
    putByte(0xcf);
    makeRoom(8);
    at = page.writeUInt32BE(Math.floor(value / 2 ** 32), at);
    at = page.writeUInt32BE(value % 2 ** 32, at);
  }
}

function writeDouble(value: number): void {
  putByte(0xcb);
  makeRoom(8);
  at = page.writeDoubleBE(value, at);
}

function putHead(head: number, width: 1 | 2 | 4, value: number): void {
  putByte(head);
  makeRoom(width);
  at = page.writeUIntBE(value, at, width);
}

function putByte(byte: number): void {
  makeRoom(1);
  page[at] = byte;
  at += 1;
}

function put(bytes: Uint8Array): void {
  makeRoom(bytes.length);
  page.set(bytes, at);
  at += bytes.length;
}

function makeRoom(bytes: number): void {
  if (at + bytes > page.length) page = Buffer.concat([page, Buffer.alloc(page.length + bytes)]);
}
