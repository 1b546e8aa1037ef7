/**
 * The shape of a MessagePack value, checked before anything is parsed: one pass without recursion over what the grammar uses,
 * so that hostile bytes can cost no more than their own length.
 */
import { noteBytesMax } from '../note.ts';
import { fault, type FrameFault } from './fault.ts';

export interface FrameLimits {
  readonly frameBytesMax: number;
  /** Values in a frame, arrays included. A frame of no more bytes than this cannot have more. */
  readonly elementsMax: number;
  /** Arrays within arrays: the grammar needs 9, for an operation in a vote of a promise. */
  readonly depthMax: number;
  readonly stringBytesMax: number;
}

export const frameLimits: FrameLimits = {
  frameBytesMax: 8 * 1024 * 1024,
  elementsMax: 256 * 1024,
  depthMax: 9,
  stringBytesMax: noteBytesMax,
};

export interface Shape {
  /** The offset after the value. */
  readonly end: number;
  /** A string begins with a byte order mark, which a `TextDecoder` would drop. */
  readonly byteOrderMark: boolean;
}

/**
 * Checks the one value that begins at `start`:
 *
 * 1. Integers from −32 to 2^53 − 1, finite doubles, strings in strict UTF-8, arrays, null, true and false; nothing else.
 * 2. Each in its shortest form, so that equal values are equal bytes.
 * 3. No array announces more elements, no string more bytes, than are left; nothing is beyond the limits.
 *
 * Allocates nothing that grows with the input: `left` holds one count for each open array, at most `depthMax`.
 */
export function checkShape(bytes: Uint8Array, start: number, limits: FrameLimits): Shape | FrameFault {
  const left = [1];
  let depth = 0;
  let elements = 0;
  let at = start;
  let byteOrderMark = false;

  for (;;) {
    while (left[depth] === 0) {
      if (depth === 0) return { end: at, byteOrderMark };
      depth -= 1;
    }
    left[depth] = (left[depth] ?? 0) - 1;
    elements += 1;
    if (elements > limits.elementsMax) return fault('tooLarge', `More than ${limits.elementsMax} values.`);
    if (at >= bytes.length) return truncated(at);

    const head = byteAt(bytes, at);
    at += 1;
    if (head < 0x80 || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) continue;

    const width = operandBytes(head);
    if (width < 0) return fault('malformed', `Type byte 0x${head.toString(16)} at ${at - 1}.`);
    if (width > bytes.length - at) return truncated(at);

    if (isNumber(head)) {
      if (!isShortestNumber(bytes, at, head))
        return fault('malformed', `A number at ${at - 1} is out of range or not in its shortest form.`);
      at += width;
      continue;
    }

    const size = width === 0 ? head & (isString(head) ? 0x1f : 0x0f) : unsigned(bytes, at, width);
    if (size < leastSize(head)) return fault('malformed', `A length at ${at - 1} is not in its shortest form.`);
    at += width;
    if (isString(head)) {
      if (size > limits.stringBytesMax) return fault('tooLarge', `A string of ${size} bytes.`);
      if (size > bytes.length - at) return truncated(at);
      if (!isUtf8(bytes, at, at + size)) return fault('malformed', `A string at ${at} is not UTF-8.`);
      if (size >= 3 && byteAt(bytes, at) === 0xef && byteAt(bytes, at + 1) === 0xbb && byteAt(bytes, at + 2) === 0xbf) byteOrderMark = true;
      at += size;
    } else {
      if (size > limits.elementsMax) return fault('tooLarge', `An array of ${size} elements.`);
      if (size > bytes.length - at) return truncated(at);
      if (depth === limits.depthMax) return fault('tooDeep', `More than ${limits.depthMax} arrays in each other.`);
      depth += 1;
      left[depth] = size;
    }
  }
}

function truncated(at: number): FrameFault {
  return fault('truncated', `The frame ends within the value at ${at}.`);
}

/** Past the end it is 0: no caller looks there, and the compiler need not be told so. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** How many bytes of a number, or of a length, follow the type byte; −1 for a type that the grammar does not use. */
function operandBytes(head: number): number {
  if (head < 0x90) return -1;
  if (head < 0xc0) return 0;
  switch (head) {
    case 0xcc: // uint 8
    case 0xd9: // str 8
      return 1;
    case 0xcd: // uint 16
    case 0xda: // str 16
    case 0xdc: // array 16
      return 2;
    case 0xce: // uint 32
    case 0xdb: // str 32
    case 0xdd: // array 32
      return 4;
    case 0xcb: // float 64
    case 0xcf: // uint 64
      return 8;
    default:
      return -1;
  }
}

function isNumber(head: number): boolean {
  return head >= 0xcb && head <= 0xcf;
}

function isString(head: number): boolean {
  return (head & 0xe0) === 0xa0 || (head >= 0xd9 && head <= 0xdb);
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i += 1) value = value * 256 + byteAt(bytes, at + i);
  return value;
}

/** The smallest length that needs this type byte. */
function leastSize(head: number): number {
  switch (head) {
    case 0xd9:
      return 32;
    case 0xda:
      return 256;
    case 0xdc:
      return 16;
    case 0xdb:
    case 0xdd:
      return 65_536;
    default:
      return 0;
  }
}

function isShortestNumber(bytes: Uint8Array, at: number, head: number): boolean {
  switch (head) {
    case 0xcc:
      return byteAt(bytes, at) >= 0x80;
    case 0xcd:
      return byteAt(bytes, at) !== 0;
    case 0xce:
      return byteAt(bytes, at) !== 0 || byteAt(bytes, at + 1) !== 0;
    case 0xcf: {
      const high = unsigned(bytes, at, 4);
      return high > 0 && high < 0x20_0000;
    }
    default:
      return isFraction(bytes, at);
  }
}

/**
 * A finite double that no integer form holds. What is neither a fraction nor a safe integer has no place in the grammar: from
 * 2^52 on the divisor is 1 or less, and nothing is left over.
 */
function isFraction(bytes: Uint8Array, at: number): boolean {
  const exponent = ((byteAt(bytes, at) & 0x7f) << 4) | (byteAt(bytes, at + 1) >> 4);
  if (exponent < 1023) return unsigned(bytes, at + 1, 7) !== 0 || (byteAt(bytes, at) & 0x7f) !== 0;
  const mantissa = (byteAt(bytes, at + 1) & 0x0f) * 2 ** 48 + unsigned(bytes, at + 2, 6);
  return mantissa % 2 ** (1023 + 52 - exponent) !== 0;
}

/** Strict: no overlong form, no surrogate, nothing above U+10FFFF, no character cut by the end. */
function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const first = byteAt(bytes, at);
    at += 1;
    if (first < 0x80) continue;
    const more = first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    if (more < 0 || more > end - at) return false;
    const second = byteAt(bytes, at);
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (let i = 1; i < more; i += 1) if ((byteAt(bytes, at + i) & 0xc0) !== 0x80) return false;
    at += more;
  }
  return true;
}
