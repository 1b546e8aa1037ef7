/** How many bytes a command takes in a frame, from above: what leaders fill batches by, and what is refused as too large. */
import { frameLimits } from './shape.ts';

/** What commands are made of: an `Op`, an `Entry`, a `Batch` or a `Result`. */
export type Packable = number | string | boolean | null | readonly Packable[];

/**
 * The largest frame around a value, less the value: prefix, seal, header, and the promise that reports a single vote, with the
 * longest names and the largest numbers; or a batch of one entry around a single operation.
 */
export const frameOverheadBytesMax = 2048;

/** Up to here a text is counted at three bytes for a character: asking for its length would cost more than it saves. */
const countedFromLength = 64;

/** At least as many bytes as the value takes. */
export function packedBytesMax(value: Packable): number {
  if (typeof value === 'number') return value >= 0 && value < 128 && Number.isInteger(value) ? 1 : 9;
  if (typeof value === 'string') return textBytesMax(value);
  if (value === null || typeof value === 'boolean') return 1;
  let bytes = value.length < 16 ? 1 : 5;
  for (const item of value) bytes += packedBytesMax(item);
  return bytes;
}

function textBytesMax(value: string): number {
  return 5 + (value.length < countedFromLength ? value.length * 3 : Buffer.byteLength(value));
}

/** A batch, or an operation, whose `packedBytesMax` is no larger fits into one frame, whatever the names of its sender are. */
export function valueBytesMax(frameBytesMax: number): number {
  return Math.min(frameBytesMax, frameLimits.elementsMax) - frameOverheadBytesMax;
}
