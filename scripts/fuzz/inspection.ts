/** What must hold of everything that was read: plain data, well-formed, no larger than its bytes allow, and nobody's prototype touched. */
import { isWellFormed } from '../../packages/core/src/codec/text.ts';

/** A value may weigh this many times its bytes, and that much besides: an array of one byte is still an object. */
const weightPerByte = 64;
const weightBesides = 1_024;

/** Throws for what is no plain data; the weight grows with what it takes in memory. */
export function checkPlain(value: unknown, bytes: number): void {
  const weight = weigh(value);
  if (weight > weightBesides + weightPerByte * bytes) throw new Error(`${bytes} bytes became a value that weighs ${weight}`);
}

function weigh(value: unknown): number {
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw new Error('half a surrogate pair was read');
    return 16 + value.length;
  }
  if (typeof value === 'number') {
    const isExact = Number.isSafeInteger(value) || !Number.isInteger(value);
    if (!Number.isFinite(value) || !isExact || Object.is(value, -0)) throw new Error(`${String(value)} was read as a number`);
    return 8;
  }
  if (value === null || typeof value === 'boolean') return 8;
  if (typeof value !== 'object') throw new Error(`a ${typeof value} was read`);
  return Array.isArray(value) ? weighList(value) : weighRecord(value);
}

function weighList(list: readonly unknown[]): number {
  if (Object.getPrototypeOf(list) !== Array.prototype) throw new Error('a list with a foreign prototype was read');
  let weight = 16;
  for (let at = 0; at < list.length; at += 1) weight += 8 + weigh(list[at]);
  return weight;
}

function weighRecord(record: object): number {
  if (Object.getPrototypeOf(record) !== Object.prototype) throw new Error('an object with a foreign prototype was read');
  let weight = 16;
  for (const [key, item] of Object.entries(record)) {
    if (Object.hasOwn(Object.prototype, key)) throw new Error(`an object with a field ${key} was read`);
    weight += 8 + weigh(item);
  }
  return weight;
}

const watched = [Object.prototype, Array.prototype, String.prototype, Number.prototype, Function.prototype] as const;

/** Throws as soon as anything of the built-in prototypes is not what it was when this was made. */
export function prototypeGuard(): () => void {
  const before = watched.map((prototype) => descriptorsOf(prototype));
  return () => {
    watched.forEach((prototype, index) => {
      const keys = Reflect.ownKeys(prototype);
      const known = before[index];
      if (known === undefined || keys.length !== known.size) throw new Error(`a built-in prototype has ${keys.length} fields`);
      for (const key of keys) {
        const now = Object.getOwnPropertyDescriptor(prototype, key);
        const then = known.get(key);
        if (now?.value !== then?.value || now?.get !== then?.get) throw new Error(`a built-in prototype has another ${String(key)}`);
      }
    });
  };
}

function descriptorsOf(prototype: object): ReadonlyMap<PropertyKey, PropertyDescriptor> {
  return new Map(Reflect.ownKeys(prototype).map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key) ?? {}]));
}

/** The cheap part of the guard, for after every frame: an assignment to a prototype shows in every object. */
export function isPolluted(): boolean {
  for (const _field in nothing) return true;
  for (const _field in emptyList) return true;
  return false;
}

const nothing = {};
const emptyList: readonly never[] = [];
