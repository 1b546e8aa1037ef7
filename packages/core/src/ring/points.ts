/** The points of a ring in the order of their positions, each with the number of its node: two flat arrays and an index over the top bits. */
import { QuorateError } from '../errors.ts';
import { positionsEnd } from './murmur3.ts';
import type { KeyHash } from './murmur3.ts';

/**
 * 1. Positions ascend; where they are equal, the nodes' numbers do. Numbers follow the order of the names, so that the order in which
 *    nodes joined never matters.
 * 2. `owners[i]` is the node of `positions[i]`.
 */
export interface Points {
  readonly positions: Float64Array;
  readonly owners: Uint32Array;
}

/** The places of a node's virtual nodes, ascending. Throws `INVALID_OPTIONS` if the hash gives what is no position. */
export function placesOf(hash: KeyHash, node: string, count: number): Float64Array {
  const key = virtualNodeKey(node);
  const view = new DataView(key.buffer);
  const places = new Float64Array(count);
  for (let vnode = 0; vnode < count; vnode++) {
    view.setUint32(key.length - 4, vnode, true);
    places[vnode] = checkPlace(hash(key));
  }
  return places.sort();
}

/** Throws `INVALID_OPTIONS` for what is no position. */
export function checkPlace(place: number): number {
  if (Number.isInteger(place) && place >= 0 && place < positionsEnd) return place;
  throw new QuorateError('INVALID_OPTIONS', `\`hash\` places a key at ${place}, not at a whole number in [0, 2^53).`);
}

/** `length name vnode`: with its length before it, no name and number can read as another name and number. Both numbers are little-endian, 4 bytes. */
function virtualNodeKey(node: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(node);
  const key = new Uint8Array(4 + name.length + 4);
  new DataView(key.buffer).setUint32(0, name.length, true);
  key.set(name, 4);
  return key;
}

/** The points of all nodes, given each one's places. Merged in pairs, so that building costs n log(nodes). */
export function pointsOf(placesByOwner: readonly Float64Array[]): Points {
  let lists = placesByOwner.map((positions, owner): Points => ({ positions, owners: new Uint32Array(positions.length).fill(owner) }));
  while (lists.length > 1) {
    const merged: Points[] = [];
    for (let i = 0; i < lists.length; i += 2) {
      const [left, right] = lists.slice(i, i + 2);
      if (left !== undefined) merged.push(right === undefined ? left : mergePoints(left, right));
    }
    lists = merged;
  }
  return lists[0] ?? { positions: new Float64Array(0), owners: new Uint32Array(0) };
}

/** The points with those of one more node, which takes the number `owner`; the nodes from there on move up by one. */
export function withOwner(points: Points, owner: number, places: Float64Array): Points {
  const owners = points.owners.map((one) => (one >= owner ? one + 1 : one));
  return mergePoints({ positions: points.positions, owners }, { positions: places, owners: new Uint32Array(places.length).fill(owner) });
}

/** The points without those of a node; the nodes after it move down by one. */
export function withoutOwner(points: Points, owner: number): Points {
  let left = 0;
  for (const one of points.owners) if (one !== owner) left++;
  const positions = new Float64Array(left);
  const owners = new Uint32Array(left);
  let at = 0;
  for (const [i, one] of points.owners.entries()) {
    if (one === owner) continue;
    positions[at] = points.positions[i] ?? 0;
    owners[at++] = one > owner ? one - 1 : one;
  }
  return { positions, owners };
}

function mergePoints(left: Points, right: Points): Points {
  const total = left.positions.length + right.positions.length;
  const positions = new Float64Array(total);
  const owners = new Uint32Array(total);
  let l = 0;
  let r = 0;
  for (let at = 0; at < total; at++) {
    const leftPosition = left.positions[l] ?? Infinity;
    const rightPosition = right.positions[r] ?? Infinity;
    const leftOwner = left.owners[l] ?? 0;
    const rightOwner = right.owners[r] ?? 0;
    const isLeft = leftPosition < rightPosition || (leftPosition === rightPosition && leftOwner <= rightOwner);
    positions[at] = isLeft ? leftPosition : rightPosition;
    owners[at] = isLeft ? leftOwner : rightOwner;
    if (isLeft) l++;
    else r++;
  }
  return { positions, owners };
}

/** Finds the first point at or after a position in about one step: an index of at least as many slots as points says where to begin. */
export class PointIndex {
  private readonly positions: Float64Array;
  private readonly owners: Uint32Array;
  private readonly starts: Uint32Array;
  private readonly slotsPerPosition: number;

  constructor({ positions, owners }: Points) {
    this.positions = positions;
    this.owners = owners;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(1, positions.length)) + 1);
    this.slotsPerPosition = slots / positionsEnd;
    this.starts = new Uint32Array(slots);
    let at = 0;
    for (let slot = 0; slot < slots; slot++) {
      while (at < positions.length && (positions[at] ?? 0) * this.slotsPerPosition < slot) at++;
      this.starts[slot] = at;
    }
  }

  /** The number of the point; past the last one the ring begins again. */
  successor(position: number): number {
    const { positions } = this;
    let at = this.starts[(position * this.slotsPerPosition) >>> 0] ?? 0;
    while (at < positions.length && (positions[at] ?? 0) < position) at++;
    return at === positions.length ? 0 : at;
  }

  /** The next point clockwise. */
  after(point: number): number {
    return point + 1 === this.positions.length ? 0 : point + 1;
  }

  /** The number of a point's node; −1 where there are no points. */
  ownerAt(point: number): number {
    return this.owners[point] ?? -1;
  }

  get length(): number {
    return this.positions.length;
  }

  get bytes(): number {
    return this.starts.byteLength;
  }
}
