/** A failing input made shorter for as long as it fails: halves, quarters and so on are left out, then bytes become zero. */

interface ShortestLimits {
  readonly attemptsMax: number;
  /** By `performance.now()`. */
  readonly untilMs: number;
}

export function shortest(bytes: Uint8Array, fails: (bytes: Uint8Array) => boolean, { attemptsMax, untilMs }: ShortestLimits): Uint8Array {
  let known = bytes;
  let attempts = 0;
  const mayTry = (): boolean => attempts < attemptsMax && performance.now() < untilMs;
  const holds = (some: Uint8Array): boolean => ((attempts += 1), fails(some));
  for (let length = known.length >>> 1; length > 0 && mayTry(); length >>>= 1) {
    for (let at = 0; at + length <= known.length && mayTry();) {
      const without = Buffer.concat([known.subarray(0, at), known.subarray(at + length)]);
      if (holds(without)) known = without;
      else at += length;
    }
  }
  for (let at = 0; at < known.length && mayTry(); at += 1) {
    if (known[at] === 0) continue;
    const zeroed = Buffer.from(known);
    zeroed[at] = 0;
    if (holds(zeroed)) known = zeroed;
  }
  return known;
}
