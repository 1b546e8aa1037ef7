/** The two headers of a stamp: what is written is read back, and what is anything else is no stamp. */
import fc from 'fast-check';
import { isQuorateError } from '../../src/errors.ts';
import { readStamp, resourceCharsMax, writeStamp } from '../../src/partition/token-stamp.ts';

test('reads back what it wrote, for any name (1,000 stamps)', () => {
  const resources = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((resource) => resource.length <= resourceCharsMax);
  const tokens = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(resources, tokens, (resource, token) => {
      const written = writeStamp({ resource, token });
      expect(`${written.resource}${written.token}`).toMatch(/^[\x21-\x7e]*$/);
      expect(readStamp(written.resource, written.token)).toEqual({ resource, token });
    }),
    { numRuns: 1_000 },
  );
});

test('reads any two texts as a stamp that can be written again, or as none (2,000 pairs)', () => {
  const tokens = fc.oneof(fc.string(), fc.nat().map(String), fc.bigInt({ min: 0n, max: 2n ** 60n }).map(String), fc.double().map(String));
  const resources = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('%', '2', 'f', 'C', '3', '%C3%A9', '%ed%a0%80', 'a') }),
  );
  let read = 0;
  fc.assert(
    fc.property(resources, tokens, (resourceText, tokenText) => {
      const stamp = readStamp(resourceText, tokenText);
      if (stamp === undefined) return;
      read += 1;
      const written = writeStamp(stamp);
      expect(written.token).toBe(tokenText);
      expect(readStamp(written.resource, written.token)).toEqual(stamp);
    }),
    { numRuns: 2_000 },
  );
  expect(read).toBeGreaterThan(0);
});

test.each([
  ['orders/12', 'orders/12'],
  [' a b ', '%20a%20b%20'],
  ['50%2F', '50%252F'],
  ['größe\r\n', 'gr%C3%B6%C3%9Fe%0D%0A'],
])('writes %p as %p', (resource, text) => {
  expect(writeStamp({ resource, token: 7 })).toEqual({ resource: text, token: '7' });
});

test('reads what other languages encode more of', () => {
  expect(readStamp('orders%2F12', '7')).toEqual({ resource: 'orders/12', token: 7 });
});

test.each([
  ['', '7'],
  ['%', '7'],
  ['%ff', '7'],
  ['x'.repeat(resourceCharsMax + 1), '7'],
  ['%20'.repeat(resourceCharsMax + 1), '7'],
  ['a', ''],
  ['a', '-1'],
  ['a', '+7'],
  ['a', '07'],
  ['a', '7.0'],
  ['a', '7e3'],
  ['a', ' 7'],
  ['a', '7\n'],
  ['a', 'NaN'],
  ['a', '0x7'],
  ['a', '9007199254740992'],
  ['a', '1'.repeat(400)],
])('takes %.20j and %.20j for no stamp', (resource, token) => {
  expect(readStamp(resource, token)).toBeUndefined();
});

test('takes half of it for no stamp', () => {
  expect(readStamp('a', undefined)).toBeUndefined();
  expect(readStamp(undefined, '7')).toBeUndefined();
});

test.each([
  { resource: '', token: 7 },
  { resource: 'a\ud800', token: 7 },
  { resource: 'x'.repeat(resourceCharsMax + 1), token: 7 },
  { resource: 'a', token: -1 },
  { resource: 'a', token: 1.5 },
  { resource: 'a', token: NaN },
  { resource: 'a', token: 2 ** 53 },
])('refuses to write %.60j', (stamp) => {
  let refusal: unknown;
  try {
    writeStamp(stamp);
  } catch (error) {
    refusal = error;
  }
  expect(isQuorateError(refusal, 'INVALID_OPTIONS')).toBe(true);
});
