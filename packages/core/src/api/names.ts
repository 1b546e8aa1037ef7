/** Which names of groups, nodes, locks and elections are accepted. */
import { isWellFormed } from '../codec/text.ts';
import { QuorateError } from '../errors.ts';
import { utf8Length } from '../note.ts';
import { kindOf } from '../shown.ts';

export const nameBytesMax = 256;

/** Returns the name, or throws `INVALID_NAME` saying what it names and what is wrong. */
export function checkName(what: string, name: unknown): string {
  if (typeof name !== 'string') throw new QuorateError('INVALID_NAME', `The name of a ${what} is ${kindOf(name)}, not a string.`);
  // Half a surrogate pair has no bytes in UTF-8, so replicas could not agree on the name.
  if (!isWellFormed(name)) throw new QuorateError('INVALID_NAME', `The name of a ${what} is not well-formed Unicode.`);
  if (name === '') throw new QuorateError('INVALID_NAME', `The name of a ${what} is empty.`);
  // A UTF-16 unit takes at most three bytes, so that most names need no counting.
  if (name.length * 3 <= nameBytesMax) return name;
  const bytes = utf8Length(name);
  if (bytes <= nameBytesMax) return name;
  throw new QuorateError('INVALID_NAME', `The name of a ${what}, "${name.slice(0, 32)}…", has ${bytes} bytes.`, { details: { bytes } });
}
