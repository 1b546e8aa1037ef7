/** Hand-over notes and proclaimed values: short texts whose length is counted in bytes, as they travel. */

export const noteBytesMax = 1024;

export function fitsNote(text: string): boolean {
  // A UTF-16 unit takes one to three bytes, so that most texts need no counting.
  if (text.length * 3 <= noteBytesMax) return true;
  return text.length <= noteBytesMax && utf8Length(text) <= noteBytesMax;
}

/** A surrogate without its partner counts as the replacement character that it becomes on the wire. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
