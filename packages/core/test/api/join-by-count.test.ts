/** Joining a group whose voters have no names that are known before: the broker's log decides who they are. The safety rule 22. */
import { MemoryArbiter } from '../../src/arbiter/memory.ts';
import { QuorateError } from '../../src/errors.ts';
import { memoryDisk } from '../../src/storage/memory.ts';
import { workerTransport } from '../../src/transport/worker.ts';
import { first, rejection, useGroup } from './group.ts';

const voters = { count: 3 } as const;
const random = (): string => `pod-${Math.random().toString(36).slice(2, 10)}`;
const pods = (count: number): string[] => Array.from({ length: count }, random);

describe('joining by count', () => {
  const group = useGroup();

  test('makes a group of those that come, and a lock has one holder (3 processes with random names)', async () => {
    const members = await group().joinAll(pods(3), { voters });
    const names = members.map(({ node }) => node).sort();
    expect(members.filter(({ status }) => status.role === 'leader')).toHaveLength(1);
    for (const { status } of members) expect(status).toMatchObject({ stage: 'open', seat: 'held', voters: names, candidates: undefined });
    const lease = await members[0]?.lock('l').acquire();
    expect(await members[1]?.lock('l').tryAcquire()).toBeUndefined();
    expect(lease?.valid).toBe(true);
  });

  test('finds the group that is there, and adds no voter to it (3 processes and a fourth)', async () => {
    const members = await group().joinAll(pods(3), { voters });
    const fourth = await group().join(random(), { voters });
    expect(fourth.status).toMatchObject({ stage: 'open', voters: members.map(({ node }) => node).sort() });
    expect(['client', 'standby']).toContain(fourth.status.role);
  });

  test('makes one group of two sets that start at once (6 processes)', async () => {
    const members = await group().joinAll([...pods(3), ...pods(3)], { voters });
    const foundings = new Set(members.map(({ status }) => status.voters.join()));
    expect(foundings.size).toBe(1);
    expect(members.filter(({ status }) => status.seat === 'held')).toHaveLength(3);
    for (const { status } of members) expect(status.session).toBe('healthy');
  });

  test('does not count a process that wants no seat (3 processes, and a client whose name comes first)', async () => {
    const client = group().join('a', { voters, standby: false });
    const members = await group().joinAll(pods(3), { voters });
    expect((await client).status).toMatchObject({ role: 'client', seat: undefined, voters: members.map(({ node }) => node).sort() });
  });

  test('lets others have a seat than those that founded it, for no names bind it (3 processes, 2 that stand by)', async () => {
    const members = await group().joinAll(pods(3), { voters });
    for (const node of pods(2)) {
      const standby = await group().join(node, { voters });
      await members[0]?.addVoter(node);
      await first(standby.status$, ({ seat, ready }) => seat === 'held' && ready);
    }
    for (const { node } of members.slice(1)) await members[0]?.removeVoter(node);
    await first(members[0]!.status$, (status) => status.voters.length === 3 && status.voters.filter((name) => members.some(({ node }) => node === name)).length === 1); // prettier-ignore
    expect((await members[1]?.lock('l').acquire())?.valid).toBe(true);
  });

  test('founds nothing with too few, and says how many are seen (2 of 3 processes)', async () => {
    const joining = pods(2).map((node) => group().join(node, { voters, timeoutMs: 700 }));
    const errors = await Promise.all(joining.map((it) => rejection(it, 'JOIN_TIMEOUT')));
    for (const { details, message } of errors) {
      expect(details).toMatchObject({ candidates: { seen: 2, wanted: 3 }, stage: 'founding' });
      expect(message).toContain('2 of 3 candidates seen');
    }
  });

  test('with counts that differ founds nothing, and both say so (one process that wants 2, one that wants 3)', async () => {
    const lines: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, text: string) => void lines.push(text),
    };
    const asks = group().join('c', { voters, timeoutMs: 900, logger });
    const alone = group().join('a', { voters: { count: 2 }, timeoutMs: 900, logger });
    const [three, two] = await Promise.all([rejection(asks, 'VOTERS_DIFFER'), rejection(alone, 'VOTERS_DIFFER')]);
    expect(three.details).toEqual({ ours: { count: 3 }, theirs: { count: 2 } });
    expect(two.details).toEqual({ ours: { count: 2 }, theirs: { count: 3 } });
    expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/wants the voters any 2; this process wants any 3/), expect.stringMatching(/wants the voters any 3; this process wants any 2/)])); // prettier-ignore
  });

  test('beside a process that names its voters founds nothing with it (2 processes that count, one that names)', async () => {
    const asks = ['a', 'b'].map((node) => group().join(node, { voters, timeoutMs: 700 }));
    const names = group().join('c', { timeoutMs: 700 });
    await Promise.all([...asks, names].map((it) => rejection(it, 'VOTERS_DIFFER')));
  });

  test('opens at once only by the user’s word, for an empty log proves nothing about a group by names (3 processes)', async () => {
    const joining = pods(3).map((node) => group().join(node, { voters, firstFounding: false, timeoutMs: 900 }));
    const errors = await Promise.all(joining.map((it) => rejection(it, 'JOIN_TIMEOUT')));
    expect(errors.map(({ details }) => details['stage'])).toEqual(['opening', 'opening', 'opening']);
  });

  test('fails with what the log says where it cannot decide (1 process)', async () => {
    const lost = { read: () => Promise.reject(new QuorateError('ARBITER_CORRUPT', 'Its beginning is gone.')), append: () => Promise.resolve(false), close: () => Promise.resolve() }; // prettier-ignore
    await rejection(group().join('a', { voters, arbiter: lost }), 'ARBITER_CORRUPT');
    const away = { ...lost, read: () => Promise.reject(new QuorateError('TRANSPORT_FAILED', 'The broker is away.')) };
    const { message } = await rejection(group().join('b', { voters, arbiter: away, timeoutMs: 300 }), 'JOIN_TIMEOUT');
    expect(message).toContain('The broker is away.');
  });

  test('does not read an entry of a later version, nor found beside it (3 processes)', async () => {
    const kept = new MemoryArbiter();
    kept.records.push(Uint8Array.of(2, 0xc0));
    const joining = pods(3).map((node) => group().join(node, { voters, arbiter: kept.open() }));
    const errors = await Promise.all(joining.map((it) => rejection(it, 'ARBITER_CORRUPT')));
    for (const { message } of errors) expect(message).toContain('version 2');
    expect(kept.records).toHaveLength(1);
  });

  test('founds nothing on a log that was cleared while the group lives (3 processes, 3 more)', async () => {
    const kept = new MemoryArbiter();
    const members = await group().joinAll(pods(3), { voters, arbiter: kept.open() });
    kept.records = [];
    const joining = pods(3).map((node) => group().join(node, { voters, arbiter: kept.open() }));
    const errors = await Promise.all(joining.map((it) => rejection(it, 'ARBITER_CORRUPT')));
    for (const { message } of errors) expect(message).toContain('belongs to a living group');
    expect(kept.records).toEqual([]);
    for (const { status } of members) expect(status.session).toBe('healthy');
  });

  test('comes back as the same group where its voters remember (3 processes with storages, stopped and started)', async () => {
    const disks = new Map(['a', 'b', 'c'].map((node) => [node, memoryDisk()]));
    const start = () => Promise.all([...disks].map(([node, disk]) => group().join(node, { voters, storage: disk.open() })));
    const before = await start();
    const token = (await before[0]?.lock('l').acquire())?.token ?? 0;
    await Promise.all(before.map((one) => one.close({ timeoutMs: 500 })));
    const after = await start();
    expect(after.map(({ status }) => status.seat)).toEqual(['held', 'held', 'held']);
    expect((await after[1]?.lock('l').acquire())?.token).toBe(token + 1);
  });

  test('gives a voter that comes back empty its seat again (3 processes, one wiped)', async () => {
    const members = await group().joinAll(['a', 'b', 'c'], { voters });
    group().bus.disconnect('b');
    await first(members[0]!.status$, ({ missing }) => missing.includes('b'));
    await members[1]?.close({ timeoutMs: 0 });
    group().bus.heal();
    const again = await group().join('b', { voters });
    await first(again.status$, ({ seat, ready }) => seat === 'held' && ready);
  });

  test.each([
    [{ count: 0 }, /must be a whole number from 1 to 15/],
    [{ count: 2.5 }, /must be a whole number from 1 to 15/],
    [{ count: 16 }, /must be a whole number from 1 to 15/],
    [{ count: 1 }, /lost for good/],
    [{}, /array of node names, or { count }/],
  ])('refuses %j', async (wrong, says) => {
    expect((await rejection(group().join('a', { voters: wrong as never }), 'INVALID_OPTIONS')).message).toMatch(says);
  });

  test('by one voter alone works with a storage (1 process, started twice)', async () => {
    const disk = memoryDisk();
    for (let start = 0; start < 2; start += 1) {
      const one = await group().join('a', { voters: { count: 1 }, storage: disk.open() });
      expect(one.status.role).toBe('leader');
      await one.close({ timeoutMs: 500 });
    }
  });

  test('says so where the transport has nothing that could decide', async () => {
    const transport = workerTransport();
    expect((await rejection(group().join('a', { voters, transport }), 'INVALID_OPTIONS')).message).toContain('"worker" has none');
  });
});
