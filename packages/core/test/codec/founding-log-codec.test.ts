/** Entries of a broker's log of foundings: bytes that stay as they are, and nothing unknown that is passed over. */
import fc from 'fast-check';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import { decodeFoundingEntry, encodeFoundingEntry } from '../../src/codec/founding-log-codec.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { FoundingEntry } from '../../src/paxos/founding-log.ts';
import { foundingRecord, identifier, seat } from './arbitraries.ts';
import { frameOf, samples } from './samples.ts';

const record = {
  configuration: { founding: 'i.1.1', id: 1, voters: [{ node: 'a', incarnation: 'i' }] },
  tokenSecond: 7,
  maxSessionTtlMs: 10_000,
  firstFounding: false,
};
const golden: readonly [FoundingEntry, string][] = [
  [{ type: 'record', record }, '0192019493a5692e312e310191 92a161a16907cd2710c2'],
  [{ type: 'joined', founding: 'i.1.1', seat: { node: 'a', incarnation: 'i' } }, '019302a5692e312e31 92a161a169'],
  [{ type: 'ended', founding: 'i.1.1', tokenSecond: 300 }, '019303a5692e312e31 cd012c'],
];

describe.each(golden)('an entry of the log of foundings: %j', (entry, hex) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');

  it('has the bytes it always had, and is read from them', () => {
    expect(Buffer.from(encodeFoundingEntry(entry)).toString('hex')).toBe(bytes.toString('hex'));
    expect(decodeFoundingEntry(bytes, 0)).toEqual(entry);
  });

  it('is refused cut short, longer, and of another version', () => {
    for (let length = 0; length < bytes.length; length += 1) expectRefused(bytes.subarray(0, length));
    expectRefused(Buffer.concat([bytes, Buffer.of(0xc0)]));
    expectRefused(Buffer.concat([Buffer.of(2), bytes.subarray(1)]));
  });
});

it('is read back as it was written, whatever it is', () => {
  const entry: fc.Arbitrary<FoundingEntry> = fc.oneof(
    fc.record({ type: fc.constant('record' as const), record: foundingRecord }),
    fc.record({ type: fc.constant('joined' as const), founding: identifier, seat }),
    fc.record({ type: fc.constant('ended' as const), founding: identifier, tokenSecond: fc.nat() }),
  );
  fc.assert(
    fc.property(entry, (one) => expect(decodeFoundingEntry(encodeFoundingEntry(one), 0)).toEqual(one)),
    { numRuns: 100 },
  );
});

it('is refused with its place in the log, and never throws anything else (random bytes)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeFoundingEntry(bytes, 3);
      } catch (error) {
        expect(isQuorateError(error, 'ARBITER_CORRUPT')).toBe(true);
        expect(String(error)).toContain('Entry 3');
      }
    }),
    { numRuns: 500 },
  );
});

it('lets a count stand in the place of names where voters have none (hello)', () => {
  const frame = frameOf({ ...samples.hello, voters: { count: 3 } });
  expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
});

function expectRefused(bytes: Uint8Array): void {
  expect(() => decodeFoundingEntry(bytes, 0)).toThrow(expect.objectContaining({ code: 'ARBITER_CORRUPT' }) as Error);
}
