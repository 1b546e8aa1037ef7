/** The feature level of a group: who raises it, and what it keeps back. `docs/protocol.md`, "Versions". */
import { presentLevels } from '../../src/group/feature-level.ts';
import type { FeatureLevels } from '../../src/group/feature-level.ts';
import { GroupState } from '../../src/group/group-state.ts';
import type { VersionWatch } from '../../src/group/version-watch.ts';
import { LeaderService } from '../../src/group/leader-service.ts';
import type { GroupBatch, GroupEntry } from '../../src/group/member-message.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import { entryKind } from '../../src/session/command.ts';

/** A build of the next version: it counts `note` and `closeSession` as new. */
const next: FeatureLevels = {
  newest: 2,
  ofEntry: ([kind]) => (kind === entryKind.closeSession ? 2 : 1),
  ofOp: ([kind]) => (kind === lockOp.note ? 2 : 1),
};
const session = 2 * 4096;
const token = 2 ** 22 + 1;

/** Open, with a session that holds `l/x`. */
function group(levels: FeatureLevels): {
  readonly state: GroupState;
  readonly slot: (...entries: GroupEntry[]) => ReturnType<GroupState['apply']>;
} {
  const state = new GroupState({ maxSessionTtlMs: 1_000 }, levels);
  const slot = (...entries: GroupEntry[]): ReturnType<GroupState['apply']> => state.apply(state.appliedIndex + 1, [0, entries]);
  slot([entryKind.begin, 's'], [entryKind.openGroup, 's', 1]);
  slot([entryKind.openSession, 'n', 'a', 'a1.1', 1_000, 0]);
  slot([entryKind.use, session, 0, [[lockOp.acquire, 1, 'l/x', 0, 0, null]]]);
  return { state, slot };
}

const note: GroupEntry = [entryKind.use, session, 0, [[lockOp.note, 2, 'l/x', token, 'left']]];

describe('a command of a later level', () => {
  it('is void below that level, on a build that knows it too, and takes effect from there on', () => {
    const { state, slot } = group(next);
    expect(slot(note).replies).toMatchObject([{ results: [[2, resultCode.unsupported, 0, null]] }]);
    expect(slot([entryKind.closeSession, session]).ended).toEqual([]);
    expect(state.lockState('l/x').note).toBeNull();

    expect(slot([entryKind.raiseLevel, 's', 2]).levelRaised).toBe(2);
    slot([entryKind.use, session, 0, [[lockOp.note, 3, 'l/x', token, 'left']]]);
    expect(state.lockState('l/x').note).toBe('left');
    expect(slot([entryKind.closeSession, session]).ended).toHaveLength(1);
  });
});

describe('the level', () => {
  it('is raised by the leader of the last begin only, and never lowered', () => {
    const { state, slot } = group(next);
    expect(slot([entryKind.raiseLevel, 'another', 2]).levelRaised).toBeUndefined();
    expect(state.level).toBe(1);
    slot([entryKind.raiseLevel, 's', 2]);
    expect(slot([entryKind.raiseLevel, 's', 1]).levelRaised).toBeUndefined();
    expect(state.level).toBe(2);
  });

  it('stops a voter that was put back to an earlier version, with a word for it', () => {
    const { state, slot } = group(presentLevels);
    expect(() => slot([entryKind.raiseLevel, 's', 2])).toThrow(expect.objectContaining({ code: 'VERSION_GAP' }));
    const raised = { ...state.snapshot(), level: 2 };
    expect(() => group(presentLevels).state.restore(raised)).toThrow(expect.objectContaining({ code: 'VERSION_GAP' }));
  });

  it('is part of snapshots and of the hash', () => {
    const one = group(next);
    const other = new GroupState({ maxSessionTtlMs: 1_000 }, next);
    const before = one.state.hash();
    one.slot([entryKind.raiseLevel, 's', 2]);
    other.restore(one.state.snapshot());
    expect(other.level).toBe(2);
    expect(other.hash()).toBe(one.state.hash());
    expect(other.hash()).not.toBe(before);
  });
});

describe('a leader', () => {
  const seats = ['a', 'b', 'c'].map((node) => ({ node, incarnation: `${node}1` }));
  const configuration = { founding: 'f', id: 1, voters: seats };
  const self = { node: 'a', incarnation: 'a1', run: 1 };

  function leading(commonAbove: VersionWatch['commonAbove']): { readonly proposed: () => readonly GroupEntry[] } {
    const term = new LeaderTerm<GroupBatch>({ ...self, round: 1 }, 1, 0, configuration, 500);
    const { state } = group(next);
    const record = { configuration, tokenSecond: 1, maxSessionTtlMs: 1_000, firstFounding: true };
    const sizes = { batchBytesMax: () => 1_000, sizeOfEntry: () => 10, sizeOfTuple: () => 10 };
    const times = { completeSinceMs: 0, quorumRoundMaxMs: 500 };
    const options = { self, record, stamp: 't', reads: 'lease', ...sizes, ...times, versions: { commonAbove } } as const;
    const service = new LeaderService(options, term, state);
    const begun = state.apply(state.appliedIndex + 1, [0, [[entryKind.begin, 't']]]);
    let nowMs = 0;
    service.onApplied(begun, nowMs, () => false);
    const proposed = (): readonly GroupEntry[] => {
      service.onTick((nowMs += 1));
      return service.takeBatch(0)?.[1] ?? [];
    };
    return { proposed };
  }

  it('raises it once all can the next, under its stamp, and asks no more than once (3 voters)', () => {
    let all = 1;
    const { proposed } = leading((level) => (all > level ? all : null));
    expect(proposed()).toEqual([]);
    all = 2;
    expect(proposed()).toEqual([[entryKind.raiseLevel, 't', 2]]);
    expect(proposed()).toEqual([]);
  });

  it('asks every voter of the configuration and every session (3 voters, 1 session)', () => {
    let asked: unknown = null;
    const { proposed } = leading((level, voters, sessions) => {
      asked = [level, voters, [...sessions].map(({ instance }) => instance)];
      return null;
    });
    expect(proposed()).toEqual([]);
    expect(asked).toEqual([1, seats, ['a1.1']]);
  });
});
