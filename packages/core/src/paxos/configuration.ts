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

export function majorityOf(configuration: Configuration): number {
  return Math.floor(configuration.voters.length / 2) + 1;
}

/** Counts only if exactly this (node, incarnation) is a voter: a name that came back without its memory is a stranger. */
export function isVoter(configuration: Configuration, seat: Seat): boolean {
  return configuration.voters.some((voter) => voter.node === seat.node && voter.incarnation === seat.incarnation);
}
