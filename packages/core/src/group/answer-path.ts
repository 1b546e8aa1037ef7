/**
 * Who tells a process what became of its requests. In a group of three, a voter that has accepted knows that the value is chosen
 * (the safety rule 4): so it tells itself, and a follower tells a client one hop sooner than the leader could.
 */
import type { Configuration } from '../paxos/configuration.ts';
import { slotOfSession } from '../session/command.ts';
import type { SessionKey } from '../session/command.ts';

/** Which follower answers a client's session, so that only one does; null where the short path does not hold. */
export function followerThatAnswers({ voters }: Configuration, leader: string, session: SessionKey): string | null {
  if (voters.length !== 3) return null;
  const followers = voters.filter(({ node }) => node !== leader);
  return followers[slotOfSession(session) % followers.length]?.node ?? null;
}
