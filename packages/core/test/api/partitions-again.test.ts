/** A set that is asked for more than once in a process: the first call's options count, and no later call's are passed over in silence. */
import type { QuorateEvent } from '../../src/api/events.ts';
import type { PartitionOf, PartitionParametersInfo, Partitions, PartitionsOptions } from '../../src/api/partitions-contract.ts';
import { partitionWatch } from '../../src/partition/command.ts';
import { arrange } from './arranged.ts';

const first: PartitionsOptions = { count: 10, graceMs: 2_000 };
const toFirst: PartitionOf = () => 0;
const toLast: PartitionOf = (_key, count) => count - 1;

function billing(options = first) {
  const { engine, quorate } = arrange();
  const told: QuorateEvent[] = [];
  quorate.events$.subscribe((event) => /^(parameters|partitionOf)Differs?$/.test(event.type) && told.push(event));
  const ask = (others: PartitionsOptions) => quorate.partitions('billing', others);
  const set = ask(options);
  /** The group says what the set was made with, to an owner or to whoever watches it all. */
  const say = (watch: string, theirs: PartitionParametersInfo): void => {
    engine.watchers.get(`${watch}billing`)?.({ resource: `${watch}billing`, version: 1, isFull: true, ...theirs, members: null, rows: [] });
  };
  return { told, ask, set, say };
}

it('tells of options that differ from those that count, once until others come', () => {
  const { told, ask, set } = billing();
  for (const options of [
    { count: 12, graceMs: 9 },
    { count: 12, graceMs: 9 },
  ])
    expect(ask(options)).toBe(set);
  const theirs = { count: 10, graceMs: 2_000, settleMs: 250 };
  expect(told).toEqual([{ type: 'parametersDiffer', name: 'billing', ours: { count: 12, graceMs: 9, settleMs: 250 }, theirs }]);
  ask({ ...first, settleMs: 1 });
  expect(told).toHaveLength(2);
});

it('tells of nothing where they are the same, said or left out', () => {
  const { told, ask } = billing();
  ask(first);
  ask({ count: 10, settleMs: 250 });
  expect(told).toEqual([]);
});

it.each([
  ['this process takes part', partitionWatch.own, (set: Partitions): void => void set.own(() => undefined).catch(() => undefined)],
  ['it is watched', partitionWatch.all, (set: Partitions): void => void set.ownership],
])("tells of the group's, once they are known, and of nothing where they are those or the first call's (%s)", (_how, watch, begin) => {
  const { told, ask, set, say } = billing();
  const theirs = { count: 8, graceMs: 5_000, settleMs: 250 };
  begin(set);
  say(watch, theirs);
  told.length = 0;
  for (const options of [first, theirs, { ...theirs, count: 10 }]) ask(options);
  expect(told).toEqual([]);
  ask({ ...first, graceMs: 5_001 });
  ask({ ...first, count: 8 });
  expect(told).toEqual([
    { type: 'parametersDiffer', name: 'billing', ours: { count: 10, graceMs: 5_001, settleMs: 250 }, theirs },
    { type: 'parametersDiffer', name: 'billing', ours: { count: 8, graceMs: 2_000, settleMs: 250 }, theirs },
  ]);
});

it('tells again of the same others where what counts has become another', () => {
  const { told, ask, set, say } = billing();
  void set.ownership;
  ask({ ...first, graceMs: 7 });
  say(partitionWatch.all, { count: 10, graceMs: 5_000, settleMs: 250 });
  ask({ ...first, graceMs: 7 });
  expect(told.map((event) => event.type === 'parametersDiffer' && event.theirs.graceMs)).toEqual([2_000, 5_000]);
});

it.each([
  ['another', toFirst, toLast],
  ['one beside none', undefined, toLast],
  ['none beside one', toFirst, undefined],
])('tells once that the first call says how keys are placed: %s', (_what, ours, others) => {
  const { told, ask, set } = billing(ours && { ...first, partitionOf: ours });
  ask(ours ? { ...first, partitionOf: ours } : first);
  expect(told).toEqual([]);
  const before = set.partitionOf('k');
  for (let times = 0; times < 2; times += 1) ask(others ? { ...first, partitionOf: others } : first);
  expect(told).toEqual([{ type: 'partitionOfDiffers', name: 'billing' }]);
  expect(set.partitionOf('k')).toBe(before);
});

it.each([{ count: -5 }, { count: 10, graceMs: -1 }, { count: 10, settleMs: Number.NaN }, { count: 10, partitionOf: 7 }, null, undefined])(
  'refuses what cannot be, at first and again: %j',
  (options) => {
    const { ask } = billing();
    expect(() => ask(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => arrange().quorate.partitions('billing', options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  },
);
