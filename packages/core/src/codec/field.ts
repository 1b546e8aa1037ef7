/** Readers of single fields: each takes what MessagePack gave and returns what the grammar promises, or throws `Malformed`. */
import { Malformed } from './fault.ts';

/** The fields of a message or of a part of it. */
export type Tuple = readonly unknown[];

// The caps on text, in bytes of UTF-8.
const nameBytesMax = 256;
const identifierBytesMax = 128;
const stampBytesMax = 512;

export function list(value: unknown, field: string): Tuple {
  if (!Array.isArray(value)) throw new Malformed(`${field} is no list`);
  return value;
}

export function tuple(value: unknown, length: number, field: string): Tuple {
  if (!Array.isArray(value) || value.length !== length) throw new Malformed(`${field} is no tuple of ${length}`);
  return value;
}

export function each<T>(value: unknown, field: string, read: (item: unknown, field: string) => T): readonly T[] {
  return list(value, field).map((item) => read(item, field));
}

/** A safe integer from 0 on: slots, sequences, tokens, indexes, counters. */
export function count(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed(`${field} is no count`);
  return value;
}

export function countBetween(value: unknown, bounds: { readonly least: number; readonly most: number }, field: string): number {
  const number = count(value, field);
  if (number < bounds.least || number > bounds.most) throw new Malformed(`${field} is out of range`);
  return number;
}

/** A length of time or a calendar time: clocks may give fractions. */
export function milliseconds(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new Malformed(`${field} is no time`);
  return value;
}

export function flag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw new Malformed(`${field} is neither true nor false`);
  return value;
}

export function text(value: unknown, bytesMax: number, field: string): string {
  if (typeof value !== 'string' || !fits(value, bytesMax)) throw new Malformed(`${field} is no text of at most ${bytesMax} bytes`);
  return value;
}

/** A code unit takes at most three bytes, so most texts need no counting. */
function fits(value: string, bytesMax: number): boolean {
  return value.length * 3 <= bytesMax || (value.length <= bytesMax && Buffer.byteLength(value) <= bytesMax);
}

/** The name of a group or a node. */
export function name(value: unknown, field: string): string {
  const known = text(value, nameBytesMax, field);
  if (known === '') throw new Malformed(`${field} is empty`);
  return known;
}

/** A node, or empty for nobody. */
export function nameOrNobody(value: unknown, field: string): string {
  return text(value, nameBytesMax, field);
}

/** A random identity: founding, incarnation, nonce, process start. */
export function identifier(value: unknown, field: string): string {
  return text(value, identifierBytesMax, field);
}

/** The text of a ballot. */
export function stamp(value: unknown, field: string): string {
  return text(value, stampBytesMax, field);
}

/** A word that travels as a number: `codes` gives each its own. */
export function word<W extends string>(value: unknown, codes: Readonly<Record<W, number>>, field: string): W {
  for (const known in codes) if (codes[known] === value) return known;
  throw new Malformed(`${field} is no known code`);
}
