/** One turn's messages in frames that the transport carries. */
import fc from 'fast-check';
import { isFault } from '../../src/codec/fault.ts';
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import { createSealer } from '../../src/codec/seal.ts';
import { frameLimits } from '../../src/codec/shape.ts';
import { splitMessages } from '../../src/codec/split.ts';
import { message } from './arbitraries.ts';
import { frameOf, sampleHeader, samples } from './samples.ts';

const sealer = createSealer(['a secret of enough bytes']);

function messagesIn(frames: readonly Uint8Array[], options = {}): readonly Message[] {
  return frames.flatMap((bytes) => {
    const received = decodeFrame(bytes, options);
    if (isFault(received)) throw new Error(received.detail);
    return received.messages;
  });
}

it('sends nothing where there is nothing to say', () => {
  expect(splitMessages(sampleHeader, [], { frameBytesMax: 1000 })).toEqual({ frames: [], oversize: [] });
});

it('puts a turn into one frame, at the limit to the byte, and into two a byte below it', () => {
  const bytes = encodeFrame(frameOf(samples.accept, samples.fetch));

  const whole = splitMessages(sampleHeader, [samples.accept, samples.fetch], { frameBytesMax: bytes.length });
  const halves = splitMessages(sampleHeader, [samples.accept, samples.fetch], { frameBytesMax: bytes.length - 1 });

  expect(whole.frames.map((frame) => Buffer.from(frame).toString('hex'))).toEqual([Buffer.from(bytes).toString('hex')]);
  expect(halves.frames).toHaveLength(2);
  expect(halves.oversize).toEqual([]);
});

it('leaves out a message that no frame can hold, and sends the others', () => {
  const { frames, oversize } = splitMessages(sampleHeader, [samples.fetch, samples.accept, samples.moved], { frameBytesMax: 60 });

  expect(oversize).toEqual([samples.accept]);
  expect(messagesIn(frames)).toEqual([samples.fetch, samples.moved]);
});

it('sends every message once and in order, in frames within the limit, or names it', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.integer({ min: 40, max: 6000 }), fc.boolean(), (sent, frameBytesMax, isSealed) => {
      const key = isSealed ? sealer : undefined;
      const { frames, oversize } = splitMessages(sampleHeader, sent, { frameBytesMax, sealer: key });

      expect(frames.every((bytes) => bytes.length <= frameBytesMax)).toBe(true);
      expect(oversize.every((one) => encodeFrame(frameOf(one), key).length > frameBytesMax)).toBe(true);
      expect(messagesIn(frames, { sealer: key })).toEqual(sent.filter((one) => !oversize.includes(one)));
    }),
    { numRuns: 300 },
  );
});

it('splits what has more values than a receiver takes, however few its bytes are', () => {
  const pending = Array.from({ length: 200_000 }, () => 1);
  const sent = [samples.keepAlive, samples.keepAlive].map((keepAlive) => ({ ...keepAlive, pending }));

  const { frames, oversize } = splitMessages(sampleHeader, sent, { frameBytesMax: frameLimits.frameBytesMax, sealer });

  expect(frames).toHaveLength(2);
  expect(oversize).toEqual([]);
  expect(messagesIn(frames, { sealer })).toEqual(sent);
});

it('names a message of more values than a receiver takes', () => {
  const sent = { ...samples.keepAlive, pending: Array.from({ length: 300_000 }, () => 1) };

  expect(splitMessages(sampleHeader, [sent], { frameBytesMax: frameLimits.frameBytesMax })).toEqual({ frames: [], oversize: [sent] });
});

it('says the new header after a header changed', () => {
  splitMessages(sampleHeader, [samples.fetch], { frameBytesMax: 1000 });
  const { frames } = splitMessages({ ...sampleHeader, configuration: 9 }, [samples.fetch], { frameBytesMax: 1000 });

  expect(frames.map((bytes) => decodeFrame(bytes))).toMatchObject([{ configuration: 9 }]);
});
