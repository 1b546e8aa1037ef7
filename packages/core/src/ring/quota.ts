/** How many partitions each member is to have: its weighted share, rounded down or up, and how bad it is to stray from that. */

/** A member's fair loads are `floor` and `ceil`, its share rounded both ways; they are one number where the share is whole. */
export interface Share {
  readonly share: number;
  readonly floor: number;
  readonly ceil: number;
}

/** Weights such as 0.1 and 0.3 are not exact in binary; a share this close to a whole number is that number. */
const wholeWithin = 1e-9;

/** The weights must come in one order at every replica, for sums of fractions depend on it. */
export function sharesOf(count: number, weights: readonly number[]): readonly Share[] {
  const largest = Math.max(...weights);
  const total = weights.reduce((sum, weight) => sum + weight / largest, 0);
  return weights.map((weight) => {
    const exact = (count * (weight / largest)) / total;
    const whole = Math.round(exact);
    const share = Math.abs(exact - whole) <= wholeWithin * Math.max(1, exact) ? whole : exact;
    return { share, floor: Math.floor(share), ceil: Math.ceil(share) };
  });
}

const levelsPerShare = 2 ** 20;
const levelMax = 2 ** 40;

/**
 * What the `load`-th partition of a member costs in evenness: 0 where it rounds the share up, more with each one above, less with each
 * one below, in parts of the member's share. Rising costs make the cheapest assignment the most even one. Whole numbers, so that sums are exact.
 */
export function levelOf({ share, floor, ceil }: Share, load: number): number {
  if (load > ceil) return levelOfDistance(load - ceil, share);
  return load > floor ? 0 : -levelOfDistance(floor - load + 1, share);
}

function levelOfDistance(distance: number, share: number): number {
  return Math.min(levelMax, Math.ceil((distance * levelsPerShare) / share));
}

export interface QuotaInput {
  readonly shares: readonly Share[];
  /** How many partitions each member has that are not to be moved; a quota is never below. */
  readonly fixed: ArrayLike<number>;
  /** How many others each member has now and would like to keep. */
  readonly wanted: ArrayLike<number>;
  /** Where all else is equal, the lower rank takes the partition that is left over. No two are equal. */
  readonly ranks: ArrayLike<number>;
  /** The sum of all quotas. */
  readonly count: number;
}

/**
 * Takes the cheapest places one by one. What is left over at one level of cost goes first to members that would otherwise have to give
 * something up, then to those whom it overloads least: each has at most one place at that level, so no other choice moves less.
 */
export function quotasOf({ shares, fixed, wanted, ranks, count }: QuotaInput): Int32Array {
  const quotas = Int32Array.from(shares, ({ floor }, member) => Math.max(floor, fixed[member] ?? 0));
  let total = quotas.reduce((sum, quota) => sum + quota, 0);

  const places = (step: 0 | 1) =>
    shares.flatMap((share, member): Place[] => {
      const quota = quotas[member] ?? 0;
      if (step === 0 && quota <= (fixed[member] ?? 0)) return [];
      const load = quota + step;
      const keeps = (fixed[member] ?? 0) + (wanted[member] ?? 0) >= load;
      return [{ member, level: levelOf(share, load), keeps, overload: load / share.share, rank: ranks[member] ?? 0 }];
    });

  for (; total < count; total++) {
    const best = places(1).reduce((one, other) => (isBefore(other, one) ? other : one));
    quotas[best.member] = (quotas[best.member] ?? 0) + 1;
  }
  for (; total > count; total--) {
    const worst = places(0).reduce((one, other) => (isBefore(one, other) ? other : one));
    quotas[worst.member] = (quotas[worst.member] ?? 0) - 1;
  }
  return quotas;
}

interface Place {
  readonly member: number;
  readonly level: number;
  readonly keeps: boolean;
  readonly overload: number;
  readonly rank: number;
}

function isBefore(one: Place, other: Place): boolean {
  if (one.level !== other.level) return one.level < other.level;
  if (one.keeps !== other.keeps) return one.keeps;
  if (one.overload !== other.overload) return one.overload < other.overload;
  return one.rank < other.rank;
}
