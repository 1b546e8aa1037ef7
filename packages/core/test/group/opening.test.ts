/** When a leader lets a group open: after the wait, and after every founder has confirmed. The safety rules 11 and 12. */
import { GroupState } from '../../src/group/group-state.ts';
import { LeaderService } from '../../src/group/leader-service.ts';
import type { GroupBatch } from '../../src/group/member-message.ts';
import { ballotStamp } from '../../src/paxos/ballot.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import { entryKind } from '../../src/session/command.ts';
import { ballotOf, configurationOf, proposer } from '../paxos/desk.ts';

const configuration = configurationOf('a', 'b', 'c');
const stamp = ballotStamp(ballotOf('a', 2));

interface Leading {
  readonly service: LeaderService;
  readonly state: GroupState;
  /** What it proposes at a tick, under a lease that a majority has just renewed. */
  proposes(nowMs: number): readonly unknown[];
}

/** A leader whose founding was complete at 0 and whose begin is applied. */
function leading(firstFounding: boolean): Leading {
  const term = new LeaderTerm<GroupBatch>(ballotOf('a', 2), 1, 0, configuration, 500);
  const state = new GroupState({ maxSessionTtlMs: 1_000 });
  const record = { configuration, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding };
  const sizes = { batchBytesMax: () => 1_000, sizeOfEntry: () => 10, sizeOfTuple: () => 10 };
  const times = { completeSinceMs: 0, quorumRoundMaxMs: 500 };
  const service = new LeaderService({ self: proposer('a'), record, stamp, reads: 'lease', ...sizes, ...times }, term, state);
  service.onApplied(state.apply(1, [0, [[entryKind.begin, stamp]]]), 0, () => false);
  const proposes = (nowMs: number): readonly unknown[] => {
    term.lease.heartbeatSeen(term.lease.heartbeatSent(nowMs, 'a'), 'b');
    service.onTick(nowMs);
    return service.takeBatch(0)?.[1] ?? [];
  };
  return { service, state, proposes };
}

describe('a group', () => {
  it('does not open before every founder has confirmed that it knows completion (3 voters, safety 11)', () => {
    const { service, proposes } = leading(true);
    expect(proposes(10)).toEqual([]);
    expect(proposes(5_000)).toEqual([]);
    service.allConfirmed = true;
    expect(proposes(5_001)).toEqual([[entryKind.openGroup, stamp, 1]]);
  });

  it('does not open before the longest TTL has passed, unless it is the first of its name (3 voters, safety 12)', () => {
    const refounded = leading(false);
    refounded.service.allConfirmed = true;
    expect(refounded.proposes(999)).toEqual([]);
    expect(refounded.service.opensInMs(999)).toBe(1);
    expect(refounded.proposes(1_000)).toEqual([[entryKind.openGroup, stamp, 1]]);
  });

  it('keeps no open that came too early: when it opens it says so, and who still wants a session asks again (3 voters, 1 client)', () => {
    const { service, state, proposes } = leading(false);
    service.allConfirmed = true;
    const open = { type: 'openSession', nonce: 'x.1', ttlMs: 1_000, replaces: 0 } as const;
    const refusedFor = (waitMs: number): unknown => ({
      node: 'x',
      message: { type: 'openRefused', nonce: 'x.1', reason: 'closed', waitMs },
    });
    service.onMessage(proposer('x'), open, 400);
    service.onMessage(proposer('x'), open, 999);
    service.onMessage(proposer('x'), open, 1_000);
    expect(service.takeAnswers()).toEqual([refusedFor(600), refusedFor(1), refusedFor(1)]);
    const opening = proposes(1_000) as GroupBatch[1];
    service.onApplied(state.apply(2, [0, opening]), 1_010, () => false);
    expect([service.takeAnswers(), service.takeBatch(0)]).toEqual([[refusedFor(0)], null]);
    service.onMessage(proposer('x'), open, 1_020);
    expect(proposes(1_020)).toEqual([[entryKind.openSession, 'x.1', 'x', 'x#1.1', 1_000, 0]]);
  });
});
