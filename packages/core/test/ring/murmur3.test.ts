/** The hash of the ring against the published verification of MurmurHash3, by way of a plain reference. */
import fc from 'fast-check';
import { murmur3 } from '../../src/ring/murmur3.ts';
import { referenceMurmur3, referencePosition } from './reference-ring.ts';

describe('murmur3', () => {
  it('is compared with a reference that passes the verification of SMHasher (0xB3ECE62A for x86_128)', () => {
    const hashes = Array.from({ length: 256 }, (_, length) =>
      referenceMurmur3(
        Uint8Array.from({ length }, (_, i) => i),
        256 - length,
      ),
    );
    const final = referenceMurmur3(Buffer.concat(hashes), 0);
    expect(new DataView(final.buffer).getUint32(0, true)).toBe(0xb3ec_e62a);
  });

  it('gives bytes the top 53 bits of the reference, whatever their length', () => {
    const hash = murmur3();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (key) => expect(BigInt(hash(key))).toBe(referencePosition(key))),
      { numRuns: 500 },
    );
  });

  it('gives a string the place of its bytes in UTF-8', () => {
    const hash = murmur3();
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 200, maxLength: 400 })),
        (key) => expect(hash(key)).toBe(hash(new TextEncoder().encode(key))),
      ),
      { numRuns: 500 },
    );
  });

  it('refuses what is no key', () => {
    for (const words of [new Uint16Array([1]), new Int8Array([-1]), new DataView(new ArrayBuffer(4)), new ArrayBuffer(4)])
      expect(() => murmur3()(words as never)).toThrow(/neither a string/);
    for (const key of [undefined, null, 7, {}, [1, 2]]) expect(() => murmur3()(key as unknown as string)).toThrow(/^A key is neither/);
  });

  it('remembers nothing of the key before', () => {
    const hash = murmur3();
    const first = hash('short');
    hash('x'.repeat(1_000));
    hash('é'.repeat(1_000));
    expect(hash('short')).toBe(first);
  });
});
