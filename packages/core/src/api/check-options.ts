/** Options that are objects: what else is given for them would be ignored in silence. */
import { QuorateError } from '../errors.ts';
import { isRecord } from '../record.ts';
import { shown } from '../shown.ts';

/** Throws INVALID_OPTIONS for what is neither an object nor left out. */
export function checkOptions(name: string, options: unknown): void {
  if (options === undefined || isRecord(options)) return;
  throw new QuorateError('INVALID_OPTIONS', `\`${name}\` is ${shown(options)}; it must be an object, or left out.`);
}
