/** Which seat a leader may give away, to whom, and what it answers to orders. The safety rules 14 and 16. */
import { VoterChanges } from '../../src/group/voter-changes.ts';
import type { Decision } from '../../src/group/voter-changes.ts';
import type { Circumspection } from '../../src/group/voter-change.ts';
import type { GroupBatch } from '../../src/group/member-message.ts';
import { LeaderTerm } from '../../src/paxos/leader.ts';
import type { VoterOrder } from '../../src/paxos/voter-order.ts';
import { ballotOf, configurationOf } from '../paxos/desk.ts';

const silenceMs = 500;

interface Scene {
  readonly voters?: readonly string[];
  /** Of the voters beside `a`. */
  readonly answering?: readonly string[];
  readonly standbys?: readonly string[];
  readonly present?: Partial<Circumspection>;
}

/** `a` leads since 0, beats at 1,000, the others named have answered, and it is 1,100. */
function sceneOf({ voters = ['a', 'b', 'c'], answering = voters.slice(1), standbys = [], present = {} }: Scene) {
  const ballot = ballotOf('a', 1);
  const configuration = configurationOf(...voters);
  const term = new LeaderTerm<GroupBatch>(ballot, 1, 0, configuration, silenceMs);
  term.beginSlot = 1;
  const id = term.lease.heartbeatSent(1_000, 'a');
  for (const node of answering) term.lease.heartbeatSeen(id, node);
  const changes = new VoterChanges();
  const seen: Circumspection = {
    configuration,
    term,
    chosenIndex: 10_000,
    isReplaced: () => false,
    named: voters,
    silenceMs,
    replaceAfterMs: Infinity,
    nowMs: 1_100,
    ...present,
  };
  /** Of so many heartbeats later than the last. */
  const echo = (standby: string, later = 0): void => {
    const from = { node: standby.charAt(0), incarnation: standby, run: 1 };
    changes.onStandby(from, { type: 'standbySeen', ballot, id: id + later, appliedIndex: 9_990 }, term);
  };
  for (const standby of standbys) echo(standby);
  /** `c` begins anew, and says so. */
  const beginAnew = (incarnation: string): void =>
    changes.onStandby({ node: 'c', incarnation, run: 1 }, { type: 'hello', nonce: 'n', voters, wallMs: 0 }, term);
  return {
    changes,
    term,
    echo,
    beginAnew,
    due: (): string | null => {
      const due = changes.due(seen);
      return due && told(due);
    },
    answer: (order: VoterOrder): string => told(changes.answerTo(order, seen)),
  };
}

function told(decision: Decision): string {
  if (decision.type === 'answer') return decision.answer;
  if (decision.type === 'handOver') return `to ${decision.to}`;
  const { change, cause } = decision;
  const gone = change.gone.map(({ incarnation }) => ` -${incarnation}`).join('');
  return `${cause}: ${change.voters.map(({ incarnation }) => incarnation).join(' ')}${gone}`;
}

describe('a seat whose incarnation is silent', () => {
  it('is given to the one after it, and the names stay (3 voters)', () => {
    expect(sceneOf({ answering: ['b'], standbys: ['c#2'] }).due()).toBe('swap: a#1 b#1 c#2 -c#1');
  });

  it.each<[string, Scene]>([
    ['in a term younger than the silence', { present: { nowMs: 400 } }],
    ['to an incarnation that was replaced', { present: { isReplaced: () => true } }],
    ['to one that lacks many slots', { present: { chosenIndex: 100_000 } }],
    ['to the one that has it, and stands by until it learns so', { standbys: ['c#1'] }],
    ['while it answers', { answering: ['b', 'c'] }],
    ['without a majority of the present voters', { answering: [] }],
  ])('is not given away %s (3 voters)', (_why, changed) => {
    expect(sceneOf({ answering: ['b'], standbys: ['c#2'], ...changed }).due()).toBeNull();
  });

  it('is not given to one whose last echo is of an old heartbeat (3 voters)', () => {
    const { term, due } = sceneOf({ answering: ['b'], standbys: ['c#2'] });
    for (let beat = 0; beat < 4; beat += 1) term.lease.heartbeatSent(1_000, 'a');
    expect(due()).toBeNull();
  });

  it('is given to the incarnation that its name goes on under, once that echoes (3 voters, 2 incarnations)', () => {
    const { term, due, echo, beginAnew } = sceneOf({ answering: ['b'], standbys: ['c#2'] });
    beginAnew('c#2');
    expect(due()).toContain('c#2');
    beginAnew('c#3');
    echo('c#2');
    expect(due()).toBeNull();
    echo('c#3');
    echo('c#2', -1);
    expect(due()).toBe('swap: a#1 b#1 c#3 -c#1');
    // Its first words were late, and the one before it lives on.
    term.lease.heartbeatSent(1_000, 'a');
    echo('c#2', 1);
    expect(due()).toBe('swap: a#1 b#1 c#2 -c#1');
  });

  it('is not held against a newcomer of whom nothing was known (3 voters)', () => {
    const { due, echo, beginAnew } = sceneOf({ answering: ['b'] });
    beginAnew('c#3');
    echo('c#2');
    expect(due()).toBeNull();
    echo('c#3');
    expect(due()).toContain('c#3');
  });

  it('is given to whoever echoed the newer heartbeat (3 voters, 2 incarnations)', () => {
    const { due, echo } = sceneOf({ answering: ['b'], standbys: ['c#3'] });
    echo('c#2', -1);
    expect(due()).toContain('c#3');
  });

  it('is not given away while another change is under way (3 voters)', () => {
    const { term, due, answer } = sceneOf({ answering: ['b'], standbys: ['c#2', 'd#1'] });
    term.stopSlot = 7;
    expect([due(), answer({ type: 'add', node: 'd' })]).toEqual([null, 'underWay']);
  });
});

describe('a voter that was silent for long', () => {
  const silent: Scene = { answering: ['b'], standbys: ['e#1', 'd#1'], present: { replaceAfterMs: 5_000, nowMs: 9_000 } };

  /** It is 9,000, and `a` and those named have answered the heartbeat of 8,900. */
  function dueAt(scene: Scene): string | null {
    const { term, due } = sceneOf({ ...scene, answering: ['b', 'c'] });
    const id = term.lease.heartbeatSent(8_900, 'a');
    for (const node of scene.answering ?? []) term.lease.heartbeatSeen(id, node);
    return due();
  }

  it('is replaced by the standby that lacks least, in order of names (3 voters)', () => {
    expect(dueAt(silent)).toBe('autopilot: a#1 b#1 d#1 -c#1');
  });

  it.each<[string, Scene]>([
    ['sooner', { present: { replaceAfterMs: 8_500, nowMs: 9_000 } }],
    ['in a younger term', { present: { replaceAfterMs: 9_500, nowMs: 9_000 } }],
    ['without a standby', { standbys: [] }],
    ['without a majority', { answering: [] }],
  ])('is not replaced %s (3 voters)', (_why, changed) => {
    expect(dueAt({ ...silent, ...changed })).toBeNull();
  });

  it('is not replaced by a leader that has not led for so long (3 voters)', () => {
    const { due } = sceneOf({ answering: ['b'], standbys: ['d#1'], present: { replaceAfterMs: 5_000 } });
    expect(due()).toBeNull();
  });
});

describe('an order', () => {
  it.each<[string, VoterOrder, Scene, string]>([
    ['gives a standby a seat', { type: 'add', node: 'd' }, { standbys: ['d#1'] }, 'order: a#1 b#1 c#1 d#1'],
    ['is done where there is nothing to add', { type: 'add', node: 'b' }, {}, 'done'],
    ['waits for a standby that nobody heard', { type: 'add', node: 'd' }, {}, 'notHeard'],
    ['waits for one that lags', { type: 'add', node: 'd' }, { standbys: ['d#1'], present: { chosenIndex: 100_000 } }, 'notCaughtUp'],
    ['takes a seat away', { type: 'remove', node: 'c' }, {}, 'order: a#1 b#1 -c#1'],
    ['is done where there is nothing to remove', { type: 'remove', node: 'd' }, {}, 'done'],
    ['leaves one voter', { type: 'remove', node: 'a' }, { voters: ['a'] }, 'lastVoter'],
    ['does not take a living voter where too few live', { type: 'remove', node: 'b' }, { answering: ['b'] }, 'quorumAtRisk'],
    ['takes a dead one there', { type: 'remove', node: 'c' }, { answering: ['b'] }, 'order: a#1 b#1 -c#1'],
    ['replaces', { type: 'replace', node: 'c', by: 'd' }, { standbys: ['d#1'] }, 'order: a#1 b#1 d#1 -c#1'],
    ['is done where it was replaced', { type: 'replace', node: 'd', by: 'c' }, {}, 'done'],
    ['knows no such voter', { type: 'replace', node: 'd', by: 'e' }, { standbys: ['e#1'] }, 'notAVoter'],
    ['does not swap a seat that lives', { type: 'replace', node: 'c', by: 'c' }, { standbys: ['c#2'] }, 'seatInUse'],
    [
      'swaps one that does not',
      { type: 'replace', node: 'c', by: 'c' },
      { answering: ['b'], standbys: ['c#2'] },
      'order: a#1 b#1 c#2 -c#1',
    ],
    [
      'makes no majority of names that the group was not founded with',
      { type: 'replace', node: 'c', by: 'e' },
      { voters: ['a', 'c', 'd'], standbys: ['e#1'], present: { named: ['a', 'b', 'c'] } },
      'outsiders',
    ],
    [
      'may, where it was founded without names',
      { type: 'replace', node: 'c', by: 'e' },
      { voters: ['a', 'c', 'd'], standbys: ['e#1'], present: { named: [] } },
      'order: a#1 d#1 e#1 -c#1',
    ],
    ['lets the leader lead', { type: 'lead', node: 'a' }, {}, 'done'],
    ['hands leadership over', { type: 'lead', node: 'b' }, {}, 'to b'],
    ['does not hand it to a silent voter', { type: 'lead', node: 'c' }, { answering: ['b'] }, 'notHeard'],
    ['nor to one that has no vote', { type: 'lead', node: 'd' }, { standbys: ['d#1'] }, 'notAVoter'],
    [
      'of one that leaves is for the standby that is named',
      { type: 'leave', node: 'c' },
      { standbys: ['d#1'] },
      'leaving: a#1 b#1 d#1 -c#1',
    ],
    ['of one that leaves finds nobody', { type: 'leave', node: 'c' }, { standbys: ['c#2'] }, 'noStandby'],
    ['of one that left is done', { type: 'leave', node: 'd' }, {}, 'done'],
  ])('%s (3 voters)', (_what, order, scene, answer) => {
    expect(sceneOf(scene).answer(order)).toBe(answer);
  });

  it('counts on no voter whose name has begun anew, until it answers after all (3 voters, safety 5)', () => {
    const { term, answer, beginAnew } = sceneOf({});
    beginAnew('c#2');
    expect(answer({ type: 'remove', node: 'b' })).toBe('quorumAtRisk');
    expect(answer({ type: 'remove', node: 'c' })).toBe('order: a#1 b#1 -c#1');
    // Its first words were late, and the one before it lives on.
    const id = term.lease.heartbeatSent(1_050, 'a');
    term.lease.heartbeatSeen(id, 'c');
    expect(answer({ type: 'remove', node: 'b' })).toBe('order: a#1 c#1 -b#1');
  });

  it('of one that leaves takes a name that the group was founded with before any other (3 voters)', () => {
    const scene = sceneOf({ voters: ['a', 'b', 'd'], standbys: ['c#2', 'e#1'], present: { named: ['a', 'b', 'c'] } });
    expect(scene.answer({ type: 'leave', node: 'b' })).toBe('leaving: a#1 c#2 d#1 -b#1');
  });

  it('makes no more voters than can decide together (15 voters)', () => {
    const voters = [...'abcdefghijklmno'];
    expect(sceneOf({ voters, standbys: ['z#1'] }).answer({ type: 'add', node: 'z' })).toBe('tooMany');
  });
});
