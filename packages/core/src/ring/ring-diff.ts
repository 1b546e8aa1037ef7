/** What changes hands between two rings: ranges of positions, and how much of the circle passes from whom to whom. */
import { positionsEnd } from './murmur3.ts';
import type { Points } from './points.ts';

/** Keys at these positions, both ends included, belong to another node than before. */
export interface RingRange {
  readonly first: number;
  readonly last: number;
  /** `undefined` where the ring was empty. */
  readonly from: string | undefined;
  /** `undefined` where the ring becomes empty. */
  readonly to: string | undefined;
}

export interface RingTransfer {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Part of the circle, above 0 and at most 1. */
  readonly share: number;
}

export interface RingDiff {
  /** Part of the circle that changes hands, in [0, 1]. */
  readonly share: number;
  /** Who gives how much to whom. */
  readonly transfers: readonly RingTransfer[];
  /** Ascending, and as few as can be; none goes past the end of the circle. */
  readonly ranges: readonly RingRange[];
}

interface NamedPoints {
  readonly points: Points;
  readonly names: readonly string[];
}

export function diffPoints(before: NamedPoints, after: NamedPoints): RingDiff {
  const ranges: RingRange[] = [];
  let b = 0;
  let a = 0;
  // From each point of either ring to the next, both have one owner.
  for (let first = 0; first < positionsEnd;) {
    const last = Math.min(before.points.positions[b] ?? positionsEnd - 1, after.points.positions[a] ?? positionsEnd - 1);
    const from = ownerAt(before, b);
    const to = ownerAt(after, a);
    if (from !== to) pushRange(ranges, { first, last, from, to });
    while ((before.points.positions[b] ?? Infinity) <= last) b++;
    while ((after.points.positions[a] ?? Infinity) <= last) a++;
    first = last + 1;
  }
  return {
    ranges,
    transfers: transfersOf(ranges),
    share: ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) / positionsEnd,
  };
}

/** Past the last point the ring begins again. */
function ownerAt({ points, names }: NamedPoints, point: number): string | undefined {
  return names[points.owners[point] ?? points.owners[0] ?? -1];
}

function pushRange(ranges: RingRange[], range: RingRange): void {
  const previous = ranges.at(-1);
  if (previous === undefined || previous.last + 1 !== range.first || previous.from !== range.from || previous.to !== range.to)
    ranges.push(range);
  else ranges[ranges.length - 1] = { ...range, first: previous.first };
}

function transfersOf(ranges: readonly RingRange[]): readonly RingTransfer[] {
  const transfers = new Map<string, RingTransfer>();
  for (const { first, last, from, to } of ranges) {
    const pair = JSON.stringify([from ?? null, to ?? null]);
    transfers.set(pair, { from, to, share: (transfers.get(pair)?.share ?? 0) + (last - first + 1) / positionsEnd });
  }
  return [...transfers.values()];
}
