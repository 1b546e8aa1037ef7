/** The bytes of every message, as they were when its type was added: an old process and a new one in one group must agree. */
import { decodeFrame, encodeFrame } from '../../src/codec/frame-codec.ts';
import type { Message } from '../../src/codec/frame.ts';
import { messageCode } from '../../src/codec/message-code.ts';
import { createSealer } from '../../src/codec/seal.ts';
import golden from './golden.json';
import { frameOf, samples, stopSign } from './samples.ts';

const bytesByType: Readonly<Record<Message['type'], string>> = golden;
const sealer = createSealer(['a secret of enough bytes']);

describe.each(Object.values<Message>(samples))('a frame with one $type', (message) => {
  const bytes = Buffer.from(bytesByType[message.type], 'hex');

  it('has the bytes it always had', () => {
    expect(Buffer.from(encodeFrame(frameOf(message))).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('is read from the bytes it always had', () => {
    expect(decodeFrame(bytes)).toEqual(frameOf(message));
  });
});

it('seals a frame with the bytes it always had', () => {
  expect(Buffer.from(encodeFrame(frameOf(samples.fetch), sealer)).toString('hex')).toBe(golden.sealedFetch);
  expect(decodeFrame(Buffer.from(golden.sealedFetch, 'hex'), { sealer })).toEqual(frameOf(samples.fetch));
});

it('writes a stop-sign with the bytes it always had', () => {
  const frame = frameOf({ ...samples.chosen, values: [stopSign] });
  expect(Buffer.from(encodeFrame(frame)).toString('hex')).toBe(golden.stopSign);
  expect(decodeFrame(Buffer.from(golden.stopSign, 'hex'))).toEqual(frame);
});

it('gives no number to two types of message', () => {
  const codes = Object.values(messageCode);

  expect(new Set(codes).size).toBe(codes.length);
});
