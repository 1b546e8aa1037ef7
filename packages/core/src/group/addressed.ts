/** How frames reach voters that a transport does not know as such. `docs/protocol.md`, "Standbys and swaps". */
import type { Configuration } from '../paxos/configuration.ts';
import type { ReplicaSend } from '../paxos/replica.ts';
import type { MemberOptions } from './member-io.ts';
import type { GroupBatch, MemberSend } from './member-message.ts';

/** A transport knows the voters by the list that its process was given. Where others have a seat, each voter is written to by name. */
export function addressed(
  sends: readonly ReplicaSend<GroupBatch>[],
  { voters }: Configuration,
  { self, voters: listed }: Pick<MemberOptions, 'self' | 'voters'>,
): readonly MemberSend[] {
  if (voters.every(({ node }) => listed.includes(node))) return sends;
  const others = voters.map(({ node }) => node).filter((node) => node !== self.node);
  return sends.flatMap(({ to, message }): readonly MemberSend[] =>
    to.type === 'voters' ? others.map((node) => ({ to: { type: 'node', node }, message })) : [{ to, message }],
  );
}

/** The names that a group was founded with, which bind its changes of voters; none in one that was founded by count. */
export function foundedNames({ voters }: Configuration, { count }: Pick<MemberOptions, 'count'>): readonly string[] {
  return count === undefined ? voters.map(({ node }) => node) : [];
}

/** A process that may vote though the group, which was founded by names, was not founded with it. */
export function isBesideNames({ self, voters, count }: Pick<MemberOptions, 'self' | 'voters' | 'count'>): boolean {
  return count === undefined && !voters.includes(self.node);
}
