/** How long a note may be. */
import fc from 'fast-check';
import { fitsNote, noteBytesMax, utf8Length } from '../src/note.ts';

test('the length of any text is the one that it has in UTF-8', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text, 'utf8'));
    }),
  );
  expect(utf8Length('\ud800')).toBe(3);
});

test.each([
  ['x', 1],
  ['é', 2],
  ['€', 3],
  ['😀', 4],
])('a note of %s fits up to 1 KiB and not beyond', (character, bytes) => {
  const fitting = character.repeat(Math.floor(noteBytesMax / bytes));
  expect(fitsNote(fitting)).toBe(true);
  expect(fitsNote(fitting + character)).toBe(false);
});
