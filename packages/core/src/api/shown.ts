/** A value that was refused, as the message of the refusal shows it. */

/** Never throws: not every object can become a text. */
export function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}
