/** One turn's messages in as few frames as the transport's largest frame allows. */
import { isFault } from './fault.ts';
import { bodyStart, encodeMessages, packHeader } from './frame-codec.ts';
import type { Speech } from './frame-codec.ts';
import type { FrameHeader, Message } from './frame.ts';
import type { Sealer } from './seal.ts';
import { checkShape, frameLimits } from './shape.ts';

export interface SplitOptions {
  /** The largest frame that the transport carries now. */
  readonly frameBytesMax: number;
  readonly sealer?: Sealer | undefined;
  /** Default: the present version. */
  readonly speech?: Speech | undefined;
}

export interface SplitFrames {
  readonly frames: readonly Uint8Array[];
  /** Messages that no frame can hold: they were left out, and nobody will receive them. */
  readonly oversize: readonly Message[];
}

/** Encodes the whole, and halves only what turned out too large. The order of the messages is kept; no message, no frame. */
export function splitMessages(header: FrameHeader, messages: readonly Message[], options: SplitOptions): SplitFrames {
  const frames: Uint8Array[] = [];
  const oversize: Message[] = [];
  const packed = packedHeader(header);
  split(messages);
  return { frames, oversize };

  function split(some: readonly Message[]): void {
    const [first] = some;
    if (first === undefined) return;
    const bytes = encodeMessages(packed, some, options.sealer, options.speech);
    if (fits(bytes, options)) {
      frames.push(bytes);
    } else if (some.length === 1) {
      oversize.push(first);
    } else {
      const middle = some.length >>> 1;
      split(some.slice(0, middle));
      split(some.slice(middle));
    }
  }
}

// A sender keeps one header for as long as it says the same of itself: then its bytes are found here.
const packedHeaders = new WeakMap<FrameHeader, Uint8Array>();

function packedHeader(header: FrameHeader): Uint8Array {
  const known = packedHeaders.get(header);
  if (known !== undefined) return known;
  const bytes = packHeader(header);
  packedHeaders.set(header, bytes);
  return bytes;
}

/** The transport must carry it and every receiver read it, or it would be sent again for ever. */
function fits(bytes: Uint8Array, { frameBytesMax, sealer }: SplitOptions): boolean {
  if (bytes.length > Math.min(frameBytesMax, frameLimits.frameBytesMax)) return false;
  if (bytes.length <= frameLimits.elementsMax) return true;
  const header = checkShape(bytes, bodyStart(sealer !== undefined), frameLimits);
  return !isFault(header) && !isFault(checkShape(bytes, header.end, frameLimits));
}
