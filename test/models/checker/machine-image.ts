/**
 * A machine as a value: a deep copy that can be stepped without touching the original, and a text that is equal for equal machines.
 * All of a shipped object's state is seen, private fields too, so that nothing of it is modelled twice.
 */

/** Given from outside and never changed by the machine. */
const givenFields = new Set(['options', 'configuration', 'limits']);
/** The output of the last step, replaced at the next, and a count of changes kept for those who watch: nothing is decided by either. */
const scratchFields = new Set(['out', 'revision']);

export function copyOf<T>(machine: T): T {
  return copied(machine, new Map()) as T;
}

/**
 * What is in a map or set is written in the order of its keys: none of the machines goes by the order in which it was put there.
 * An object that is met a second time is written as a sign of which it was: two machines that share different things differ.
 */
export function textOf(machine: unknown): string {
  return written(machine, new Map());
}

function copied(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) return copiedArray(value, copies);
  if (value instanceof Set || value instanceof Map) return copiedCollection(value, copies);
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
  copies.set(value, copy);
  for (const [field, item] of Object.entries(value)) copy[field] = givenFields.has(field) ? item : copied(item, copies);
  return copy;
}

function copiedArray(value: readonly unknown[], copies: Map<object, unknown>): unknown[] {
  const copy: unknown[] = [];
  copies.set(value, copy);
  for (const item of value) copy.push(copied(item, copies));
  return copy;
}

/** Two that share a set or map go on sharing it. */
function copiedCollection(value: Set<unknown> | Map<unknown, unknown>, copies: Map<object, unknown>): unknown {
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    copies.set(value, copy);
    for (const item of value) copy.add(copied(item, copies));
    return copy;
  }
  const copy = new Map<unknown, unknown>();
  copies.set(value, copy);
  for (const [key, item] of value) copy.set(key, copied(item, copies));
  return copy;
}

function written(value: unknown, met: Map<object, number>): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'f' : String(value);
  const known = met.get(value);
  if (known !== undefined) return `^${known}`;
  if (!isPlain(value)) met.set(value, met.size);
  if (Array.isArray(value)) return `[${value.map((item) => written(item, met)).join()}]`;
  if (value instanceof Set) return `{${[...value].map((item) => written(item, met)).sort().join()}}`; // prettier-ignore
  if (value instanceof Map) return `<${[...value].sort(byKey).map(([key, item]) => `${String(key)}=${written(item, met)}`).join()}>`; // prettier-ignore
  const fields = Object.entries(value).filter(([field]) => !givenFields.has(field) && !scratchFields.has(field));
  return `(${fields.map(([field, item]) => `${field}:${written(item, met)}`).join()})`;
}

/** A value such as a ballot: whether two fields hold the same one or two equal ones makes no difference. */
function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

function byKey([a]: readonly [unknown, unknown], [b]: readonly [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : 1;
}
