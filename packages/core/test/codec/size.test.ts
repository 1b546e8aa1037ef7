/** Sizes from above: what is said to fit fits. */
import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { FrameHeader, Message } from '../../src/codec/frame.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { packedBytesMax, valueBytesMax, type Packable } from '../../src/codec/size.ts';
import type { LockOp } from '../../src/lock/command.ts';
import type { Batch } from '../../src/session/command.ts';
import { batch, entry, op, result } from './arbitraries.ts';

const encoder = new Encoder();

describe('packed size', () => {
  it.each<[string, fc.Arbitrary<Packable>]>([
    ['operation', op],
    ['entry', entry],
    ['batch', batch],
    ['result', result],
  ])('is never less than the bytes of an %s', (_what, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(packedBytesMax(value)).toBeGreaterThanOrEqual(encoder.encode(value).length);
      }),
      { numRuns: 1000 },
    );
  });

  it('is never less than the bytes of anything it takes', () => {
    const { value } = fc.letrec<{ value: Packable }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.double(),
        fc.maxSafeInteger(),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', minLength: 60, maxLength: 70 }),
        fc.constantFrom(null, true, false, 'x'.repeat(70_000), '€'.repeat(63), '€'.repeat(64)),
        fc.array(tie('value'), { maxLength: 20 }),
        fc.array(fc.nat(9), { minLength: 14, maxLength: 18 }),
      ),
    }));
    fc.assert(
      fc.property(value, (packable) => {
        expect(packedBytesMax(packable)).toBeGreaterThanOrEqual(encoder.encode(packable).length);
      }),
      { numRuns: 3000 },
    );
  });

  it('is at most 32 bytes above a note of 1 KiB, so that it is not refused for nothing', () => {
    const note: LockOp = [4, 1, 'l/x', 1, 'x'.repeat(1024)];

    expect(packedBytesMax(note) - encoder.encode(note).length).toBeLessThan(32);
  });
});

describe('the largest value', () => {
  const sealer = createSealer(['a secret of enough bytes']);
  const most = Number.MAX_SAFE_INTEGER;
  const name = 'x'.repeat(256);
  const id = 'x'.repeat(128);
  const ballot = { round: most, node: name, incarnation: id, run: most };
  const header: FrameHeader = { group: name, founding: id, configuration: most, node: name, incarnation: id, run: most };

  /** Operations of the shortest names, then one that fills the batch to its bound. */
  function filledTo(bytesMax: number): Batch<LockOp> {
    const ops: LockOp[] = [];
    const filled: Batch<LockOp> = [most, [[0, most, most, ops]]];
    for (let size = packedBytesMax(filled) + 4; ;) {
      const next: LockOp = [4, most, 'l/x', most, 'x'.repeat(Math.min(1024, Math.max(0, bytesMax - size - 60)))];
      size += packedBytesMax(next);
      if (size > bytesMax) return filled;
      ops.push(next);
    }
  }

  it.each([8192, 65_536, 1_048_576])(
    'fits into a frame of %d bytes around an accept, a chosen and a promise, with the longest names',
    (frameBytesMax) => {
      const value = filledTo(valueBytesMax(frameBytesMax));
      const messages: readonly Message[] = [
        { type: 'accept', ballot, slot: most, value, firstSlot: most, chosenIndex: most },
        { type: 'chosen', from: most, values: [value], chosenIndex: most, floor: most },
        { type: 'promise', ballot, chosenIndex: most, floor: most, part: most - 1, parts: most, votes: [{ slot: most, ballot, value }] },
      ];

      for (const message of messages) {
        const bytes = encodeFrame({ ...header, messages: [message] }, sealer);

        expect(bytes.length).toBeLessThanOrEqual(frameBytesMax);
        expect(decodeFrame(bytes, { sealer })).toEqual({ ...header, messages: [message] });
      }
      expect(packedBytesMax(value)).toBeGreaterThan(valueBytesMax(frameBytesMax) - 200);
    },
  );

  it('leaves room to submit one operation of that size, and to choose it in a batch of its own', () => {
    const frameBytesMax = 4096;
    const length = valueBytesMax(frameBytesMax) - packedBytesMax([2, most, `l/${name}`, most, 'x'.repeat(1024)]) + 1024;
    const largest: LockOp = [2, most, `l/${name}`, most, 'x'.repeat(Math.min(length, 1024))];
    const messages: readonly Message[] = [
      { type: 'submit', session: most, floor: most, ops: [largest] },
      {
        type: 'promise',
        ballot,
        chosenIndex: most,
        floor: most,
        part: 0,
        parts: most,
        votes: [{ slot: most, ballot, value: [most, [[0, most, most, [largest]]]] }],
      },
    ];

    expect(packedBytesMax(largest)).toBeLessThanOrEqual(valueBytesMax(frameBytesMax));
    for (const message of messages) {
      expect(encodeFrame({ ...header, messages: [message] }, sealer).length).toBeLessThanOrEqual(frameBytesMax);
    }
  });

  it('is below 256 KiB on a transport that carries more, for receivers take no more values', () => {
    expect(valueBytesMax(64 * 1024 * 1024)).toBe(valueBytesMax(256 * 1024));
  });
});
