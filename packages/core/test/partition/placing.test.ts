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

it('keeps a node excluded that is drained after it, over a restart, until it is included', () => {
  expect(place('b', placing.excluded)).toBe(done);
  expect(place('b', placing.drained)).toBe(done);
  settle();
  restart('b');
  expect(desk.ownedBy('b')).toEqual([]);
  place('b', placing.usual);
  settle();
  expect(desk.ownedBy('b')).toHaveLength(2);
});

it('keeps a node excluded that was drained before it, over a restart, until it is included', () => {
  place('b', placing.drained);
  place('b', placing.excluded);
  settle();
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
