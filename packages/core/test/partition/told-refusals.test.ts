/** What watchers of a whole set are told of refusals: each as it comes and as it ends, whatever ends it. */
import { partitionOp } from '../../src/partition/command.ts';
import type { PartitionRow } from '../../src/partition/command.ts';
import { changedState, partsOf, wholeState } from '../../src/partition/partition-state.ts';
import { PartitionDesk, set } from './desk.ts';

const watcher = { resource: `p/${set}`, session: 0, slot: 1 };
const refusalsIn = (rows: readonly PartitionRow[]) => rows.filter((row) => row[6]).map((row) => `${row[0]} ${row[6]?.join()}`);

let desk: PartitionDesk;
beforeEach(() => {
  desk = new PartitionDesk();
  for (const node of ['a', 'b']) desk.join(node);
  desk.rebalance();
  desk.do('a', (seq) => [partitionOp.refuse, seq, set, mine(), desk.at(mine()).token]);
});

/** A partition of `a`. */
const mine = (): number => desk.ownedBy('a')[0] ?? -1;

/** Every row that the last steps changed. */
function told(): readonly PartitionRow[] {
  const changes = desk.changes().get(set);
  return changes === undefined ? [] : changedState(desk.set, changes, watcher).rows;
}

it('is the node that refused, at once and to whoever comes later', () => {
  const [refused = ''] = refusalsIn(told());
  expect(refused).toMatch(/^\d a$/);
  expect(refusalsIn(wholeState(desk.set, watcher).rows)).toEqual([refused]);
});

it.each<[string, () => unknown]>([
  ['it accepts the partition again', () => desk.do('a', (seq) => [partitionOp.accept, seq, set, refusedPartition()])],
  ['its session ends', () => desk.end('a')],
])('is nothing more once %s', (_, end) => {
  const partition = refusedPartition();
  told();
  end();
  const row = told().find(([index]) => index === partition);
  expect(row).toBeDefined();
  expect(row?.[6]).toBeUndefined();
  expect(refusalsIn(wholeState(desk.set, watcher).rows)).toEqual([]);
});

it('comes in parts that count every name beside the rows', () => {
  const whole = wholeState(desk.set, watcher);
  const parts = partsOf(whole, 2);
  expect(parts.flatMap(({ rows }) => rows)).toEqual(whole.rows);
  expect(parts.every(({ rows }) => rows.length + refusalsIn(rows).length <= 2)).toBe(true);
  expect(parts.map(({ isFull }) => isFull)).toEqual([true, false, false]);
});

const refusedPartition = (): number => [...desk.set.refusals.keys()][0] ?? -1;
