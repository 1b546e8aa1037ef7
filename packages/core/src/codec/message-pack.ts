/** MessagePack as this codec uses it: one encoder and one decoder for all frames, and where the library needs care. */
import { Decoder, Encoder } from '@msgpack/msgpack';
import type { Shape } from './shape.ts';

// Kept between frames for their buffers alone: both begin every call anew, and nothing of a frame is left in them.
const encoder = new Encoder({ initialBufferSize: 64 * 1024 });
const decoder = new Decoder();
const rawDecoder = new Decoder({ rawStrings: true });

/**
 * The bytes of a value, valid until the next call. Strings must be well-formed: the library would turn a lone surrogate into
 * other bytes, and a replica that got it from the wire would differ from the one that proposed it.
 */
export function packShared(value: unknown): Uint8Array {
  return encoder.encodeSharedRef(value);
}

/** Parses bytes whose shape is checked. */
export function unpack(bytes: Uint8Array, shape: Shape): unknown {
  return shape.byteOrderMark ? withTexts(rawDecoder.decode(bytes)) : decoder.decode(bytes);
}

/** The library reads long strings by a `TextDecoder` that drops a leading byte order mark; `Buffer` keeps it. */
function withTexts(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  return Array.isArray(value) ? value.map(withTexts) : value;
}
