/** A set of 1,024 partitions among 50 members: one more comes, and only what moves is told of. What that costs in frames: `group/replan-frames.test.ts`. */
import { PartitionDesk, set } from './desk.ts';

it('plans 1,024 partitions anew for 50 members in one step, and each member is told once', () => {
  const desk = new PartitionDesk();
  for (let index = 0; index < 50; index += 1) desk.join(`n${index}`, { count: 1_024 });
  desk.rebalance();
  desk.changes();
  desk.join('n50');
  desk.rebalance();
  const moving = desk.set.partitions.filter(({ isRevoked }) => isRevoked);
  expect(moving).toHaveLength(Math.floor(1_024 / 51));
  const told = desk.changes().get(set)?.byNode ?? new Map<string, Set<number>>();
  expect(new Set(told.keys())).toEqual(new Set(moving.map(({ node }) => node)));
  for (const [node, partitions] of told) {
    expect([...partitions]).toEqual(moving.filter((partition) => partition.node === node).map(({ index }) => index));
  }
  expect(desk.changes().size).toBe(0);
  desk.drainAll();
  const loads = [...desk.sessions.keys()].map((node) => desk.ownedBy(node).length);
  expect([Math.min(...loads), Math.max(...loads)]).toEqual([20, 21]);
});
