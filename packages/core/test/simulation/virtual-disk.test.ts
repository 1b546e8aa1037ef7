/** The disk of the simulation keeps the contract of the storage port where a write of it fails: that is the last of its run. */
import type { Storage } from '../../src/storage/storage.ts';
import { Schedule } from '../../src/simulation/schedule.ts';
import { VirtualDisk } from '../../src/simulation/virtual-disk.ts';
import { snapshotOf, votesOf } from '../../src/storage/conformance-seat.ts';

const failed = { code: 'STORAGE_FAILED' };

async function diskOfARun(kind: 'instant' | 'slow'): Promise<{ disk: VirtualDisk; run: Storage; schedule: Schedule }> {
  const schedule = new Schedule();
  const disk = new VirtualDisk(kind, schedule);
  const run = disk.open();
  await run.load(() => 'first');
  return { disk, run, schedule };
}

async function memoryOf(disk: VirtualDisk): Promise<unknown> {
  disk.crash();
  return (await disk.open().load(() => 'another')).memory;
}

describe.each(['instant', 'slow'] as const)('a run of the %s disk whose write failed', (kind) => {
  it.each([
    { writes: 'unwritten', kept: 1 },
    { writes: 'written', kept: 2 },
  ] as const)('writes nothing more, and leaves what was $writes to the next ($kept votes)', async ({ writes, kept }) => {
    const { disk, run, schedule } = await diskOfARun(kind);
    const first = run.append(votesOf(1, 2));
    schedule.take(Infinity)?.happen();
    await first;
    disk.failsNext = writes;
    await expect(run.append(votesOf(2, 3))).rejects.toMatchObject(failed);
    await expect(run.append(votesOf(3, 4))).rejects.toMatchObject(failed);
    await expect(run.compact(snapshotOf(3, 1), [])).rejects.toMatchObject(failed);
    await expect(run.discard()).rejects.toMatchObject(failed);
    expect(await memoryOf(disk)).toMatchObject({ position: kept });
    expect(await memoryOf(disk)).not.toHaveProperty('snapshot');
  });
});

describe('what is under way on the slow disk', () => {
  it('is not finished once a write of its run failed, where it is a snapshot (1 snapshot)', async () => {
    const { disk, run, schedule } = await diskOfARun('slow');
    const compacted = run.compact(snapshotOf(3, 1), []);
    disk.failsNext = 'unwritten';
    await expect(run.append(votesOf(4, 5))).rejects.toMatchObject(failed);
    schedule.take(Infinity)?.happen();
    await expect(compacted).rejects.toMatchObject(failed);
    await expect(run.compact(snapshotOf(4, 1), [])).rejects.toMatchObject(failed);
    expect(await memoryOf(disk)).not.toHaveProperty('snapshot');
  });

  it('is not followed by a write that failed and was written, where an earlier one is lost (2 appends, 1 crash)', async () => {
    const { disk, run } = await diskOfARun('slow');
    void run.append(votesOf(1, 2));
    disk.failsNext = 'written';
    await expect(run.append(votesOf(2, 3))).rejects.toMatchObject(failed);
    expect(await memoryOf(disk)).toMatchObject({ position: 0 });
  });
});
