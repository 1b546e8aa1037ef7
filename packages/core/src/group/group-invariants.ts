/** The rules of the group's state, and of the tables in it, checked one by one: the simulator calls this after every step. */
import { resultCode } from '../lock/command.ts';
import type { Claim } from '../lock/claim.ts';
import { checkLockTable } from '../lock/lock-invariants.ts';
import { isOfOutsiders } from '../paxos/configuration.ts';
import { checkPartitionTable } from '../partition/partition-invariants.ts';
import { slotOfSession } from '../session/command.ts';
import { checkSessionTable } from '../session/session-table.ts';
import type { GroupState } from './group-state.ts';

/** The rules of `GroupState`, `Membership`, `SessionTable`, `AnswerWindow` and `LockTable` that do not hold, as sentences. */
export function checkGroupState(state: GroupState): string[] {
  const { sessions, locks, partitions } = state.tables;
  const broken = [...checkSessionTable(sessions), ...checkLockTable(locks), ...checkPartitionTable(partitions)];
  const { counts, isOpen, token, appliedIndex } = state;
  if (!isOpen && (counts.sessions > 0 || counts.locks > 0 || token > 0))
    broken.push('group 1: something is there before the group is open');
  if (!Number.isSafeInteger(token)) broken.push(`group 3: the grant counter is ${token}`);
  for (const ofSession of locks.claims().values()) {
    for (const claim of ofSession.values()) broken.push(...checkClaim(state, claim));
  }
  for (const { key, answers } of sessions.sessions()) {
    for (const [seq, code] of answers.answers()) {
      if (code === resultCode.queued && locks.claimOf(key, seq)?.token !== 0) {
        broken.push(`group 4: acquire ${seq} of session ${key} is remembered as queued and does not wait`);
      }
    }
    if (slotOfSession(key) > appliedIndex) broken.push(`group 5: session ${key} comes from a slot above ${appliedIndex}`);
  }
  for (const { resource, version } of locks.locks()) {
    if (version > appliedIndex) broken.push(`group 5: ${resource} was changed in slot ${version}, above ${appliedIndex}`);
  }
  for (const [session, owned] of partitions.owned()) {
    for (const [token, { node, index }] of owned) {
      if (sessions.get(session)?.node !== node)
        broken.push(`group 6: partition ${index} is of session ${session} of ${node}, which does not live`);
      if (token > state.token) broken.push(`group 6: the token ${token} of partition ${index} is above the counter ${state.token}`);
    }
  }
  if (isOfOutsiders(state.configuration, state.membership.named))
    broken.push('membership 4: a majority of the voters is of names that the group was not founded with');
  return broken;
}

function checkClaim(state: GroupState, { session, node, seq, token }: Claim): string[] {
  const broken: string[] = [];
  const owner = state.tables.sessions.get(session);
  if (owner?.node !== node) broken.push(`group 2: acquire ${seq} is of session ${session} of ${node}, which does not live`);
  if (token > state.token) broken.push(`group 3: token ${token} is above the counter ${state.token}`);
  if (owner === undefined || seq <= owner.answers.floor) return broken;
  const answer = owner.answers.recall(seq);
  const isRemembered = token === 0 ? answer?.[1] === resultCode.queued : answer?.[1] === resultCode.granted && answer[2] === token;
  if (!isRemembered) broken.push(`group 4: acquire ${seq} of session ${session} is not remembered as what it is`);
  return broken;
}
