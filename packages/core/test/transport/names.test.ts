/** Names as tokens: legal everywhere, injective, plain where plain will do. */
import fc from 'fast-check';
import { encodeName, nameTokenLengthMax } from '../../src/transport/names.ts';

/** Any sequence of UTF-16 units, lone surrogates included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
  fc.array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 80 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom('_', '-', '.', 'a', 's', 'u', '2', 'e', '*', '>', ' '), minLength: 1, maxLength: 256 }),
);

/** The inverse, which exists for every token that is not hashed. */
function decode(token: string): string {
  const parts = token.match(/__|_u[0-9a-f]{4}|(?:_[0-9a-f]{2})+|[A-Za-z0-9-]+/g) ?? [];
  return parts
    .map((part) => {
      if (part === '__') return '_';
      if (part.startsWith('_u')) return String.fromCharCode(Number.parseInt(part.slice(2), 16));
      if (part.startsWith('_')) return Buffer.from(part.replaceAll('_', ''), 'hex').toString();
      return part;
    })
    .join('');
}

test.each([
  ['billing-0', 'billing-0'],
  ['Orders2024', 'Orders2024'],
  ['invoice:42', 'invoice_3a42'],
  ['a.b', 'a_2eb'],
  ['my_lock', 'my__lock'],
  ['*', '_2a'],
  ['größe', 'gr_c3_b6_c3_9fe'],
  ['\ud800', '_ud800'],
])('encodes %j as %j', (name, token) => {
  expect(encodeName(name)).toBe(token);
});

test('makes a token that both NATS and Kafka accept, of bounded length', () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const token = encodeName(name);
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(token.length).toBeLessThanOrEqual(nameTokenLengthMax);
    }),
  );
});

test('loses nothing of a name whose token is not hashed', () => {
  fc.assert(
    fc.property(anyText, (name) => {
      const token = encodeName(name);
      fc.pre(!isHashed(token));
      expect(decode(token)).toBe(name);
    }),
  );
});

test('tells long names apart that begin alike, and shows their beginning', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), anyText, anyText, (unit, one, other) => {
      fc.pre(one !== other);
      const prefix = unit.repeat(250);
      const [first, second] = [encodeName(prefix + one), encodeName(prefix + other)];
      expect(first).not.toBe(second);
      expect(isHashed(first)).toBe(true);
      expect(prefix.startsWith(decode(first.slice(0, -45)))).toBe(true);
    }),
  );
});

test('hashes no shorter than it must', () => {
  const longest = 'x'.repeat(nameTokenLengthMax);
  expect(encodeName(longest)).toBe(longest);
  expect(encodeName(`${longest}y`)).toMatch(/^x{155}_s[\w-]{43}$/);
});

test('refuses the empty name', () => {
  expect(() => encodeName('')).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
});

/** `_s` where an escape begins: the only thing that stands for no text. */
function isHashed(token: string): boolean {
  return /^(?:__|_u[0-9a-f]{4}|_[0-9a-f]{2}|[A-Za-z0-9-])*_s[\w-]{43}$/.test(token);
}
