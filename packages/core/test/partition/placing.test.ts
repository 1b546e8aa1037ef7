/** How operators place nodes, one order after the other: what lasts and what ends with a session. */
import { partitionOp, partitionResult, placing } from '../../src/partition/command.ts';
import { PartitionDesk, set } from './desk.ts';

const { done } = partitionResult;

let desk: PartitionDesk;
beforeEach(() => {
  desk = new PartitionDesk();
  for (const node of ['a', 'b']) desk.join(node);
  settle();
});

const place = (node: string, placed: number): number => desk.do('a', (seq) => [partitionOp.place, seq, set, node, placed]);

function settle(): void {
  desk.rebalance();
  desk.drainAll();
}

function restart(node: string): void {
  desk.end(node);
  desk.join(node);
  settle();
}

it.each([
  ['excluded, then drained', [placing.excluded, placing.drained]],
  ['drained, then excluded', [placing.drained, placing.excluded]],
  ['excluded, drained, then excluded again', [placing.excluded, placing.drained, placing.excluded]],
  ['excluded alone', [placing.excluded]],
])('keeps a node out that was %s, over a restart, until it is included', (_order, orders) => {
  for (const order of orders) expect(place('b', order)).toBe(done);
  settle();
  expect(desk.ownedBy('b')).toEqual([]);
  restart('b');
  expect(desk.ownedBy('b')).toEqual([]);
  place('b', placing.usual);
  settle();
  expect(desk.ownedBy('b')).toHaveLength(2);
});

it('gives a node back its share once its session has ended where it was drained alone', () => {
  place('b', placing.drained);
  settle();
  expect(desk.ownedBy('b')).toEqual([]);
  restart('b');
  expect(desk.ownedBy('b')).toHaveLength(2);
});
