/** What an operator, or a voter that leaves, asks of the leader about who votes and who leads. `docs/protocol.md`, "Orders". */
import type { Ballot } from './ballot.ts';
import type { Moved, StandbySeen } from './message.ts';

/** What is said about who votes. */
export type MembershipMessage = Moved | StandbySeen | Roster | OrderGiven | OrderAnswered;

export type VoterOrder =
  /** Give a seat to the standby of that name. */
  | { readonly type: 'add'; readonly node: string }
  | { readonly type: 'remove'; readonly node: string }
  /** Give the seat of `node` to the standby `by`; to the next incarnation of `node` itself where that is the same name. */
  | { readonly type: 'replace'; readonly node: string; readonly by: string }
  /** Give the seat of `node` to whichever standby is best. */
  | { readonly type: 'leave'; readonly node: string }
  /** Let `node` lead. */
  | { readonly type: 'lead'; readonly node: string };

/** What a leader answers. Whoever is told to wait asks again; the rest is final. */
export const orderAnswers = {
  done: 'final',
  /** It was proposed by this leader, who can say no more: the next one says whether it took effect. */
  proposed: 'waits',
  /** Another change of voters has yet to end. */
  underWay: 'waits',
  /** No standby, or voter, of that name was heard within the last heartbeats. */
  notHeard: 'waits',
  /** It lacks too much of the log. */
  notCaughtUp: 'waits',
  /** Too few of the voters are heard, those of now or those of after. */
  quorumAtRisk: 'final',
  /** The incarnation that has the seat lives. */
  seatInUse: 'final',
  /** The majority would be of names that the group was not founded with. */
  outsiders: 'final',
  notAVoter: 'final',
  /** Nobody would be left. */
  lastVoter: 'final',
  tooMany: 'final',
  /** Nobody stands by. */
  noStandby: 'final',
} as const;

export type OrderAnswer = keyof typeof orderAnswers;

/** To the leader of `ballot`, in the configuration of the frame: what comes late means nothing to the next one. */
export interface OrderGiven {
  readonly type: 'orderGiven';
  readonly ballot: Ballot;
  /** The sender's own number for it, echoed. */
  readonly id: number;
  readonly order: VoterOrder;
}

export interface OrderAnswered {
  readonly type: 'orderAnswered';
  readonly id: number;
  readonly answer: OrderAnswer;
}

export interface StandbySeat {
  readonly node: string;
  readonly incarnation: string;
  /** How many slots it lacks. */
  readonly lacking: number;
}

/** From the leader to everyone, with a heartbeat now and then: who stands by. Nobody's vote, and no decision rests on it. */
export interface Roster {
  readonly type: 'roster';
  readonly ballot: Ballot;
  readonly standbys: readonly StandbySeat[];
}
