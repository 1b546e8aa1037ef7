/**
 * Which member owns which partition: sticky, capped and weighted. Owners keep what fits their share; only the surplus and what has no owner
 * moves, clockwise to the next member with room. Of all assignments that are as even as can be, it is one that moves the least.
 */
import { QuorateError } from '../errors.ts';
import { placeByExchange, placeByLoad } from './exchange.ts';
import { murmur3 } from './murmur3.ts';
import type { KeyHash } from './murmur3.ts';
import { checkNodeName, checkWeight } from './node.ts';
import { placesOf, PointIndex, pointsOf } from './points.ts';
import { quotasOf, sharesOf } from './quota.ts';
import type { Share } from './quota.ts';

export interface AssignmentMember {
  readonly name: string;
  /** Any finite number above 0. */
  readonly weight: number;
  /** Gives everything up and takes nothing. */
  readonly drained?: boolean;
}

export interface AssignmentInput {
  /** Partitions are numbered from 0 to `count` − 1. */
  readonly count: number;
  /** In any order: the result does not depend on it. */
  readonly members: readonly AssignmentMember[];
  /** The owner of each partition so far. Whoever is not among the members counts as nobody; the list may be shorter or longer than `count`. */
  readonly current: readonly (string | undefined)[];
  /** Partitions that a member is to have whatever its share, unless it is absent, drained or refused. */
  readonly pins?: ReadonlyMap<number, string>;
  /** Members that must not get a partition now. A partition that all refuse has no owner. */
  readonly refused?: ReadonlyMap<number, ReadonlySet<string>>;
  /** Sets of different names leave their odd partitions with different members. */
  readonly set?: string;
}

export interface PartitionMove {
  readonly partition: number;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * 1. Every partition has an owner that is not drained and not refused, if there is one; a pinned one has the member of its pin.
 * 2. Within that, each member has its weighted share of the partitions, rounded down or up; where pins or refusals forbid it, the distance
 *    from it, in parts of the share, is as small as can be.
 * 3. Within that, as few partitions as possible change their owner.
 * Where very many partitions are refused, rules 2 and 3 hold for the others only.
 * 4. Within that, without pins and refusals, the largest load of a member over its share is as small as can be.
 * The same input gives the same result on every machine. Throws `INVALID_NAME` and `INVALID_OPTIONS` for names and weights that cannot be.
 */
export function assign(input: AssignmentInput): readonly (string | undefined)[] {
  const { count, set = '' } = input;
  if (!Number.isInteger(count) || count < 0) throw new QuorateError('INVALID_OPTIONS', `A set of ${count} partitions cannot be.`);
  const members = membersOf(input.members);
  if (members.length === 0) return new Array<undefined>(count).fill(undefined);
  const names = members.map(({ name }) => name);
  const weights = members.map(({ weight }) => weight);
  const request = readRequest(input, names);
  const { before, fixed, open, choosy, refused } = request;
  const shares = sharesOf(fixed.size + open.length + choosy.length, weights);
  const draft = new Draft(count, members.length);
  for (const [partition, member] of fixed) draft.put(partition, member);
  placeOpen(draft, request, shares, new RingOrder(names, set));
  const exchange = { shares, loads: draft.loads, next: draft.next, before, fixed, refused };
  if (choosy.length * members.length <= exchangesMax) placeByExchange(exchange, choosy);
  else placeByLoad(exchange, choosy);
  return Array.from(draft.next, (member) => names[member]);
}

/** What changes hands, by partition. */
export function planOf(before: readonly (string | undefined)[], after: readonly (string | undefined)[]): readonly PartitionMove[] {
  const moves: PartitionMove[] = [];
  for (let partition = 0; partition < Math.max(before.length, after.length); partition++) {
    const from = before[partition];
    const to = after[partition];
    if (from !== to) moves.push({ partition, from, to });
  }
  return moves;
}

const nobody = -1;
/** Refused partitions times members: an exchange of more takes longer than every replica may take at once. */
const exchangesMax = 2 ** 13;

/** Those who take part, in the order of their names. */
function membersOf(members: readonly AssignmentMember[]): readonly AssignmentMember[] {
  const seen = new Set<string>();
  for (const { name, weight } of members) {
    checkNodeName(name);
    checkWeight(name, weight);
    if (seen.has(name)) throw new QuorateError('INVALID_NAME', `"${name}" takes part in an assignment twice.`);
    seen.add(name);
  }
  return members.filter(({ drained }) => drained !== true).sort((one, other) => (one.name < other.name ? -1 : 1));
}

interface Request {
  /** The member that has each partition and takes part, or `nobody`. */
  readonly before: Int32Array;
  /** Partitions that only one member may have. */
  readonly fixed: ReadonlyMap<number, number>;
  /** Partitions that anyone may have. */
  readonly open: readonly number[];
  /** Partitions that some, but not all, may have. */
  readonly choosy: readonly number[];
  /** The members that may not have a partition. */
  readonly refused: ReadonlyMap<number, ReadonlySet<number>>;
}

function readRequest(input: AssignmentInput, names: readonly string[]): Request {
  const numbers = new Map(names.map((name, member) => [name, member]));
  const numberOf = (name: string | undefined): number => (name === undefined ? nobody : (numbers.get(name) ?? nobody));
  const before = Int32Array.from({ length: input.count }, (_, partition) => numberOf(input.current[partition]));
  const fixed = new Map<number, number>();
  const open: number[] = [];
  const choosy: number[] = [];
  const refused = new Map<number, ReadonlySet<number>>();
  for (let partition = 0; partition < input.count; partition++) {
    const barred = new Set([...(input.refused?.get(partition) ?? [])].map(numberOf));
    barred.delete(nobody);
    const pinned = numberOf(input.pins?.get(partition));
    if (pinned !== nobody && !barred.has(pinned)) fixed.set(partition, pinned);
    else if (barred.size === 0) open.push(partition);
    else if (barred.size === names.length - 1)
      fixed.set(
        partition,
        names.findIndex((_, member) => !barred.has(member)),
      );
    else if (barred.size < names.length) choosy.push(partition);
    if (barred.size > 0) refused.set(partition, barred);
  }
  return { before, fixed, open, choosy, refused };
}

/** The assignment while it is made. */
class Draft {
  /** The member that each partition goes to, or `nobody`. */
  readonly next: Int32Array;
  /** How many partitions each member has. */
  readonly loads: Int32Array;

  constructor(count: number, members: number) {
    this.next = new Int32Array(count).fill(nobody);
    this.loads = new Int32Array(members);
  }

  put(partition: number, member: number): void {
    this.next[partition] = member;
    this.loads[member] = (this.loads[member] ?? 0) + 1;
  }
}

/** Owners keep what fits their quota; what does not fit and what has no owner goes clockwise to the next member with room. */
function placeOpen(draft: Draft, { before, fixed, open }: Request, shares: readonly Share[], order: RingOrder): void {
  const { loads, next } = draft;
  const wanted = new Int32Array(shares.length);
  const ownerOf = (partition: number): number => before[partition] ?? nobody;
  for (const partition of open) if (ownerOf(partition) !== nobody) wanted[ownerOf(partition)] = (wanted[ownerOf(partition)] ?? 0) + 1;
  const quotas = quotasOf({ shares, fixed: loads.slice(), wanted, ranks: order.ranks, count: fixed.size + open.length });
  const hasRoom = (member: number): boolean => (loads[member] ?? 0) < (quotas[member] ?? 0);

  const surplus = quotas.map((quota, member) => (loads[member] ?? 0) + (wanted[member] ?? 0) - quota);
  // Whoever must give some up keeps what the ring would give it: a member that returns is then the more likely to get back what it had.
  const isAtHome = (partition: number): boolean => {
    const owner = ownerOf(partition);
    return (surplus[owner] ?? 0) <= 0 || order.successor(partition, () => true) === owner;
  };
  const home = open.map(isAtHome);
  for (const turn of [true, false])
    for (const [i, partition] of open.entries()) {
      const owner = ownerOf(partition);
      if (home[i] === turn && owner !== nobody && hasRoom(owner)) draft.put(partition, owner);
    }
  for (const partition of open) if (next[partition] === nobody) draft.put(partition, order.successor(partition, hasRoom));
}

/** Few are enough: shares come from the quotas, and the ring only spreads who gives to whom. */
const pointsPerMember = 16;

/** In which order members come after a partition on the ring. Made when first asked, for often nothing moves. */
class RingOrder {
  private readonly hash: KeyHash = murmur3();
  private index: PointIndex | undefined;

  constructor(
    private readonly names: readonly string[],
    private readonly set: string,
  ) {}

  /** A rank per member that depends on the names alone. */
  get ranks(): Float64Array {
    const places = this.names.map((name) => this.hash(`${this.set}/${name}`));
    // Members whose hashes are equal come in the order of their names.
    const ranked = places.map((_, member) => member).sort((one, other) => (places[one] ?? 0) - (places[other] ?? 0) || one - other);
    const ranks = new Float64Array(places.length);
    for (const [rank, member] of ranked.entries()) ranks[member] = rank;
    return ranks;
  }

  successor(partition: number, accepts: (member: number) => boolean): number {
    this.index ??= new PointIndex(pointsOf(this.names.map((name) => placesOf(this.hash, name, pointsPerMember))));
    let point = this.index.successor(this.hash(`${this.set}/${partition}`));
    for (let left = this.index.length; left > 0; left--) {
      const member = this.index.ownerAt(point);
      if (accepts(member)) return member;
      point = this.index.after(point);
    }
    throw new QuorateError('INVARIANT', `Broken: there is room for partition ${partition} with one of the members.`);
  }
}
