/** Which voters decide, under which founding. `docs/protocol.md`, "Configurations"; the safety rules 1, 3 and 11. */

/** A voter: a name in one life of its memory. */
export interface Seat {
  readonly node: string;
  readonly incarnation: string;
}

/**
 * 1. `voters` is sorted by node and names each node once.
 * 2. Slots, promises and votes belong to (founding, id): frames of another configuration are nobody's vote.
 */
export interface Configuration {
  readonly founding: string;
  /** 1 at the founding, one more at each change of voters. */
  readonly id: number;
  readonly voters: readonly Seat[];
}

/** A change of voters that took effect: everything the configuration before it holds above `sealedAt` is void. */
export interface Sealed {
  /** Of the configuration that begins. */
  readonly id: number;
  readonly voters: readonly Seat[];
  /** The slot of the stop-sign; the first of the new configuration is the next one. */
  readonly sealedAt: number;
}

/**
 * The last change of voters as plain data, every incarnation that was ever replaced, and the names that the group was founded with;
 * number 1, without voters or names, for the founding.
 */
export type MembershipSnapshot = readonly [
  id: number,
  voters: readonly (readonly [node: string, incarnation: string])[],
  sealedAt: number,
  replaced: readonly string[],
  named: readonly string[],
];

export function majorityOf({ voters }: Pick<Configuration, 'voters'>): number {
  return Math.floor(voters.length / 2) + 1;
}

/**
 * True if a majority could decide without any of the names that the group was founded with (the safety rule 14). `named` is empty where
 * it was founded without names.
 */
export function isOfOutsiders({ voters }: Pick<Configuration, 'voters'>, named: readonly string[]): boolean {
  const outsiders = voters.filter(({ node }) => !named.includes(node)).length;
  return named.length > 0 && outsiders >= majorityOf({ voters });
}

/** Counts only if exactly this (node, incarnation) is a voter: a name that came back without its memory is a stranger. */
export function isVoter(configuration: Pick<Configuration, 'voters'>, seat: Seat): boolean {
  return configuration.voters.some((voter) => sameSeat(voter, seat));
}

export function sameSeat(voter: Seat, seat: Seat): boolean {
  return voter.node === seat.node && voter.incarnation === seat.incarnation;
}
