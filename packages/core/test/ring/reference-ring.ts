/** The ring by the letter of golden/README.md: whole numbers without limit, every point looked at, nothing clever. */

const mask = 0xffff_ffffn;
const c = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n] as const;

/** The 16 bytes of MurmurHash3_x86_128. */
export function referenceMurmur3(key: Uint8Array, seed: number): Uint8Array {
  const h = [seed, seed, seed, seed].map(BigInt) as [bigint, bigint, bigint, bigint];
  const wordAt = (at: number): bigint => [0, 1, 2, 3].reduce((word, i) => word | (BigInt(key[at + i] ?? 0) << BigInt(8 * i)), 0n);
  const scrambled = (lane: 0 | 1 | 2 | 3, word: bigint): bigint =>
    (rotate((word * c[lane]) & mask, 15 + lane) * (c[(lane + 1) % 4] ?? 0n)) & mask;
  const whole = key.length - (key.length % 16);
  const added = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n] as const;
  for (let at = 0; at < whole; at += 16) {
    for (const lane of [0, 1, 2, 3] as const) {
      const mixed = rotate(h[lane] ^ scrambled(lane, wordAt(at + 4 * lane)), 19 - 2 * lane);
      h[lane] = (((mixed + (h[(lane + 1) % 4] ?? 0n)) & mask) * 5n + added[lane]) & mask;
    }
  }
  for (const lane of [3, 2, 1, 0] as const) h[lane] ^= scrambled(lane, wordAt(whole + 4 * lane));
  for (const lane of [0, 1, 2, 3] as const) h[lane] ^= BigInt(key.length);
  addUp(h);
  for (const lane of [0, 1, 2, 3] as const) h[lane] = avalanche(h[lane]);
  addUp(h);
  const bytes = new Uint8Array(16);
  for (const [lane, word] of h.entries()) new DataView(bytes.buffer).setUint32(4 * lane, Number(word), true);
  return bytes;
}

function rotate(word: bigint, bits: number): bigint {
  return ((word << BigInt(bits)) | (word >> BigInt(32 - bits))) & mask;
}

function addUp(h: [bigint, bigint, bigint, bigint]): void {
  h[0] = (h[0] + h[1] + h[2] + h[3]) & mask;
  for (const lane of [1, 2, 3] as const) h[lane] = (h[lane] + h[0]) & mask;
}

function avalanche(word: bigint): bigint {
  const first = ((word ^ (word >> 16n)) * 0x85ebca6bn) & mask;
  const second = ((first ^ (first >> 13n)) * 0xc2b2ae35n) & mask;
  return second ^ (second >> 16n);
}

/** The first two words, of which the top 53 bits count. */
export function referencePosition(key: Uint8Array): bigint {
  const view = new DataView(referenceMurmur3(key, 0).buffer);
  return ((BigInt(view.getUint32(0, true)) << 32n) | BigInt(view.getUint32(4, true))) >> 11n;
}

interface ReferencePoint {
  readonly position: bigint;
  readonly node: string;
}

export class ReferenceRing {
  private readonly points: readonly ReferencePoint[];

  constructor(
    nodes: readonly { readonly node: string; readonly weight: number }[],
    virtualNodes: number,
    positionOf: (key: Uint8Array) => bigint = referencePosition,
  ) {
    this.points = nodes
      .flatMap(({ node, weight }) =>
        Array.from({ length: Math.max(1, Math.round(virtualNodes * weight)) }, (_, vnode) => ({
          position: positionOf(pointKey(node, vnode)),
          node,
        })),
      )
      .sort((one, other) => (one.position !== other.position ? (one.position < other.position ? -1 : 1) : one.node < other.node ? -1 : 1));
  }

  /** All nodes in the order in which they come clockwise after a position. */
  ownersAt(position: bigint): readonly string[] {
    const after = this.points.filter((point) => point.position >= position);
    const before = this.points.filter((point) => point.position < position);
    return [...new Set([...after, ...before].map(({ node }) => node))];
  }
}

function pointKey(node: string, vnode: number): Uint8Array {
  const name = Buffer.from(node, 'utf8');
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(name.length, 0);
  numbers.writeUInt32LE(vnode, 4);
  return Buffer.concat([numbers.subarray(0, 4), name, numbers.subarray(4)]);
}
