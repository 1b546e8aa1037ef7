/** What may stand on a ring or take part in an assignment: a name and a weight. */
import { QuorateError } from '../errors.ts';

const nameBytesMax = 256;

/** Throws `INVALID_NAME` for an empty name, for one of more than 256 bytes and for half a surrogate pair, which has no bytes of its own. */
export function checkNodeName(name: unknown): void {
  if (typeof name !== 'string' || name === '') throw new QuorateError('INVALID_NAME', 'The name of a node is empty or not a string.');
  if (/\p{Surrogate}/u.test(name)) throw new QuorateError('INVALID_NAME', 'The name of a node is not well-formed Unicode.');
  if (new TextEncoder().encode(name).length > nameBytesMax)
    throw new QuorateError('INVALID_NAME', `The name of a node, "${name.slice(0, 32)}…", is too long.`);
}

/** Throws `INVALID_OPTIONS` for what has no fields. */
export function checkObject(what: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  throw new QuorateError('INVALID_OPTIONS', `${what} is ${String(value)}, not an object.`);
}

/** Throws `INVALID_OPTIONS` for what is no list. */
export function checkList(what: string, value: unknown): void {
  if (!Array.isArray(value)) throw new QuorateError('INVALID_OPTIONS', `${what} must be given as a list.`);
}

/** Throws `INVALID_OPTIONS` unless it is a finite number above 0. */
export function checkWeight(name: string, weight: unknown): void {
  if (typeof weight === 'number' && weight > 0 && weight < Infinity) return;
  throw new QuorateError('INVALID_OPTIONS', `The weight of "${name}" is ${String(weight)}, not a finite number above 0.`);
}
