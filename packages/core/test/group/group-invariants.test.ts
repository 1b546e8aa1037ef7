/** The check of a group's state names each rule that is broken, and nothing in a sound state. */
import { checkGroupState } from '../../src/group/group-invariants.ts';
import type { GroupSnapshot } from '../../src/group/group-snapshot.ts';
import { GroupState } from '../../src/group/group-state.ts';
import { resultCode } from '../../src/lock/command.ts';

const { granted, queued } = resultCode;

/** Session 4096 of `a` holds `l/x` under token 7, session 4097 of `b` waits for it. */
const sound: GroupSnapshot = {
  format: 3,
  appliedIndex: 3,
  stamp: 'b1',
  isOpen: true,
  level: 1,
  token: 7,
  sessions: [
    [4096, 'na', 'a', 'a.1', 10_000, 0, 0, [[1, granted, 7, null]]],
    [4097, 'nb', 'b', 'b.1', 10_000, 0, 0, [[1, queued, 1, ['a', 7, 0]]]],
  ],
  partitions: [],
  membership: [1, [], 0, [], []],
  locks: [['l/x', 2, null, [[4096, 'a', 1, 0, 7, 0, null]], [[4097, 'b', 1, 0, 0, 0, null]]]],
};

test.each<[string, Partial<GroupSnapshot>, string[]]>([
  ['nothing in a sound state', {}, []],
  ['what is there before the opening', { isOpen: false }, ['group 1: something is there before the group is open']],
  [
    'a claim without a session',
    { sessions: sound.sessions.slice(0, 1) },
    ['group 2: acquire 1 is of session 4097 of b, which does not live'],
  ],
  ['a token above the counter', { token: 6 }, ['group 3: token 7 is above the counter 6']],
  ['a counter that is no safe integer', { token: 2 ** 53 }, [`group 3: the grant counter is ${2 ** 53}`]],
  [
    'a holder that is remembered as waiting',
    { sessions: [[4096, 'na', 'a', 'a.1', 10_000, 0, 0, [[1, queued, 1, null]]], ...sound.sessions.slice(1)] },
    [
      'group 4: acquire 1 of session 4096 is not remembered as what it is',
      'group 4: acquire 1 of session 4096 is remembered as queued and does not wait',
    ],
  ],
  [
    'a holder that is remembered under another token',
    { sessions: [[4096, 'na', 'a', 'a.1', 10_000, 0, 0, [[1, granted, 6, null]]], ...sound.sessions.slice(1)] },
    ['group 4: acquire 1 of session 4096 is not remembered as what it is'],
  ],
  [
    'a waiter that is not remembered',
    { sessions: [...sound.sessions.slice(0, 1), [4097, 'nb', 'b', 'b.1', 10_000, 0, 0, []]] },
    ['group 4: acquire 1 of session 4097 is not remembered as what it is'],
  ],
  [
    'nothing if the floor has passed holder and waiter',
    {
      sessions: [
        [4096, 'na', 'a', 'a.1', 10_000, 0, 1, []],
        [4097, 'nb', 'b', 'b.1', 10_000, 0, 1, []],
      ],
    },
    [],
  ],
  [
    'a session and a lock that come from the future',
    { appliedIndex: 0 },
    [
      'group 5: session 4096 comes from a slot above 0',
      'group 5: session 4097 comes from a slot above 0',
      'group 5: l/x was changed in slot 2, above 0',
    ],
  ],
  ['what is wrong in the tables', { locks: [...sound.locks, ['l/free', 1, null, [], []]] }, ['locks 3: l/free is free and kept']],
  [
    'what is wrong with the sessions',
    { sessions: [...sound.sessions, [4098, 'nc', 'c', 'c.1', 99_999, 0, 0, []]] },
    ["sessions 2: session 4098 has a TTL above the group's longest"],
  ],
])('%s', (_what, change, broken) => {
  const state = new GroupState({ maxSessionTtlMs: 30_000 });
  state.restore({ ...sound, ...change });
  expect(checkGroupState(state)).toEqual(broken);
});
