/** Hostile frames: valid ones changed as bytes or as values, nonsense behind a good prefix, and frames that only look large. */
import { isFault } from '../../packages/core/src/codec/fault.ts';
import { unpack } from '../../packages/core/src/codec/message-pack.ts';
import type { Sealer } from '../../packages/core/src/codec/seal.ts';
import { checkShape, frameLimits } from '../../packages/core/src/codec/shape.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import { mutateBytes, mutateTree, oneOf, randomBytes } from './mutation.ts';
import { packTrees, type Tree } from './pack.ts';

const prefix = Uint8Array.of(0x51, 0x71, 1, 0);
const sealedPrefix = Uint8Array.of(0x51, 0x71, 1, 1);
const sealLength = 32;

/** A valid frame as bytes and as the values in it. */
interface SeedFrame {
  readonly bytes: Uint8Array;
  readonly header: Tree;
  readonly messages: Tree;
}

/** The frames are ones without a seal. */
export function seedFrames(frames: readonly Uint8Array[]): readonly SeedFrame[] {
  return frames.map((bytes) => {
    const header = checkShape(bytes, prefix.length, frameLimits);
    if (isFault(header)) throw new Error(header.detail);
    const messages = checkShape(bytes, header.end, frameLimits);
    if (isFault(messages)) throw new Error(messages.detail);
    return {
      bytes,
      header: unpack(bytes.subarray(prefix.length, header.end), header) as Tree,
      messages: unpack(bytes.subarray(header.end), messages) as Tree,
    };
  });
}

export interface FrameInputOptions {
  /** One of this many frames has its header changed, or the bytes that come first: most then come no further. */
  readonly headerOneIn: number;
}

/** Longer input takes its time without being wrong; what is large on purpose has tests of its own. */
const inputBytesMax = 16_384;

export function hostileFrame(seeds: readonly SeedFrame[], options: FrameInputOptions, random: Random): Uint8Array {
  const bytes = anyFrame(seeds, options, random);
  return bytes.length > inputBytesMax ? bytes.subarray(0, inputBytesMax) : bytes;
}

function anyFrame(seeds: readonly SeedFrame[], { headerOneIn }: FrameInputOptions, random: Random): Uint8Array {
  const seed = oneOf(random, seeds);
  const other = oneOf(random, seeds);
  const spoilsHeader = random.below(headerOneIn) === 0;
  const kind = random.below(100);
  if (kind < 4) return seed.bytes;
  if (kind < 9) return spoilsHeader ? randomBytes(random, 200) : Buffer.concat([prefix, randomBytes(random, 200)]);
  if (kind < 30) return mutateBytes(seed.bytes, other.bytes, random, spoilsHeader ? 0 : seed.bytes.length - lengthOf(seed.messages));
  if (kind === 30) return inflated(seed, random);
  const header = spoilsHeader ? mutateTree(seed.header, other.header, random) : seed.header;
  return packTrees(prefix, header, mutateTree(seed.messages, other.messages, random));
}

function lengthOf(messages: Tree): number {
  return packTrees(new Uint8Array(), messages).length;
}

/** Much of one thing: arrays in each other, arrays and texts that announce more than there is, a thousand small values. */
function inflated({ header }: SeedFrame, random: Random): Uint8Array {
  const fill = Buffer.alloc(1 + random.below(4_000), oneOf(random, [0x91, 0x90, 0x81, 0xa0, 0xc0, 0x01, 0xdd, 0xc1]));
  const head = oneOf(random, [[0x91], [0xdd, 0, 0, 16, 0], [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdb, 0, 1, 0, 0], [0xdc, 16, 0]]);
  return packTrees(prefix, header, { raw: Buffer.concat([Uint8Array.from(head), fill]) });
}

/** The frame under a seal: mostly a good one, by somebody who has the key, else one that is not. */
export function sealed(bytes: Uint8Array, sealer: Sealer, random: Random): Uint8Array {
  const kind = random.below(8);
  if (kind === 0) return bytes;
  const body = bytes.subarray(Math.min(bytes.length, prefix.length));
  const seal = sealer.sign({ prefix: sealedPrefix, body });
  const whole = Buffer.concat([sealedPrefix, seal, body]);
  if (kind > 2) return whole;
  return kind === 1 ? mutateBytes(whole, bytes, random) : whole.subarray(0, random.below(sealedPrefix.length + sealLength + 4));
}
