/**
 * Headers that were read a moment ago, recognised by their bytes: a sender says the same of itself in frame after frame. What stands for
 * a header ends by its own grammar, so that bytes which begin with one that was read mean the same, whatever follows.
 */
import type { FrameHeader } from './frame.ts';

/** As many members as speak at once in all but the largest groups; with more, some headers are read anew. */
const headersMax = 8;

interface Known {
  readonly bytes: Uint8Array;
  readonly header: FrameHeader;
}

/**
 * 1. It holds copies of what was read whole and found good, and nothing else; never more than a few.
 * 2. Whoever asks has checked the seal, and reads headers within the same limits as whoever noted them.
 */
export class KnownHeaders {
  private readonly known: Known[] = [];
  /** The place of the one that was known for longest. */
  private oldest = 0;

  get size(): number {
    return this.known.length;
  }

  /** The header that begins at `start`, if it is one of these. */
  find(frame: Uint8Array, start: number): Known | null {
    for (const one of this.known) if (standsAt(one.bytes, frame, start)) return one;
    return null;
  }

  note(bytes: Uint8Array, header: FrameHeader): void {
    // Not `slice`, by which a `Buffer` would go on sharing the memory of the frame.
    this.known[this.oldest] = { bytes: Uint8Array.from(bytes), header };
    this.oldest = (this.oldest + 1) % headersMax;
  }
}

/** From the end on: senders of one group differ there. */
function standsAt(header: Uint8Array, frame: Uint8Array, start: number): boolean {
  if (frame.length - start < header.length) return false;
  for (let at = header.length - 1; at >= 0; at -= 1) if (header[at] !== frame[start + at]) return false;
  return true;
}
