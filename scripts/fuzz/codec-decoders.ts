/** The decoders of frames: of the group's, of a synod's, both also under seals, and the shape check that stands before all of them. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isFault } from '../../packages/core/src/codec/fault.ts';
import { decodeFrame, encodeFrame } from '../../packages/core/src/codec/frame-codec.ts';
import type { Message } from '../../packages/core/src/codec/frame.ts';
import { packShared, unpack } from '../../packages/core/src/codec/message-pack.ts';
import { KnownHeaders } from '../../packages/core/src/codec/known-headers.ts';
import { createSealer, type Sealer } from '../../packages/core/src/codec/seal.ts';
import { checkShape, frameLimits } from '../../packages/core/src/codec/shape.ts';
import { decodeSynodFrame, encodeSynodFrame } from '../../packages/core/src/codec/synod-codec.ts';
import { frame } from '../../packages/core/test/codec/arbitraries.ts';
import { frameOf, samples } from '../../packages/core/test/codec/samples.ts';
import { synodSamples } from '../../packages/core/test/codec/synod-samples.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { hostileFrame, sealed, seedFrames } from './frame-input.ts';
import { checkPlain } from './inspection.ts';

/** Larger seeds would only make the runs fewer: what is large is made large by the mutations. */
const seedBytesMax = 2_000;
const seedsOfChance = 120;

const headersRead = new KnownHeaders();
const sealedHeadersRead = new KnownHeaders();

export const fuzzSealer = createSealer(['the key that the fuzzer has, too', 'and the key before it']);

export function frameDecoders(): readonly Decoder[] {
  const one = Object.values<Message>(samples).map((message) => encodeFrame(frameOf(message)));
  const some = fc.sample(frame, { seed: 1, numRuns: seedsOfChance }).map((sent) => encodeFrame(sent));
  const seeds = seedFrames([...one, ...one, ...some].filter(({ length }) => length <= seedBytesMax));
  const synod = seedFrames(synodSamples.map((message) => encodeSynodFrame({ header: frameOf(), messages: [message] })));
  const options = { headerOneIn: 5 };
  return [
    {
      name: 'frame',
      reads: 'frames of a group: prefix, header, every type of message',
      input: (random) => hostileFrame(seeds, options, random),
      read: (bytes) => readFrame(bytes),
    },
    {
      name: 'sealed-frame',
      reads: 'the same frames under a seal that is good, bad or missing',
      input: (random) => sealed(hostileFrame(seeds, options, random), fuzzSealer, random),
      read: (bytes) => readFrame(bytes, fuzzSealer),
    },
    {
      name: 'synod-frame',
      reads: 'frames of a synod',
      input: (random) => hostileFrame(synod, options, random),
      read: (bytes) => readSynodFrame(bytes),
    },
    {
      name: 'sealed-synod-frame',
      reads: 'frames of a synod under a seal',
      input: (random) => sealed(hostileFrame(synod, options, random), fuzzSealer, random),
      read: (bytes) => readSynodFrame(bytes, fuzzSealer),
    },
    {
      name: 'shape',
      reads: 'one MessagePack value, as the grammar allows it',
      input: (random) => hostileFrame(seeds, { headerOneIn: 2 }, random).subarray(4),
      read: readShape,
    },
  ];
}

/** A frame that was read is one that we would have written ourselves, to the byte; and it is read alike by one who knows its header. */
function readFrame(bytes: Uint8Array, sealer?: Sealer): Reading {
  const received = decodeFrame(bytes, { sealer });
  const headers = sealer === undefined ? headersRead : sealedHeadersRead;
  must(isDeepStrictEqual(decodeFrame(bytes, { sealer, headers }), received), 'a frame is read differently by one who knows its header');
  if (isFault(received)) return 'refused';
  return () => {
    checkPlain(received, bytes.length);
    // A seal may be by the older key, under which nobody writes any more.
    mustBeSame(encodeFrame(received, sealer), bytes, sealer === undefined ? 0 : 36);
  };
}

function readSynodFrame(bytes: Uint8Array, sealer?: Sealer): Reading {
  const received = decodeSynodFrame(bytes, sealer);
  if (isFault(received)) return 'refused';
  return () => {
    checkPlain(received, bytes.length);
    // A JSON text may come in pieces of any length, so what is read again is compared, not its bytes.
    const again = decodeSynodFrame(encodeSynodFrame(received, sealer), sealer);
    must(JSON.stringify(again) === JSON.stringify(received), 'a frame was read that is read differently when written again');
  };
}

/** What has the shape is read by the library without a throw, and written again by it as it was. */
function readShape(bytes: Uint8Array): Reading {
  const shape = checkShape(bytes, 0, frameLimits);
  if (isFault(shape)) return 'refused';
  must(shape.end <= bytes.length, 'a value ends after the bytes');
  const value = unpack(bytes.subarray(0, shape.end), shape);
  return () => {
    checkPlain(value, shape.end);
    mustBeSame(packShared(value), bytes.subarray(0, shape.end));
  };
}

function mustBeSame(written: Uint8Array, read: Uint8Array, from = 0): void {
  must(Buffer.compare(written.subarray(from), read.subarray(from)) === 0, 'a value was read that is written as other bytes');
}
