/** Lists cut to what a frame has room for: a message that fits none would be sent again for ever and arrive never. */

/** The items in order, in runs of at most `bytesMax` by `sizeOf`; an item that is larger by itself is a run of its own. */
export function runsOf<T>(items: readonly T[], sizeOf: (item: T) => number, bytesMax: number): readonly (readonly T[])[] {
  const runs: T[][] = [];
  let bytes = Infinity;
  for (const item of items) {
    const size = sizeOf(item);
    if (bytes + size > bytesMax) {
      runs.push([]);
      bytes = 0;
    }
    bytes += size;
    runs.at(-1)?.push(item);
  }
  return runs;
}
