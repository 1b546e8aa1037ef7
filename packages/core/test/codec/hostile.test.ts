/** Hostile bytes: whatever arrives, the answer is a frame or a fault, and a frame is one that we would have sent ourselves. */
import fc from 'fast-check';
import { isFault, type FaultCode } from '../../src/codec/fault.ts';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { frame } from './arbitraries.ts';
import { frameOf, samples } from './samples.ts';

// A failing run is repeated with QUORATE_FUZZ_SEED=<the seed in the name of the test>.
const seed = Number(process.env.QUORATE_FUZZ_SEED ?? Date.now() % 2 ** 31);

const prefix = Buffer.from([0x51, 0x71, 1, 0]);
const sampleFrames = Object.values<Message>(samples).map((message) => Buffer.from(encodeFrame(frameOf(message))));

/** Either a fault, or the very bytes again: nothing that is read differs from what was written. */
function read(bytes: Uint8Array): FaultCode | 'frame' {
  const received = decodeFrame(bytes);
  if (isFault(received)) return received.code;
  if (Buffer.compare(encodeFrame(received), bytes) !== 0) throw new Error('a frame was read that encodes to other bytes');
  return 'frame';
}

function tally(all: Iterable<Uint8Array>): Record<string, number> {
  const outcomes: Record<string, number> = {};
  for (const bytes of all) {
    const code = read(bytes);
    outcomes[code] = (outcomes[code] ?? 0) + 1;
  }
  return outcomes;
}

function prototypeOf(): readonly unknown[] {
  return [Object.prototype, Array.prototype, String.prototype, Number.prototype].map((prototype) => [
    ...Object.entries(Object.getOwnPropertyDescriptors(prototype)),
  ]);
}

const mutation = fc.record({
  kind: fc.constantFrom('set', 'flip', 'insert', 'delete', 'repeat', 'cut', 'graft'),
  at: fc.nat(),
  other: fc.nat(),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0x90, 0x91, 0xc0, 0xc1, 0xca, 0xcb, 0xcf, 0xd3, 0xd9, 0xdb, 0xdd, 0xdf, 0xff)),
});

type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

function mutate(bytes: Buffer, { kind, at, other, byte }: Mutation): Buffer {
  // Three of four leave the prefix alone, which would else hide what comes after it.
  const place =
    bytes.length <= prefix.length || other % 4 === 0 ? at % (bytes.length + 1) : prefix.length + (at % (bytes.length - prefix.length));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const some = after.subarray(0, 1 + (other % 16));
  const donor = sampleFrames[other % sampleFrames.length] ?? prefix;
  switch (kind) {
    case 'set':
      return Buffer.concat([before, Buffer.from([byte]), after.subarray(1)]);
    case 'flip':
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << (byte & 7))]), after.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.from([byte]), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(some.length)]);
    case 'repeat':
      return Buffer.concat([before, some, after]);
    case 'cut':
      return Buffer.from(before);
    case 'graft':
      return Buffer.concat([before, donor.subarray(at % donor.length)]);
  }
}

describe(`hostile bytes (seed ${seed})`, () => {
  const untouched = JSON.stringify(prototypeOf());

  afterEach(() => expect(JSON.stringify(prototypeOf())).toBe(untouched));

  it('calls every frame that is cut short truncated, wherever it is cut', () => {
    const cut = sampleFrames.flatMap((bytes) => Array.from(bytes, (_byte, length) => bytes.subarray(0, length)));

    expect(tally(cut)).toEqual({ truncated: cut.length });
  });

  it('survives every single byte of every message being any of the bytes that begin something', () => {
    const bytes = [0x00, 0x7f, 0x80, 0x90, 0x91, 0xa0, 0xc0, 0xc1, 0xc2, 0xc4, 0xc9, 0xcb, 0xcf, 0xd3, 0xd4, 0xdb, 0xdd, 0xdf, 0xe0, 0xff];
    const changed = sampleFrames.flatMap((frameBytes) =>
      Array.from(frameBytes, (_byte, at) => bytes.map((byte) => Buffer.from(frameBytes.with(at, byte)))).flat(),
    );
    const outcomes = tally(changed);

    expect(outcomes.malformed).toBeGreaterThan(1000);
    expect(outcomes.frame).toBeGreaterThan(100);
  });

  it('survives 20,000 random strings of bytes behind a good prefix', () => {
    const outcomes: Record<string, number> = {};
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const code = read(Buffer.concat([prefix, bytes]));
        outcomes[code] = (outcomes[code] ?? 0) + 1;
      }),
      { seed, numRuns: 20_000 },
    );

    expect(outcomes.malformed).toBeGreaterThan(100);
    expect(outcomes.truncated).toBeGreaterThan(100);
  });

  it('survives 20,000 valid frames that were changed in one to four places', () => {
    const frames = fc.sample(frame, { seed, numRuns: 200 }).map((sent) => Buffer.from(encodeFrame(sent)));
    const outcomes: Record<string, number> = {};
    fc.assert(
      fc.property(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 4 }), (chosen, mutations) => {
        const bytes = mutations.reduce(mutate, frames[chosen % frames.length] ?? prefix);
        const code = read(bytes);
        outcomes[code] = (outcomes[code] ?? 0) + 1;
      }),
      { seed, numRuns: 20_000 },
    );

    expect(outcomes.frame).toBeGreaterThan(100);
    expect(outcomes.malformed).toBeGreaterThan(100);
    expect(outcomes.truncated).toBeGreaterThan(100);
  });

  it.each([
    ['a million arrays in each other', Buffer.alloc(1_000_000, 0x91), 'tooDeep'],
    ['an array of 2^32 − 1', Buffer.from([0xdd, 255, 255, 255, 255]), 'tooLarge'],
    ['a string of 2^32 − 1 bytes', Buffer.from([0xdb, 255, 255, 255, 255]), 'tooLarge'],
    ['a map with __proto__', Buffer.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa1, 0x78, 0x01]), 'malformed'],
    ['an ext', Buffer.from([0xc7, 3, 1, 0, 0, 0]), 'malformed'],
    ['NaN', Buffer.from([0x92, 10, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]), 'malformed'],
    ['2^53', Buffer.from([0x93, 10, 1, 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0]), 'malformed'],
    ['−1', Buffer.from([0x93, 10, 1, 0xff]), 'malformed'],
    ['more elements than the limit', Buffer.concat([Buffer.from([0xdd, 0, 4, 0, 1]), Buffer.alloc(262_145)]), 'tooLarge'],
  ])('refuses %s in the place of a message or of the header', (_what, bytes, code) => {
    const header = encodeFrame(frameOf()).subarray(0, -1);

    expect(read(Buffer.concat([header, Buffer.from([0x91]), bytes]))).toBe(code);
    expect(read(Buffer.concat([prefix, bytes, Buffer.from([0x90])]))).toBe(code);
  });

  it('refuses what is larger than any frame without looking into it', () => {
    expect(read(Buffer.concat([prefix, Buffer.alloc(9 * 1024 * 1024, 0xc1)]))).toBe('tooLarge');
  });

  it('takes a name of __proto__ as a name', () => {
    const messages: readonly Message[] = [{ ...samples.abdicate, successor: '__proto__' }];

    expect(decodeFrame(encodeFrame({ ...frameOf(), node: '__proto__', messages }))).toMatchObject({ node: '__proto__', messages });
  });

  it('reads no byte of an unsealed or wrongly sealed frame where secrets are given', () => {
    const sealer = createSealer(['a secret of enough bytes']);
    const garbage = Buffer.alloc(1000, 0xc1);

    expect(decodeFrame(Buffer.concat([prefix, garbage]), { sealer })).toMatchObject({ code: 'unsealed' });
    expect(decodeFrame(Buffer.concat([Buffer.from([0x51, 0x71, 1, 1]), garbage]), { sealer })).toMatchObject({ code: 'badSeal' });
  });
});
