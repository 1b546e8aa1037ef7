/** A set that is asked for more than once in a process: the first call's options count, and no later call's are passed over in silence. */
import type { QuorateEvent } from '../../src/api/events.ts';
import type { PartitionsOptions } from '../../src/api/partitions-contract.ts';
import { arrange } from './arranged.ts';

const first: PartitionsOptions = { count: 10, graceMs: 2_000 };

function billing() {
  const { quorate } = arrange();
  const told: QuorateEvent[] = [];
  quorate.events$.subscribe((event) => event.type === 'parametersDiffer' && told.push(event));
  const ask = (options: PartitionsOptions) => quorate.partitions('billing', options);
  return { told, ask, set: ask(first) };
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

it.each([{ count: -5 }, { count: 10, graceMs: -1 }, { count: 10, settleMs: Number.NaN }, { count: 10, partitionOf: 7 }, null, undefined])(
  'refuses what cannot be, at first and again: %j',
  (options) => {
    const { ask } = billing();
    expect(() => ask(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(() => arrange().quorate.partitions('billing', options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  },
);
