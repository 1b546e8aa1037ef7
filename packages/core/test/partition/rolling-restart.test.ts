/** A rolling restart moves no more of the partitions than it has to (10 members, 100 partitions). */
import { PartitionDesk } from './desk.ts';

let desk: PartitionDesk;
beforeEach(() => {
  desk = new PartitionDesk();
});

describe('a rolling restart (10 members, 100 partitions)', () => {
  const members = Array.from({ length: 10 }, (_, index) => `n${index}`);

  /** How many partitions have another home than before, after each member went and came back in turn. */
  function movesOf(restart: (node: string) => void): number[] {
    for (const node of members) desk.join(node, { count: 100 });
    desk.rebalance();
    return members.map((node) => {
      const before = desk.set.partitions.map(({ home }) => home);
      restart(node);
      const moved = desk.set.partitions.filter(({ home }, index) => home !== before[index]).length;
      return moved;
    });
  }

  it('moves nothing while everybody is back within its grace', () => {
    const moves = movesOf((node) => {
      desk.end(node);
      desk.rebalance();
      desk.join(node);
      desk.rebalance();
      desk.drainAll();
    });
    expect(moves).toEqual(members.map(() => 0));
  });

  it('moves at most two shares for each member that is back only after its grace', () => {
    let moved = 0;
    const moves = movesOf((node) => {
      const before = desk.set.partitions.map(({ home }) => home);
      desk.end(node);
      desk.rebalance(node);
      desk.drainAll();
      const between = desk.set.partitions.map(({ home }) => home);
      desk.join(node);
      desk.rebalance();
      desk.drainAll();
      const steps = between.filter((home, index) => home !== before[index]).length + desk.set.partitions.filter(({ home }, index) => home !== between[index]).length; // prettier-ignore
      moved = Math.max(moved, steps);
    });
    expect(moved).toBeLessThanOrEqual(20);
    expect(Math.max(...moves)).toBeGreaterThan(0);
  });
});
