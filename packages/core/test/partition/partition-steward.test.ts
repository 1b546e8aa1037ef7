/** The leader's clocks of partitions: what it decides when, and what its keep-alives cover meanwhile. */
import { partitionOp } from '../../src/partition/command.ts';
import { PartitionSteward } from '../../src/partition/partition-steward.ts';
import { PartitionDesk, set } from './desk.ts';

const ttlMs = 500;
const drainMs = 1_000;

let desk: PartitionDesk;
beforeEach(() => {
  desk = new PartitionDesk();
  desk.join('a', { count: 2 });
});

function stewardAt(nowMs: number): PartitionSteward {
  desk.changes();
  return new PartitionSteward({ sets: () => desk.table.sets(), set: (name) => desk.table.set(name), ttlMsOf: () => ttlMs }, nowMs);
}

/** Carries decisions out, as if they were chosen and applied at once. */
function apply(steward: PartitionSteward, nowMs: number, authorityMs = nowMs): string[] {
  const decisions = steward.due(nowMs, authorityMs);
  for (const decision of decisions) {
    if (decision.type === 'rebalance') desk.table.rebalance(set, decision.gone);
    else desk.table[decision.type](set, decision.partition, decision.token);
  }
  desk.check();
  steward.onApplied(desk.changes(), nowMs);
  return decisions.map((decision) =>
    decision.type === 'rebalance' ? `rebalance ${decision.gone.join()}` : `${decision.type} ${decision.token}`,
  );
}

/** `a` owns both, and 1 moves to `b`. */
function revokedAt(nowMs: number): { readonly steward: PartitionSteward; readonly token: number; readonly index: number } {
  desk.rebalance();
  desk.join('b');
  desk.rebalance();
  const moving = desk.set.partitions.find(({ isRevoked }) => isRevoked);
  return { steward: stewardAt(nowMs), token: moving?.token ?? 0, index: moving?.index ?? 0 };
}

describe('a set that was forgotten and is made again', () => {
  it('has nothing left of the times of the one before (1 member that comes and goes, 1 that stays)', () => {
    desk.rebalance();
    const steward = stewardAt(0);
    desk.end('a');
    steward.onApplied(desk.changes(), 0);
    expect([...apply(steward, 100), ...apply(steward, 2_000)]).toEqual(['rebalance ', 'rebalance a']);
    expect(desk.table.set(set)).toBeUndefined();
    desk.join('a', { count: 2 });
    desk.end('a');
    steward.onApplied(desk.changes(), 10_000);
    desk.join('b');
    steward.onApplied(desk.changes(), 10_001);
    expect([...apply(steward, 10_101), ...apply(steward, 12_000)]).toEqual(['rebalance ', 'rebalance a']);
    expect([...desk.set.members.keys()]).toEqual(['b']);
  });
});

describe('settling', () => {
  it('makes one assignment of what changes within the time, and of what changes later another', () => {
    const steward = stewardAt(0);
    expect(apply(steward, 99)).toEqual([]);
    desk.join('b');
    steward.onApplied(desk.changes(), 99);
    expect(apply(steward, 100)).toEqual(['rebalance ']);
    expect(apply(steward, 10_000)).toEqual([]);
    desk.join('c');
    steward.onApplied(desk.changes(), 10_000);
    expect(apply(steward, 10_099)).toEqual([]);
    expect(apply(steward, 10_100)).toEqual(['rebalance ']);
  });

  it('is counted anew by a leader that begins', () => {
    stewardAt(0);
    const next = stewardAt(80);
    expect(apply(next, 179)).toEqual([]);
    expect(apply(next, 180)).toEqual(['rebalance ']);
  });

  it('keeps the place of an absent member for its grace, and no longer', () => {
    const steward = stewardAt(0);
    desk.join('b');
    steward.onApplied(desk.changes(), 0);
    apply(steward, 100);
    desk.end('b');
    steward.onApplied(desk.changes(), 1_000);
    expect(apply(steward, 1_100)).toEqual(['rebalance ']);
    expect(desk.set.members.has('b')).toBe(true);
    expect(apply(steward, 2_999)).toEqual([]);
    expect(apply(steward, 3_000)).toEqual(['rebalance b']);
    expect(desk.ownedBy('a')).toEqual([0, 1]);
    expect(apply(steward, 9_000)).toEqual([]);
  });

  it('forgets an absence that ended', () => {
    const steward = stewardAt(0);
    apply(steward, 100);
    desk.end('a');
    steward.onApplied(desk.changes(), 200);
    desk.join('a');
    steward.onApplied(desk.changes(), 300);
    expect(apply(steward, 9_000)).toEqual(['rebalance ']);
    expect(desk.ownedBy('a')).toEqual([0, 1]);
  });

  it('takes the places of many absent members by several decisions, each of which fits into a frame', () => {
    for (let index = 0; index < 100; index += 1) desk.join(`n${index}`);
    const steward = stewardAt(0);
    apply(steward, 100);
    for (let index = 0; index < 100; index += 1) desk.end(`n${index}`);
    steward.onApplied(desk.changes(), 1_000);
    apply(steward, 1_100);
    const gone = [...apply(steward, 3_000), ...apply(steward, 3_000), ...apply(steward, 3_000)].map((text) => text.split(',').length);
    expect(gone).toEqual([64, 36]);
    expect([...desk.set.members.keys()]).toEqual(['a']);
  });
});

describe('a drain', () => {
  it('ends its covering at once when its budget is over, and its lease a full TTL after that is applied', () => {
    const { steward, token, index } = revokedAt(0);
    expect(apply(steward, drainMs - 1)).toEqual([]);
    expect(steward.covers(token)).toBe(true);
    expect(steward.due(drainMs, drainMs)).toEqual([{ type: 'uncover', set, partition: index, token }]);
    expect(steward.covers(token)).toBe(false);
    expect(steward.due(drainMs + ttlMs, drainMs + ttlMs)).toEqual([]);
    // Chosen and applied only later: the lease ends a TTL after that.
    desk.table.uncover(set, index, token);
    steward.onApplied(desk.changes(), 3_000);
    expect(apply(steward, 3_000 + ttlMs - 1)).toEqual([]);
    expect(apply(steward, 3_000 + ttlMs)).toEqual([`free ${token}`]);
    expect(desk.at(index).node).toBe('b');
  });

  it('ends no lease by a time up to which the leader does not know that it led', () => {
    const { steward, token } = revokedAt(0);
    expect(apply(steward, drainMs)).toEqual([`uncover ${token}`]);
    expect(apply(steward, drainMs + ttlMs, drainMs + ttlMs - 1)).toEqual([]);
    expect(apply(steward, drainMs + ttlMs)).toEqual([`free ${token}`]);
  });

  it('is counted by a leader that begins from then on, whatever the last had counted', () => {
    const { token } = revokedAt(0);
    const next = stewardAt(900);
    expect(apply(next, 900 + drainMs - 1)).toEqual([]);
    expect(apply(next, 900 + drainMs)).toEqual([`uncover ${token}`]);
    const third = stewardAt(2_000);
    expect(apply(third, 2_000 + ttlMs - 1)).toEqual([]);
    expect(apply(third, 2_000 + ttlMs)).toEqual([`free ${token}`]);
  });

  it('that ends in time leaves nothing to decide', () => {
    const { steward, token, index } = revokedAt(0);
    desk.release('a', index);
    steward.onApplied(desk.changes(), 500);
    expect(apply(steward, 9_000)).toEqual([]);
    expect(steward.covers(token)).toBe(true);
  });

  it('goes on where the partition is to stay after all', () => {
    const { steward, token, index } = revokedAt(0);
    desk.end('b');
    desk.rebalance('b');
    steward.onApplied(desk.changes(), 500);
    expect(desk.at(index).home).toBe('a');
    expect(apply(steward, drainMs)).toEqual([`uncover ${token}`]);
  });

  it('of a partition beyond the end of the set comes to its end too', () => {
    desk.rebalance();
    desk.do('a', (seq) => [partitionOp.resize, seq, set, 1]);
    const steward = stewardAt(0);
    const { token } = desk.at(1);
    expect(apply(steward, drainMs)).toEqual(['rebalance ', `uncover ${token}`]);
    expect(apply(steward, drainMs + ttlMs)).toEqual([`free ${token}`]);
    expect(desk.set.partitions).toHaveLength(1);
  });
});
