/** Texts that are kept with a lock: hand-over notes and proclaimed values, at most 1 KiB of UTF-8. */
import { isWellFormed } from '../codec/text.ts';
import { QuorateError } from '../errors.ts';
import { kindOf } from '../shown.ts';
import { fitsNote, noteBytesMax, utf8Length } from '../note.ts';

/** Throws `INVALID_OPTIONS` for what is no text, `NOTE_TOO_LARGE` for what is too long. */
export function checkNote(what: 'note' | 'value', text: unknown): void {
  if (typeof text !== 'string') throw new QuorateError('INVALID_OPTIONS', `The ${what} is ${kindOf(text)}, not a string.`);
  if (!isWellFormed(text)) throw new QuorateError('INVALID_OPTIONS', `The ${what} is not well-formed Unicode.`);
  if (fitsNote(text)) return;
  const bytes = utf8Length(text);
  throw new QuorateError('NOTE_TOO_LARGE', `The ${what} has ${bytes} bytes in UTF-8.`, { details: { bytes, bytesMax: noteBytesMax } });
}
