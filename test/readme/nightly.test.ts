/** The nightly job of README.md, run on a group in memory with nights that come when the test says so. */
import { join, memoryTransport, soloQuorate } from '@quorate/core';
import type { Quorate } from '@quorate/core';
import { firstValueFrom, filter } from 'rxjs';
import { runNightly } from './nightly.ts';

/** One pod with a cron of its own: `strike` is 03:00. */
function pod(quorate: Quorate, reports: number[]) {
  let job: () => Promise<void> = () => Promise.resolve();
  runNightly(
    quorate,
    (_at, given) => (job = given),
    async (token) => void reports.push(token),
  );
  return { strike: () => job() };
}

async function untilLeads(quorate: Quorate, node: string): Promise<void> {
  await firstValueFrom(quorate.election('nightly').leader$.pipe(filter(({ leader }) => leader === node)));
}

beforeEach(() => void jest.spyOn(console, 'log').mockImplementation(() => undefined));

test('runs once for a night, though the leader is struck twice (1 voter)', async () => {
  await using quorate = await soloQuorate();
  const reports: number[] = [];
  const { strike } = pod(quorate, reports);
  await untilLeads(quorate, 'solo');
  await strike();
  await strike();
  expect(reports).toHaveLength(1);
});

test('runs once for a night on two pods, though the one that ran it is gone when the other clock strikes (1 voter, 2 clients)', async () => {
  const transport = memoryTransport();
  const member = (node: string) => join({ group: 'g', node, voters: ['v'], transport, firstFounding: true, session: { ttlMs: 4_000 } });
  await using _voter = await member('v');
  await using first = await member('first');
  await using second = await member('second');
  const reports: number[] = [];
  const early = pod(first, reports);
  await untilLeads(first, 'first');
  const late = pod(second, reports);
  await early.strike();
  await late.strike();
  await first.close();
  await untilLeads(second, 'second');
  await late.strike();
  expect(reports).toHaveLength(1);
});
