/** An owner of a set of one partition over an engine double: a test says what the group says, and what keep-alives cover. */
import type { QuorateEvent } from '../../src/api/events.ts';
import type { OwnOptions, PartitionHandler } from '../../src/api/partitions-contract.ts';
import { phase } from '../../src/partition/command.ts';
import type { PartitionRow } from '../../src/partition/command.ts';
import { arrange } from './arranged.ts';

export function owning(handler: PartitionHandler, options: OwnOptions = {}) {
  const { engine, quorate } = arrange();
  const events: QuorateEvent[] = [];
  quorate.events$.subscribe((event) => events.push(event));
  const partitions = quorate.partitions('orders', { count: 1, partitionOf: () => 0 });
  const own = partitions.own(handler, options);
  own.catch(() => undefined);
  const say = (row: PartitionRow): void => {
    engine.watchers.get('o/orders')?.({
      resource: 'o/orders',
      version: 1,
      isFull: false,
      count: 1,
      graceMs: 2_000,
      settleMs: 250,
      members: null,
      rows: [row],
    });
  };
  const grant = (token: number): void => {
    engine.covered.set(token, 60_000);
    say([0, phase.owned, 'n', token, 'n', null]);
    for (const listener of engine.coverListeners) listener(new Set([token]));
  };
  const types = () => events.map(({ type }) => type);
  return { engine, quorate, events, partitions, own, say, grant, types };
}
