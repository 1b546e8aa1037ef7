/** Keys on a ring whose nodes are full at some point: "Consistent Hashing with Bounded Loads" by Mirrokni, Thorup and Zadimoghaddam (2018). */
import { invariant, QuorateError } from '../errors.ts';
import { checkObject } from './node.ts';
import type { PointIndex } from './points.ts';
import { sharesOf } from './quota.ts';

export interface BoundedLoadsOptions {
  /** How much more than its weighted share a node may have, at least 1. Less makes loads more even and moves more keys. Default 1.25. */
  readonly capacity?: number;
}

export const boundedLoadsDefaults = { capacity: 1.25 } as const;

export interface KeysToPlace {
  /** Of the nodes by their numbers. */
  readonly weights: readonly number[];
  readonly index: PointIndex;
  /** Where the keys stand. */
  readonly positions: Float64Array;
}

/** The capacity is a product of fractions: what is this close to a whole number is not rounded up to the next. */
const wholeWithin = 1e-9;

/**
 * The number of the node of each key. Keys are served in the order of their positions, so that theirs in the list has no influence.
 * Throws `INVALID_OPTIONS` for a capacity below 1.
 */
export function placeWithin({ weights, index, positions }: KeysToPlace, options: BoundedLoadsOptions): Int32Array {
  checkObject('The options of a placing', options);
  const { capacity = boundedLoadsDefaults.capacity } = options;
  if (!(capacity >= 1 && capacity < Infinity))
    throw new QuorateError('INVALID_OPTIONS', `\`capacity\` is ${capacity}, not a finite number from 1.`);
  const owners = new Int32Array(positions.length).fill(-1);
  if (weights.length === 0) return owners;
  const shares = sharesOf(positions.length, weights);
  const room = Float64Array.from(shares, ({ share }) => Math.ceil(capacity * share - wholeWithin * Math.max(1, share)));
  const order = Uint32Array.from(positions.keys()).sort((one, other) => (positions[one] ?? 0) - (positions[other] ?? 0));
  for (const key of order) {
    let point = index.successor(positions[key] ?? 0);
    for (let left = index.length; (room[index.ownerAt(point)] ?? 0) === 0; left--) {
      invariant(left > 0, 'together the nodes of a ring have room for all keys');
      point = index.after(point);
    }
    const owner = index.ownerAt(point);
    room[owner] = (room[owner] ?? 0) - 1;
    owners[key] = owner;
  }
  return owners;
}
