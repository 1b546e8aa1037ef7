/** A value that was refused, as the message of the refusal shows it. */

/** Longer texts are cut: a message is read by people. */
const charactersMax = 64;

/** Never throws: not every object can become a text. Texts are quoted, so that '5' is not taken for 5. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}

/** What a value is, with its article where it has one: "undefined", "a number", "an object". */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function quoted(text: string): string {
  return text.length <= charactersMax ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, charactersMax))}…`;
}
