/** Text that reaches every replica as it was given. */

const loneSurrogate = /\p{Surrogate}/u;

/**
 * False for half a character (a surrogate without its partner), which UTF-8 cannot carry: the frame would be dropped or the
 * text changed, and replicas would differ. Names, notes and values are refused with it where users hand them in.
 */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text);
}
