/**
 * Who tells a process what became of its requests. In a group of three, a voter that has accepted knows that the value is chosen
 * (the safety rule 4): so it tells itself, and a follower tells a client one hop sooner than the leader could.
 */
import type { Proposer } from '../paxos/ballot.ts';
import type { Configuration } from '../paxos/configuration.ts';
import type { Slot } from '../paxos/message.ts';
import type { Replica } from '../paxos/replica.ts';
import { slotOfSession } from '../session/command.ts';
import type { SessionKey } from '../session/command.ts';
import type { Applied } from './group-applied.ts';
import type { GroupState } from './group-state.ts';
import type { MemberLimits } from './member-io.ts';
import type { GroupBatch, GroupSessionMessage, MemberSend } from './member-message.ts';
import { tupleRunsOf } from './tuple-runs.ts';

/** Which follower answers a client's session, so that only one does; null where the short path does not hold. */
export function followerThatAnswers({ voters }: Configuration, leader: string, session: SessionKey): string | null {
  if (voters.length !== 3) return null;
  const followers = voters.filter(({ node }) => node !== leader);
  return followers[slotOfSession(session) % followers.length]?.node ?? null;
}

/** Where a slot is applied. */
interface Application {
  readonly configuration: Configuration;
  readonly replica: Replica<GroupBatch>;
  readonly state: GroupState;
  readonly slot: Slot;
}

export class AnswerPath {
  constructor(
    private readonly self: Proposer,
    private readonly limits: Pick<MemberLimits, 'batchBytesMax' | 'sizeOfTuple'>,
  ) {}

  /**
   * The leader need not answer whom a follower has answered. It does where that follower's vote has not come: a follower that
   * lags or died holds up nobody.
   */
  isAnswered(node: string, session: SessionKey, at: Application): boolean {
    if (this.learnsByItself(node, session, at)) return true;
    const term = at.replica.leading;
    if (!term) return false;
    const follower = followerThatAnswers(at.configuration, term.ballot.node, session);
    return follower !== null && term.hasAccepted(follower, at.slot);
  }

  /** A follower answers the clients that are its to answer; its leader is the one it voted for. */
  toClients({ replies }: Applied, at: Application): MemberSend[] {
    const sends: MemberSend[] = [];
    for (const { session, node, results } of replies) {
      if (this.learnsByItself(node, session, at)) continue;
      if (followerThatAnswers(at.configuration, at.replica.promised.node, session) !== this.self.node) continue;
      for (const run of tupleRunsOf(results, this.limits)) {
        sends.push({ to: { type: 'node', node }, message: { type: 'replies', session, results: run } });
      }
    }
    return sends;
  }

  /**
   * In a group of three, a connected voter learns what is chosen from the accept itself: its own sessions need no reply. A process
   * that came back under the name of a seat without its memory is no voter.
   */
  private learnsByItself(node: string, session: SessionKey, { configuration: { voters }, state }: Application): boolean {
    if (node === this.self.node) return true;
    if (voters.length !== 3) return false;
    const seat = voters.find((voter) => voter.node === node);
    return seat !== undefined && (state.session(session)?.instance.startsWith(`${seat.incarnation}.`) ?? false);
  }
}

/** A voter completes the requests of its own process at application; the holder knows which of this is meant for it. */
export function ownAnswers(applied: Applied, node: string): GroupSessionMessage[] {
  const own: GroupSessionMessage[] = [];
  for (const { session, node: user, results } of applied.replies) {
    if (user === node) own.push({ type: 'replies', session, results });
  }
  for (const session of applied.unknownSessions) own.push({ type: 'sessionEnded', session });
  for (const { nonce, node: opener, session, ttlMs } of applied.opened) {
    if (opener === node) own.push({ type: 'sessionOpened', nonce, session, ttlMs });
  }
  for (const { session, node: holder } of applied.ended) {
    if (holder === node) own.push({ type: 'sessionEnded', session });
  }
  return own;
}
