/** What proposers and acceptors of one decree say to one another. "Paxos Made Simple" §2.2; "The Part-Time Parliament" §2. */
import type { Ballot } from './ballot.ts';
import type { FoundingMessage } from './founding-message.ts';

/** Everything that members of a synod say: its voters found first, and values are JSON texts. */
export type SynodMemberMessage = FoundingMessage | SynodMessage<string>;

export type SynodMessage<V> = SynodPrepare | SynodPromise<V> | SynodAccept<V> | SynodAccepted | SynodReject | SynodDecided<V> | SynodAsk;

export interface SynodPrepare {
  readonly type: 'synodPrepare';
  readonly ballot: Ballot;
}

/** `vote` is what the sender accepted last, if anything. */
export interface SynodPromise<V> {
  readonly type: 'synodPromise';
  readonly ballot: Ballot;
  readonly vote: { readonly ballot: Ballot; readonly value: V } | null;
}

export interface SynodAccept<V> {
  readonly type: 'synodAccept';
  readonly ballot: Ballot;
  readonly value: V;
}

export interface SynodAccepted {
  readonly type: 'synodAccepted';
  readonly ballot: Ballot;
}

/** Refusal of a prepare or accept: the ballot to beat. */
export interface SynodReject {
  readonly type: 'synodReject';
  readonly ballot: Ballot;
  readonly promised: Ballot;
}

/** Whoever knows the decision answers everything with it. */
export interface SynodDecided<V> {
  readonly type: 'synodDecided';
  readonly value: V;
}

/** "Has anything been decided?" Answered only by whoever knows. */
export interface SynodAsk {
  readonly type: 'synodAsk';
}
