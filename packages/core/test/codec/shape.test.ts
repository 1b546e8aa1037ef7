/** The pass over hostile bytes before anything is parsed: what it lets through, and how much it looks at. */
import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { isFault } from '../../src/codec/fault.ts';
import { checkShape, frameLimits, type FrameLimits } from '../../src/codec/shape.ts';
import { count, milliseconds } from './arbitraries.ts';

function outcome(bytes: readonly number[] | Uint8Array, limits: FrameLimits = frameLimits): string {
  const checked = checkShape(Uint8Array.from(bytes), 0, limits);
  return isFault(checked) ? checked.code : `ends at ${checked.end}`;
}

function packed(value: unknown): Uint8Array {
  return new Encoder().encode(value);
}

const double = (value: number) => {
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};

describe('numbers', () => {
  it('takes what the encoder writes of counts and times, to the last byte', () => {
    fc.assert(
      fc.property(fc.oneof(count, milliseconds), (value) => {
        const bytes = packed(value);
        expect(outcome(bytes)).toBe(`ends at ${bytes.length}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes every finite double that is no integer, and no other', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), milliseconds), (value) => {
        expect(outcome(double(value))).toBe(Number.isFinite(value) && !Number.isInteger(value) ? 'ends at 9' : 'malformed');
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['NaN', double(NaN)],
    ['Infinity', double(Infinity)],
    ['−Infinity', double(-Infinity)],
    ['−0', double(-0)],
    ['0 as a double', double(0)],
    ['1 as a double', double(1)],
    ['2^53 as a double', double(2 ** 53)],
    ['2^52 + 1 as a double', double(2 ** 52 + 1)],
    ['1e300', double(1e300)],
    ['2^53 as an integer', [0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0]],
    ['2^64 − 1', [0xcf, 255, 255, 255, 255, 255, 255, 255, 255]],
    ['2^32 − 1 in eight bytes', [0xcf, 0, 0, 0, 0, 255, 255, 255, 255]],
    ['65535 in four bytes', [0xce, 0, 0, 255, 255]],
    ['255 in two bytes', [0xcd, 0, 255]],
    ['127 in one byte more than needed', [0xcc, 127]],
    ['−33', [0xd0, 0xdf]],
    ['an int 16', [0xd1, 0x80, 0]],
    ['an int 32', [0xd2, 0x80, 0, 0, 0]],
    ['an int 64', [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]],
    ['a float 32', [0xca, 0x3f, 0, 0, 0]],
  ])('refuses %s', (_what, bytes) => {
    expect(outcome(bytes)).toBe('malformed');
  });

  it('takes 2^53 − 1', () => {
    expect(outcome([0xcf, 0, 0x1f, 255, 255, 255, 255, 255, 255])).toBe('ends at 9');
  });
});

describe('what the grammar does not use', () => {
  it.each([
    ['an empty map', [0x80]],
    ['a map with __proto__', [0x81, 0xa9, ...Buffer.from('__proto__'), 0x90]],
    ['a map 16', [0xde, 0, 0]],
    ['a map 32', [0xdf, 0, 0, 0, 0]],
    ['a bin 8', [0xc4, 1, 0]],
    ['a bin 16', [0xc5, 0, 1, 0]],
    ['a bin 32', [0xc6, 0, 0, 0, 1, 0]],
    ['a timestamp', [0xd6, 0xff, 0, 0, 0, 0]],
    ['an ext 8', [0xc7, 1, 1, 0]],
    ['an ext 32', [0xc9, 255, 255, 255, 255, 1]],
    ['the byte that MessagePack never uses', [0xc1]],
  ])('refuses %s', (_what, bytes) => {
    expect(outcome(bytes)).toBe('malformed');
    expect(outcome([0x91, ...bytes])).toBe('malformed');
  });
});

describe('text', () => {
  it('takes exactly the UTF-8 that a fatal TextDecoder takes', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const lead = fc.constantFrom(0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff);
    const follow = fc.constantFrom(0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0);
    fc.assert(
      fc.property(fc.array(fc.oneof(lead, follow, fc.nat(255)), { maxLength: 6 }), (bytes) => {
        let isValid = true;
        try {
          decoder.decode(Uint8Array.from(bytes));
        } catch {
          isValid = false;
        }
        // What follows the string must not complete a character that it cuts.
        expect(outcome([0x92, 0xa0 + bytes.length, ...bytes, 0xa1, 0x80]).startsWith('malformed')).toBe(true);
        expect(outcome([0xa0 + bytes.length, ...bytes])).toBe(isValid ? `ends at ${bytes.length + 1}` : 'malformed');
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['31 bytes with a length byte', [0xd9, 31, ...Buffer.alloc(31, 'x')]],
    ['255 bytes with two length bytes', [0xda, 0, 255, ...Buffer.alloc(255, 'x')]],
    ['300 bytes with four length bytes', [0xdb, 0, 0, 1, 44, ...Buffer.alloc(300, 'x')]],
  ])('refuses a string of %s', (_what, bytes) => {
    expect(outcome(bytes)).toBe('malformed');
  });

  it('takes a string at the limit and refuses one above it', () => {
    expect(outcome(packed('x'.repeat(1024)))).toBe('ends at 1027');
    expect(outcome(packed('x'.repeat(1025)))).toBe('tooLarge');
  });

  it('sees a byte order mark at the start of a string, and only there', () => {
    const marks = ['\uFEFFx', 'x\uFEFF', '', 'x'].map((text) => checkShape(packed(['a', text]), 0, frameLimits));

    expect(marks).toMatchObject([{ byteOrderMark: true }, { byteOrderMark: false }, { byteOrderMark: false }, { byteOrderMark: false }]);
  });
});

describe('arrays', () => {
  it.each([
    ['15 elements with two length bytes', [0xdc, 0, 15, ...Buffer.alloc(15)]],
    ['16 elements with four length bytes', [0xdd, 0, 0, 0, 16, ...Buffer.alloc(16)]],
  ])('refuses an array of %s', (_what, bytes) => {
    expect(outcome(bytes)).toBe('malformed');
  });

  it('takes arrays as deep as the limit and refuses deeper ones', () => {
    expect(outcome([...Buffer.alloc(9, 0x91), 0xc0])).toBe('ends at 10');
    expect(outcome([...Buffer.alloc(10, 0x91), 0xc0])).toBe('tooDeep');
    expect(outcome([0x92, ...Buffer.alloc(8, 0x91), 0xc0, ...Buffer.alloc(8, 0x91), 0x90])).toBe('tooDeep');
  });

  it('counts the values of all arrays together', () => {
    const limits = { ...frameLimits, elementsMax: 7 };

    expect(outcome(packed([[1, 2], [3, 4]]), limits)).toBe('ends at 7'); // prettier-ignore
    expect(outcome(packed([[1, 2], [3, 4, 5]]), limits)).toBe('tooLarge'); // prettier-ignore
  });

  it('begins where it is told', () => {
    expect(checkShape(Uint8Array.of(0xc1, 0xc1, 0x92, 1, 2, 0xc1), 2, frameLimits)).toMatchObject({ end: 5 });
  });
});

/** Counts the bytes that are looked at, which is the time it takes on any machine. */
function looksAt(bytes: Uint8Array): { readonly code: string; readonly looks: number } {
  let looks = 0;
  const watched = new Proxy(bytes, {
    get(target, property): unknown {
      if (property !== 'length') looks += 1;
      return Reflect.get(target, property, target);
    },
  });
  const checked = checkShape(watched, 0, frameLimits);
  return { code: isFault(checked) ? checked.code : 'ends', looks };
}

describe('work', () => {
  it.each([
    ['a million arrays in each other', Buffer.alloc(1_000_000, 0x91), 'tooDeep'],
    ['an array of 2^32 − 1', Buffer.concat([Buffer.from([0xdd, 255, 255, 255, 255]), Buffer.alloc(1_000_000)]), 'tooLarge'],
    ['an array of more elements than bytes', Buffer.concat([Buffer.from([0xdd, 0, 3, 0, 0]), Buffer.alloc(1000)]), 'truncated'],
    ['a string of 2^32 − 1 bytes', Buffer.concat([Buffer.from([0xdb, 255, 255, 255, 255]), Buffer.alloc(1_000_000)]), 'tooLarge'],
    ['a string of more bytes than are left', Buffer.from([0xd9, 200, 65, 65]), 'truncated'],
    ['an ext of 2^32 − 1 bytes', Buffer.concat([Buffer.from([0xc9, 255, 255, 255, 255]), Buffer.alloc(1_000_000)]), 'malformed'],
  ])('refuses %s after a few bytes', (_what, bytes, code) => {
    const seen = looksAt(bytes);

    expect(seen.code).toBe(code);
    expect(seen.looks).toBeLessThan(32);
  });

  it('looks at most four times at a byte of anything', () => {
    const token = fc.oneof(
      fc.constantFrom(...[0x90, 0x91, 0x9f, 0xa1, 0xa3, 0xbf, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd9, 0xda, 0xdc, 0xdd, 0xef, 0xbb]),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 200 }), (bytes) => {
        expect(looksAt(Uint8Array.from(bytes)).looks).toBeLessThanOrEqual(4 * bytes.length + 8);
      }),
      { numRuns: 3000 },
    );
  });
});
