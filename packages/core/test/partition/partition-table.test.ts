/** Who owns which partition, and what has to happen before somebody else does. */
import { namesMax, partitionOp, partitionResult, placing } from '../../src/partition/command.ts';
import { checkPartitionTable } from '../../src/partition/partition-invariants.ts';
import { changedOwnState } from '../../src/partition/partition-state.ts';
import { PartitionTable } from '../../src/partition/partition-table.ts';
import { assign } from '../../src/ring/assignment.ts';
import { PartitionDesk, set } from './desk.ts';

const { done, notHeld, limit, unknownSet } = partitionResult;
const setOf = (desk: PartitionDesk) => desk.set.partitions.map(({ node }) => node);

let desk: PartitionDesk;
beforeEach(() => {
  desk = new PartitionDesk();
});

/** `a` alone, then `b` beside it, with nothing drained yet. */
function twoMembers(): void {
  desk.join('a');
  desk.rebalance();
  desk.join('b');
  desk.rebalance();
}

describe('assignment', () => {
  it('grants nothing before the first assignment, then everything to the only member, under rising tokens', () => {
    desk.join('a');
    expect(desk.ownedBy('a')).toEqual([]);
    desk.rebalance();
    expect(desk.ownedBy('a')).toEqual([0, 1, 2, 3]);
    expect(desk.set.partitions.map(({ token }) => token)).toEqual([1, 2, 3, 4]);
  });

  it('keeps the parameters of whoever came first', () => {
    desk.join('a', { count: 4 });
    desk.join('b', { count: 9 });
    expect(desk.set.count).toBe(4);
  });

  it('revokes only what moves, and grants it to the next owner once it is released, with the note', () => {
    twoMembers();
    const moving = desk.set.partitions.filter(({ isRevoked }) => isRevoked).map(({ index }) => index);
    expect(moving).toHaveLength(2);
    expect(desk.ownedBy('a')).toEqual([0, 1, 2, 3]);
    const [first = -1] = moving;
    expect(desk.release('a', first, 'at 17')).toBe(done);
    expect(desk.at(first)).toMatchObject({ node: 'b', token: 5, note: 'at 17', isRevoked: false });
    desk.drainAll();
    expect(desk.ownedBy('b')).toEqual(moving);
  });

  it('grants what its owner releases of itself to the same member again, under a new token', () => {
    desk.join('a');
    desk.rebalance();
    desk.release('a', 2);
    expect(desk.at(2)).toMatchObject({ node: 'a', token: 5 });
  });

  it('goes on with a revocation though the partition is to stay where it is after all', () => {
    twoMembers();
    const [moving] = desk.set.partitions.filter(({ isRevoked }) => isRevoked);
    desk.end('b');
    desk.rebalance('b');
    expect(moving).toMatchObject({ node: 'a', home: 'a', isRevoked: true });
    desk.release('a', moving?.index ?? 0);
    expect(moving).toMatchObject({ node: 'a', isRevoked: false, token: 5 });
  });

  it('moves nothing while it is unsettled', () => {
    desk.join('a');
    desk.rebalance();
    desk.join('b');
    expect(desk.set.isUnsettled).toBe(true);
    expect(setOf(desk)).toEqual(['a', 'a', 'a', 'a']);
  });
});

describe('releases', () => {
  it('count only for the token, the partition and the session that hold', () => {
    twoMembers();
    const { token } = desk.at(0);
    expect(desk.release('a', 0, null, token + 1)).toBe(notHeld);
    expect(desk.release('a', 1, null, token)).toBe(notHeld);
    expect(desk.release('b', 0, null, token)).toBe(notHeld);
    expect(desk.release('a', 0, null, 0)).toBe(notHeld);
    expect(desk.do('a', (seq) => [partitionOp.release, seq, 'others', 0, token, null])).toBe(unknownSet);
    expect(desk.release('a', 0)).toBe(done);
    expect(desk.release('a', 0, null, token)).toBe(notHeld);
  });

  it('are refused with a note too many, and take effect without it', () => {
    desk.join('a', { count: 8 });
    desk.rebalance();
    for (let index = 0; index < 5; index += 1) desk.do('a', (seq) => [partitionOp.note, seq, set, index, desk.at(index).token, 'n']);
    expect(desk.release('a', 6, 'one too many')).toBe(limit);
    expect(desk.release('a', 0, '')).toBe(done);
    expect(desk.release('a', 6, 'fits now')).toBe(done);
  });
});

describe('sessions', () => {
  it('free what they owned when they end, and keep its place for the node', () => {
    twoMembers();
    desk.drainAll();
    const mine = desk.ownedBy('b');
    desk.end('b');
    expect(desk.ownedBy('b')).toEqual([]);
    expect(mine.map((index) => desk.at(index).home)).toEqual(['b', 'b']);
    desk.rebalance();
    expect(desk.ownedBy('a')).toHaveLength(2);
    desk.join('b');
    expect(desk.ownedBy('b')).toEqual(mine);
  });

  it('leave what they had still to give up to its next owner at once', () => {
    twoMembers();
    desk.end('a');
    expect(desk.ownedBy('b')).toHaveLength(2);
  });

  it('lose their place to the others once a leader finds that they were absent for too long', () => {
    twoMembers();
    desk.drainAll();
    desk.end('b');
    desk.rebalance('b');
    expect(desk.ownedBy('a')).toEqual([0, 1, 2, 3]);
    expect(desk.set.members.has('b')).toBe(false);
  });

  it('keep a place that a leader took away too late: the node is back', () => {
    twoMembers();
    desk.drainAll();
    desk.end('b');
    desk.join('b');
    desk.rebalance('b');
    expect(desk.ownedBy('b')).toHaveLength(2);
  });
});

describe('leaving', () => {
  it('keeps what a member has until it is revoked, then gives it to the others', () => {
    twoMembers();
    desk.drainAll();
    desk.do('b', (seq) => [partitionOp.leave, seq, set]);
    expect(desk.ownedBy('b')).toHaveLength(2);
    desk.rebalance();
    desk.drainAll();
    expect(desk.ownedBy('a')).toEqual([0, 1, 2, 3]);
    expect(desk.set.members.has('b')).toBe(false);
  });

  it('is over for a member whose last lease comes to its fixed end', () => {
    twoMembers();
    desk.do('a', (seq) => [partitionOp.leave, seq, set]);
    desk.rebalance();
    for (const { index, token } of [...desk.set.partitions]) {
      desk.table.uncover(set, index, token);
      desk.table.free(set, index, token);
    }
    expect(desk.ownedBy('b')).toEqual([0, 1, 2, 3]);
    expect([...desk.set.members.keys()]).toEqual(['b']);
  });

  it('gives what is released before that to nobody, rather than back', () => {
    twoMembers();
    desk.drainAll();
    const [mine = -1] = desk.ownedBy('b');
    desk.do('b', (seq) => [partitionOp.leave, seq, set]);
    desk.release('b', mine);
    expect(desk.at(mine)).toMatchObject({ node: '', token: 0 });
    desk.rebalance();
    expect(desk.at(mine)).toMatchObject({ node: 'a' });
  });

  it('leaves nobody where the last member leaves', () => {
    desk.join('a');
    desk.rebalance();
    desk.do('a', (seq) => [partitionOp.leave, seq, set]);
    desk.rebalance();
    desk.drainAll();
    expect(desk.set.members.size).toBe(0);
    desk.join('c');
    desk.rebalance();
    expect(desk.ownedBy('c')).toHaveLength(4);
  });
});

describe('the fixed end of a lease', () => {
  it('comes in two decisions, each under the token, and the second only after the first', () => {
    twoMembers();
    const [moving] = desk.set.partitions.filter(({ isRevoked }) => isRevoked);
    const { index, token } = moving ?? desk.at(0);
    const session = desk.sessions.get('a') ?? 0;
    desk.table.free(set, index, token);
    expect(desk.at(index)).toMatchObject({ node: 'a', token });
    desk.table.uncover(set, index, token + 1);
    expect(desk.table.coveredTokens(session)).toContain(token);
    desk.table.uncover(set, index, token);
    desk.check();
    expect(desk.table.coveredTokens(session)).not.toContain(token);
    expect(desk.table.coveredTokens(session)).toHaveLength(3);
    desk.table.free(set, index, token + 1);
    expect(desk.at(index)).toMatchObject({ node: 'a' });
    desk.table.free(set, index, token);
    desk.check();
    expect(desk.at(index)).toMatchObject({ node: 'b', token: 5 });
  });

  it('comes to nothing that is not being revoked', () => {
    desk.join('a');
    desk.rebalance();
    desk.table.uncover(set, 0, desk.at(0).token);
    expect(desk.at(0).isCovered).toBe(true);
  });

  it('leaves its owner the last word for as long as it lasts', () => {
    twoMembers();
    const [moving] = desk.set.partitions.filter(({ isRevoked }) => isRevoked);
    const { index, token } = moving ?? desk.at(0);
    desk.table.uncover(set, index, token);
    expect(desk.release('a', index, 'after all')).toBe(done);
    expect(desk.at(index)).toMatchObject({ node: 'b', note: 'after all', isCovered: true });
  });
});

describe('operators', () => {
  it('pin a partition, drain a member and exclude a node', () => {
    twoMembers();
    desk.drainAll();
    const [one = -1] = desk.ownedBy('a');
    desk.do('a', (seq) => [partitionOp.pin, seq, set, one, 'b']);
    desk.rebalance();
    desk.drainAll();
    expect(desk.at(one).node).toBe('b');
    desk.do('a', (seq) => [partitionOp.place, seq, set, 'b', placing.drained]);
    desk.rebalance();
    desk.drainAll();
    expect(desk.ownedBy('b')).toEqual([]);
    desk.do('a', (seq) => [partitionOp.place, seq, set, 'b', placing.usual]);
    desk.rebalance();
    desk.drainAll();
    expect(desk.ownedBy('b')).toHaveLength(2);
    desk.do('a', (seq) => [partitionOp.place, seq, set, 'b', placing.excluded]);
    desk.end('b');
    desk.join('b');
    desk.rebalance();
    desk.drainAll();
    expect(desk.ownedBy('b')).toEqual([]);
    expect(desk.do('a', (seq) => [partitionOp.place, seq, set, 'nobody', placing.drained])).toBe(notHeld);
  });

  it('are refused over the limit of exclusions without any effect, and an exclusion made again is none more', () => {
    twoMembers();
    const place = (node: string, placed: number) => desk.do('a', (seq) => [partitionOp.place, seq, set, node, placed]);
    for (let index = 0; index < namesMax; index += 1) place(`n${index}`, placing.excluded);
    place('b', placing.drained);
    expect(place('b', placing.excluded)).toBe(partitionResult.limit);
    expect(desk.set.members.get('b')?.isDrained).toBe(true);
    expect(place('n7', placing.excluded)).toBe(partitionResult.done);
  });

  it('grow and shrink the set; what is beyond its end goes once it is released', () => {
    twoMembers();
    desk.drainAll();
    desk.do('a', (seq) => [partitionOp.resize, seq, set, 6]);
    desk.rebalance();
    desk.drainAll();
    expect([desk.ownedBy('a').length, desk.ownedBy('b').length]).toEqual([3, 3]);
    desk.do('a', (seq) => [partitionOp.resize, seq, set, 2]);
    expect(desk.set.partitions.filter(({ isRevoked }) => isRevoked).map(({ index }) => index)).toEqual([2, 3, 4, 5]);
    desk.rebalance();
    desk.drainAll();
    expect(desk.set.partitions).toHaveLength(2);
    desk.do('a', (seq) => [partitionOp.resize, seq, set, 3]);
    desk.rebalance();
    desk.drainAll();
    expect(desk.set.partitions.every(({ token }) => token > 0)).toBe(true);
  });

  it('are heard by owners whose partitions stay: all are told of a new number', () => {
    twoMembers();
    desk.drainAll();
    desk.changes();
    desk.do('a', (seq) => [partitionOp.resize, seq, set, 5]);
    desk.rebalance();
    const changes = desk.changes().get(set);
    const told = ['a', 'b'].map((node) => {
      const watcher = { resource: `o/${set}`, session: desk.sessions.get(node) ?? 0, slot: 1 };
      return changes && changedOwnState(desk.set, changes, node, watcher)?.count;
    });
    expect(told).toEqual([5, 5]);
  });

  it('are obeyed where a member gave a partition up: others get it, until the member accepts it again', () => {
    twoMembers();
    desk.drainAll();
    const [one = -1] = desk.ownedBy('a');
    desk.do('a', (seq) => [partitionOp.refuse, seq, set, one, desk.at(one).token]);
    expect(desk.at(one)).toMatchObject({ node: '', home: '' });
    desk.rebalance();
    desk.drainAll();
    expect(desk.at(one).node).toBe('b');
    desk.end('b');
    desk.rebalance('b');
    expect(desk.at(one).node).toBe('');
    desk.do('a', (seq) => [partitionOp.accept, seq, set, one]);
    desk.rebalance();
    expect(desk.at(one).node).toBe('a');
  });
});

describe('refusals', () => {
  beforeEach(() => {
    desk.join('a', { count: 1 });
    desk.rebalance();
    desk.do('a', (seq) => [partitionOp.refuse, seq, set, 0, desk.at(0).token]);
    desk.do('a', (seq) => [partitionOp.note, seq, set, 0, 0, 'n']);
  });

  it('do not outlast the part that a node took, under the same session', () => {
    desk.do('a', (seq) => [partitionOp.leave, seq, set]);
    desk.join('a', { count: 1 });
    desk.rebalance();
    expect(desk.ownedBy('a')).toEqual([0]);
  });

  it('do not outlast the session, though the node had left before', () => {
    desk.do('a', (seq) => [partitionOp.leave, seq, set]);
    desk.end('a');
    desk.join('a', { count: 1 });
    desk.rebalance();
    expect(desk.ownedBy('a')).toEqual([0]);
    expect(desk.set.refusals.size).toBe(0);
  });
});

describe('what is kept', () => {
  it('is bounded over all sets', () => {
    const codes = Array.from({ length: 20 }, (_, index) => {
      return desk.do(`n${index}`, (seq) => [partitionOp.join, seq, `set ${index}`, 1, 1_000, 16_384, 0, 0]);
    });
    expect(codes).toEqual([...Array.from({ length: 4 }, () => done), ...Array.from({ length: 16 }, () => limit)]);
  });

  it('is nothing of a set without members, owners, notes, pins and exclusions', () => {
    twoMembers();
    desk.drainAll();
    for (const node of ['a', 'b']) desk.end(node);
    desk.rebalance('a', 'b');
    expect(desk.table.size).toBe(0);
    expect(desk.join('c', { count: 9 })).toBe(done);
    expect(desk.set.count).toBe(9);
  });

  it('is a set that has a note for whoever comes next', () => {
    desk.join('a');
    desk.rebalance();
    desk.do('a', (seq) => [partitionOp.note, seq, set, 1, desk.at(1).token, 'at 4']);
    desk.end('a');
    desk.rebalance('a');
    expect(desk.at(1).note).toBe('at 4');
  });
});

it('is the same after a restore, and goes on the same', () => {
  twoMembers();
  desk.release('a', desk.set.partitions.find(({ isRevoked }) => isRevoked)?.index ?? 0, 'n');
  desk.do('a', (seq) => [partitionOp.pin, seq, set, 1, 'b']);
  const twin = new PartitionTable({ nextToken: () => 99, assign }, 5);
  twin.restore(JSON.parse(JSON.stringify(desk.table.snapshot())) as ReturnType<PartitionTable['snapshot']>);
  expect(twin.snapshot()).toEqual(desk.table.snapshot());
  expect(checkPartitionTable(twin)).toEqual([]);
  twin.rebalance(set, []);
  desk.rebalance();
  expect(twin.set(set)?.partitions.map(({ home }) => home)).toEqual(desk.set.partitions.map(({ home }) => home));
});

it('tells watchers of each change once, and owners of theirs', () => {
  twoMembers();
  desk.changes();
  const [moving] = desk.set.partitions.filter(({ isRevoked }) => isRevoked);
  desk.release('a', moving?.index ?? 0);
  const changes = desk.changes().get(set);
  expect([...(changes?.partitions ?? [])]).toEqual([moving?.index]);
  expect([...(changes?.byNode.keys() ?? [])]).toEqual(['a', 'b']);
  expect(desk.changes().size).toBe(0);
});
