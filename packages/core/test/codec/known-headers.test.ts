/** Headers that are recognised by their bytes: whoever knows them reads every frame as whoever does not. */
import fc from 'fast-check';
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame, decodeHeader, encodeFrame, packHeader } from '../../src/codec/frame-codec.ts';
import { KnownHeaders } from '../../src/codec/known-headers.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { frame } from './arbitraries.ts';
import { frameOf, samples } from './samples.ts';

const sealer = createSealer(['a secret of some length']);
const prefixBytes = 4;

/** Few senders, so that headers come again; changed anywhere, the header above all. */
const anyTraffic = fc
  .record({
    senders: fc.array(frame, { minLength: 1, maxLength: 12 }),
    turns: fc.array(
      fc.record({
        sender: fc.nat(),
        change: fc.constantFrom('none', 'none', 'flip', 'cut', 'insert', 'drop'),
        at: fc.nat(),
        byte: fc.nat(255),
      }),
      { maxLength: 60 },
    ),
  })
  .map(({ senders, turns }) => {
    const frames = senders.map((sent) => encodeFrame({ ...sent, messages: sent.messages.slice(0, 1) }));
    return turns.map(({ sender, change, at, byte }) => {
      const bytes = frames[sender % frames.length] ?? new Uint8Array();
      const place = prefixBytes + (at % Math.max(1, Math.min(100, bytes.length - prefixBytes)));
      switch (change) {
        case 'flip':
          return bytes.with(place, byte);
        case 'cut':
          return bytes.slice(0, place);
        case 'insert':
          return Uint8Array.of(...bytes.subarray(0, place), byte, ...bytes.subarray(place));
        case 'drop':
          return Uint8Array.of(...bytes.subarray(0, place), ...bytes.subarray(place + 1));
        default:
          return bytes;
      }
    });
  });

test('what is read by known headers is what is read without, of frames that were changed anywhere', () => {
  fc.assert(
    fc.property(anyTraffic, (traffic) => {
      const headers = new KnownHeaders();
      for (const bytes of traffic) expect(decodeFrame(bytes, { headers })).toEqual(decodeFrame(bytes));
    }),
    { numRuns: 150 },
  );
});

test('no more than a few are known, however many senders there are', () => {
  const headers = new KnownHeaders();
  for (let run = 1; run <= 1_000; run += 1) decodeHeader(encodeFrame({ ...frameOf(samples.accept), run }), { headers });
  expect(headers.size).toBe(8);
});

test('only what was read and found good is known, and a known header is read no more', () => {
  const headers = new KnownHeaders();
  const bytes = encodeFrame(frameOf(samples.accept));
  const end = prefixBytes + packHeader(frameOf()).length;
  for (let at = prefixBytes; at < end; at += 1) decodeHeader(bytes.slice(0, at), { headers });
  decodeHeader(bytes.with(prefixBytes, 0xc1), { headers });
  expect(headers.size).toBe(0);
  const [first, again] = [bytes, bytes].map((one) => decodeHeader(one, { headers }));
  if (!first || !again || isFault(first) || isFault(again)) throw new Error('the frame is good');
  expect(again.header).toBe(first.header);
});

test('a known header does not stand for a seal', () => {
  const headers = new KnownHeaders();
  const bytes = encodeFrame(frameOf(samples.accept), sealer);
  expect(isFault(decodeHeader(bytes, { sealer, headers }))).toBe(false);
  const changed = bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
  expect(decodeHeader(changed, { sealer, headers })).toMatchObject({ code: 'badSeal' });
});

test('it keeps nothing of the buffer in which the frame came', () => {
  const headers = new KnownHeaders();
  const bytes = encodeFrame(frameOf(samples.accept));
  const copy = Buffer.from(bytes);
  decodeHeader(copy, { headers });
  copy.fill(0);
  expect(headers.find(bytes, prefixBytes)).not.toBeNull();
});
