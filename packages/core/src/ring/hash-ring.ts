/**
 * A consistent-hash ring with weights: each node has points on a circle, and a key belongs to the node of the next point clockwise.
 * Karger et al., "Consistent Hashing and Random Trees" (1997); virtual nodes as in Dynamo (2007). A ring never changes: `add` and `remove`
 * give a new one that costs a merge, so that snapshots can travel in a stream.
 */
import { QuorateError } from '../errors.ts';
import { placeWithin } from './bounded-loads.ts';
import type { BoundedLoadsOptions } from './bounded-loads.ts';
import { murmur3, positionsEnd } from './murmur3.ts';
import type { KeyHash } from './murmur3.ts';
import { checkList, checkNodeName, checkObject, checkWeight } from './node.ts';
import { checkPlace, placesOf, PointIndex, pointsOf, withOwner, withoutOwner } from './points.ts';
import type { Points } from './points.ts';
import { diffPoints } from './ring-diff.ts';
import type { RingDiff } from './ring-diff.ts';

export interface HashRingOptions {
  /** Points of a node of weight 1. More make shares more even, and building and memory dearer. Default 160, at most 65,536. */
  readonly virtualNodes?: number;
  /** Places keys and points, as whole numbers in [0, 2^53). Rings are comparable only if all who use them have the same. Default MurmurHash3. */
  readonly hash?: KeyHash;
}

export interface RingNode {
  readonly node: string;
  readonly weight: number;
}

export type RingChange =
  { readonly type: 'add'; readonly node: string; readonly weight?: number } | { readonly type: 'remove'; readonly node: string };

export const hashRingDefaults = { virtualNodes: 160 } as const;

const nodePointsMax = 2 ** 16;
const ringPointsMax = 2 ** 20;

/**
 * 1. Equal nodes, weights and options make equal rings, in whatever order the nodes came.
 * 2. A node has `virtualNodes × weight` points, rounded, and at least one.
 * 3. Where points coincide, the order of the names decides (by UTF-16 unit), then that of the virtual nodes.
 */
export class HashRing {
  /** In the order of their names. */
  readonly nodes: readonly RingNode[];
  private readonly settings: RingSettings;
  private readonly points: Points;
  private readonly names: readonly string[];
  private lazyIndex: PointIndex | undefined;

  /** Throws `INVALID_OPTIONS` for a number of virtual nodes that is not whole, not above 0, or above 65,536. */
  static empty(options: HashRingOptions = {}): HashRing {
    return HashRing.of([], options);
  }

  /** A ring of all these nodes, cheaper than adding one after the other. Throws as `add` does. */
  static of(nodes: readonly (string | { readonly node: string; readonly weight?: number })[], options: HashRingOptions = {}): HashRing {
    const settings = settingsOf(options);
    checkList('The nodes of a ring', nodes);
    const named = nodes.map(nodeOf);
    for (const { node, weight } of named) checkNode(node, weight);
    const sorted = named.sort((one, other) => (one.node < other.node ? -1 : 1));
    for (const [i, { node }] of sorted.entries()) if (node === sorted[i + 1]?.node) throw alreadyThere(node);
    const counts = sorted.map((node) => pointCount(settings, node));
    checkPoints(counts.reduce((sum, count) => sum + count, 0));
    return new HashRing(settings, sorted, pointsOf(sorted.map(({ node }, i) => placesOf(settings.hash, node, counts[i] ?? 0))));
  }

  private constructor(settings: RingSettings, nodes: readonly RingNode[], points: Points) {
    this.settings = settings;
    this.nodes = Object.freeze(nodes.map((one) => Object.freeze(one)));
    this.names = nodes.map(({ node }) => node);
    this.points = points;
  }

  /**
   * A ring with one more node. Weight 1 unless given; any finite number above 0. Throws `INVALID_NAME` for an empty, overlong or malformed
   * name and for one that is on the ring already, `INVALID_OPTIONS` for other weights and for more than 2^20 points in all.
   */
  add(node: string, options: { readonly weight?: number } = {}): HashRing {
    checkObject('The options of a node', options);
    const { weight = 1 } = options;
    checkNode(node, weight);
    if (this.has(node)) throw alreadyThere(node);
    const added = { node, weight };
    const count = pointCount(this.settings, added);
    checkPoints(this.points.positions.length + count);
    const after = this.names.findIndex((name) => name > node);
    const owner = after < 0 ? this.names.length : after;
    return new HashRing(
      this.settings,
      this.nodes.toSpliced(owner, 0, added),
      withOwner(this.points, owner, placesOf(this.settings.hash, node, count)),
    );
  }

  /** A ring without that node; this same one if it is not there. */
  remove(node: string): HashRing {
    const owner = this.names.indexOf(node);
    if (owner < 0) return this;
    return new HashRing(this.settings, this.nodes.toSpliced(owner, 1), withoutOwner(this.points, owner));
  }

  /** Throws as `add` does, and `INVALID_OPTIONS` for a change of no known type. */
  apply(change: RingChange): HashRing {
    checkObject('The change of a ring', change);
    switch (change.type) {
      case 'add':
        return this.add(change.node, change.weight === undefined ? {} : { weight: change.weight });
      case 'remove':
        return this.remove(change.node);
      default:
        throw new QuorateError('INVALID_OPTIONS', `A ring knows no change of the type ${String((change as RingChange).type)}.`);
    }
  }

  has(node: string): boolean {
    return this.names.includes(node);
  }

  /** The node that a key belongs to; `undefined` on an empty ring. A string and its bytes in UTF-8 are one key. */
  lookup(key: string | Uint8Array): string | undefined {
    const { index } = this;
    return this.names[index.ownerAt(index.successor(this.settings.place(key)))];
  }

  /**
   * The first `n` different nodes clockwise from a key, the preference list: where one fails, the key belongs to the next. All nodes if
   * there are fewer. Throws `INVALID_OPTIONS` if `n` is not a whole number from 0.
   */
  owners(key: string | Uint8Array, n: number): readonly string[] {
    if (!Number.isInteger(n) || n < 0) throw new QuorateError('INVALID_OPTIONS', `${n} owners of a key were asked for.`);
    const found = new Set<string>();
    if (n > 0) this.walk(key, (node) => found.add(node).size >= Math.min(n, this.names.length));
    return [...found];
  }

  /** How much of the circle each node has; the sum is 1, but for an empty ring. */
  shares(): ReadonlyMap<string, number> {
    const { positions, owners } = this.points;
    const arcs = new Float64Array(this.names.length);
    let last = (positions.at(-1) ?? 0) - positionsEnd;
    for (let i = 0; i < positions.length; i++) {
      const owner = owners[i] ?? 0;
      const position = positions[i] ?? 0;
      // In this order every sum is a whole number that a double holds.
      arcs[owner] = (arcs[owner] ?? 0) + (position - last);
      last = position;
    }
    return new Map(this.names.map((name, owner) => [name, (arcs[owner] ?? 0) / positionsEnd]));
  }

  /** Which part of the circle changes hands between this ring and that one. Throws `INVALID_OPTIONS` if they place keys by different hashes. */
  diff(other: HashRing): RingDiff {
    const them: unknown = other;
    if (typeof them !== 'object' || them === null || !('settings' in them))
      throw new QuorateError('INVALID_OPTIONS', 'A ring can be compared with a ring only.');
    if (!this.placesKeysLike(other)) throw new QuorateError('INVALID_OPTIONS', 'Rings of different hash functions cannot be compared.');
    return diffPoints({ points: this.points, names: this.names }, { points: other.points, names: other.names });
  }

  /** What would change hands, before it does. Throws as the change would. */
  plan(change: RingChange): RingDiff {
    return this.diff(this.apply(change));
  }

  /**
   * Places all these keys so that no node gets more than `capacity` times its weighted share of them, rounded up: a node that is full
   * passes the key on clockwise. The owners come in the order of the keys, which has no influence on them; on an empty ring all are
   * `undefined`. Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
   */
  place(keys: readonly (string | Uint8Array)[], options: BoundedLoadsOptions = {}): readonly (string | undefined)[] {
    const weights = this.nodes.map(({ weight }) => weight);
    checkList('The keys to place', keys);
    const positions = Float64Array.from(keys, (key) => this.settings.place(key));
    return Array.from(placeWithin({ weights, index: this.index, positions }, options), (owner) => this.names[owner]);
  }

  /** Bytes of the points and, once a key was looked up, their index. */
  get memoryBytes(): number {
    return this.points.positions.byteLength + this.points.owners.byteLength + (this.lazyIndex?.bytes ?? 0);
  }

  /** The nodes of all points clockwise from a key, until told that it is enough. */
  private walk(key: string | Uint8Array, isEnough: (node: string) => boolean): void {
    const { index } = this;
    let point = index.successor(this.settings.place(key));
    for (let left = index.length; left > 0; left--) {
      const node = this.names[index.ownerAt(point)];
      if (node !== undefined && isEnough(node)) return;
      point = index.after(point);
    }
  }

  /** Made at the first look-up, so that a chain of changes costs merges only. */
  private get index(): PointIndex {
    return (this.lazyIndex ??= new PointIndex(this.points));
  }

  private placesKeysLike(other: HashRing): boolean {
    return this.settings.hash === other.settings.hash || probes.every((key) => this.settings.hash(key) === other.settings.hash(key));
  }
}

interface RingSettings extends Required<HashRingOptions> {
  /** `hash` for keys. Of the caller's own every place is checked; ours needs no check, for look-ups are to cost nothing more. */
  readonly place: KeyHash;
}

function settingsOf(options: HashRingOptions): RingSettings {
  checkObject('The options of a ring', options);
  const { virtualNodes = hashRingDefaults.virtualNodes, hash } = options;
  if (!Number.isInteger(virtualNodes) || virtualNodes < 1 || virtualNodes > nodePointsMax)
    throw new QuorateError('INVALID_OPTIONS', `\`virtualNodes\` is ${virtualNodes}, not a whole number from 1 to ${nodePointsMax}.`);
  if (hash === undefined) {
    const ours = murmur3();
    return { virtualNodes, hash: ours, place: ours };
  }
  if (typeof hash !== 'function') throw new QuorateError('INVALID_OPTIONS', `\`hash\` is a ${typeof hash}, not a function.`);
  return { virtualNodes, hash, place: (key) => checkPlace(hash(key)) };
}

function nodeOf(one: string | { readonly node: string; readonly weight?: number }): RingNode {
  const given: unknown = one;
  if (typeof given !== 'object' || given === null) return { node: given as string, weight: 1 };
  const { node, weight = 1 } = given as RingNode;
  return { node, weight };
}

/** Two hash functions that agree on these are taken for one. */
const probes: readonly string[] = ['', 'a', 'partition-7', 'a key that takes more than one block of sixteen bytes'];

function checkNode(node: string, weight: number): void {
  checkNodeName(node);
  checkWeight(node, weight);
}

function pointCount({ virtualNodes }: RingSettings, { node, weight }: RingNode): number {
  const count = Math.max(1, Math.round(virtualNodes * weight));
  if (count <= nodePointsMax) return count;
  throw new QuorateError('INVALID_OPTIONS', `"${node}" of weight ${weight} would have ${count} points, more than ${nodePointsMax}.`);
}

function checkPoints(count: number): void {
  if (count > ringPointsMax) throw new QuorateError('INVALID_OPTIONS', `The ring would have ${count} points, more than ${ringPointsMax}.`);
}

function alreadyThere(node: string): QuorateError {
  return new QuorateError('INVALID_NAME', `"${node}" is on the ring already.`);
}
