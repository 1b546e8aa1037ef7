/** Ballots: who proposes, and in which attempt. "Paxos Made Simple" §2.2; `docs/protocol.md`, "Ballots". */

/** One process start of one voter. A ballot names it so that a restarted proposer never reuses one. */
export interface Proposer {
  readonly node: string;
  /** 128 random bits minted with empty storage. */
  readonly incarnation: string;
  /** Which start of the process: counts up in storage from 1. */
  readonly run: number;
}

/**
 * 1. Totally ordered by (round, node, incarnation, run).
 * 2. Owned by one process start: no two proposers ever use equal ballots.
 */
export interface Ballot extends Proposer {
  readonly round: number;
}

/** Below every ballot that anyone proposes with. */
export const zeroBallot: Ballot = { round: 0, node: '', incarnation: '', run: 0 };

export function compareBallots(a: Ballot, b: Ballot): number {
  if (a === b) return 0;
  return a.round - b.round || compareText(a.node, b.node) || compareText(a.incarnation, b.incarnation) || a.run - b.run;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return compareBallots(a, b) === 0;
}

export function sameProposer(a: Proposer, b: Proposer): boolean {
  return a.node === b.node && a.incarnation === b.incarnation && a.run === b.run;
}

/** By UTF-16 code unit, the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A ballot as a text that is equal for equal ballots only: what commands that rest on a leader's clock are stamped with. */
export function ballotStamp(ballot: Ballot): string {
  return `${ballot.round}:${ballot.incarnation}:${ballot.run}:${ballot.node}`;
}
