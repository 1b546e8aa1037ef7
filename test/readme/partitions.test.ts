/** The shared work of README.md, run on a group in memory: one owner at a time, and the position goes with the partition. */
import { join, memoryTransport } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { firstValueFrom, filter } from 'rxjs';
import { shareTheWork } from './partitions.ts';

beforeEach(() => void jest.spyOn(console, 'log').mockImplementation(() => undefined));

test('goes on where the last owner stopped, and never has two of them (1 voter, 2 workers)', async () => {
  const transport = memoryTransport();
  const member = (node: string) => join({ group: 'g', node, voters: ['v'], transport, firstFounding: true, session: { ttlMs: 4_000 } });
  await using _voter = await member('v');
  await using first = await member('first');
  await using second = await member('second');
  const owners = new Map<number, string>();
  const overlaps: number[] = [];
  const begun = new Map<number, string | undefined>();
  const workOf = (node: string) => async (partition: number, from: string | undefined, _token: number, signal: AbortSignal) => {
    if (owners.has(partition)) overlaps.push(partition);
    owners.set(partition, node);
    if (node === 'second') begun.set(partition, from);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    owners.delete(partition);
    return `read by ${node}`;
  };
  const owned = (quorate: Quorate, count: number) =>
    firstValueFrom(quorate.partitions('orders', { count: 64 }).assignment$.pipe(filter((mine) => mine.length === count)));
  const work = [shareTheWork(first, workOf('first'))];
  await owned(first, 64);
  work.push(shareTheWork(second, workOf('second')));
  await owned(second, 32);
  await first.close();
  await owned(second, 64);
  expect(overlaps).toEqual([]);
  expect([...begun.values()]).toEqual(Array.from({ length: 64 }, () => 'read by first'));
  await second.close();
  await Promise.all(work);
});
