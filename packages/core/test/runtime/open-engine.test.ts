/** The loop: what leaves when, what is refused, and how a voter stops. */
import { isPartitionsState } from '../../src/operation.ts';
import { encodeFrame } from '../../src/codec/frame-codec.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { isQuorateError } from '../../src/errors.ts';
import type { MemberRecord } from '../../src/group/member.ts';
import { memoryDisk, volatileStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { memoryTransport } from '../../src/transport/memory.ts';
import type { Channel } from '../../src/transport/transport.ts';
import { acquire, Engines, granted, hasSession, next } from './engines.ts';

const stranger = { group: 'g', founding: 'elsewhere', configuration: 1, node: 'z', incarnation: 'z1', run: 1 };

/** A storage whose writes wait until they are let through. */
function slowStorage(): { readonly storage: Storage; readonly waiting: (() => void)[]; readonly written: MemberRecord[]; open: boolean } {
  const state = { waiting: [] as (() => void)[], written: [] as MemberRecord[], open: true };
  const storage: Storage = {
    ...volatileStorage(),
    append: (records) => {
      if (state.open) return void state.written.push(...records);
      return new Promise<void>((resolve) => {
        state.waiting.push(() => {
          state.written.push(...records);
          resolve();
        });
      });
    },
  };
  return Object.assign(state, { storage });
}

describe('the loop', () => {
  let engines: Engines;

  beforeEach(() => {
    engines = new Engines();
  });

  afterEach(() => engines.stop());

  async function wire(onFrame: (bytes: Uint8Array) => void = () => undefined): Promise<Channel> {
    return engines.transport.open({
      group: 'g',
      node: 'z',
      voters: ['a', 'b', 'c'],
      onFrame,
      onStatus: () => undefined,
      onEvent: () => undefined,
    });
  }

  it('grants to a client through a leader in another node (3 voters, 1 client)', async () => {
    const [, , , client] = await engines.startAll(['a', 'b', 'c', 'x']);
    expect((await granted(client!, 'one'))[1]).toBe(resultCode.granted);
  });

  it('sends nothing that rests on a write before the write is durable (1 voter)', async () => {
    const slow = slowStorage();
    const voters = ['a'];
    const a = await engines.start('a', { storage: slow.storage, voters });
    await hasSession(a);
    slow.open = false;
    let answered = false;
    const outcome = granted(a, 'one').then((result) => {
      answered = true;
      return result;
    });
    while (slow.waiting.length === 0) await new Promise(setImmediate);
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(answered).toBe(false);
    slow.open = true;
    for (const write of slow.waiting.splice(0)) write();
    expect((await outcome)[1]).toBe(resultCode.granted);
    expect(slow.written.some(({ type }) => type === 'voted')).toBe(true);
  });

  it('stops a voter whose storage fails, and says why (1 voter)', async () => {
    const broken: Storage = { ...volatileStorage() };
    const a = await engines.start('a', { storage: broken, voters: ['a'] });
    await hasSession(a);
    broken.append = () => Promise.reject(new Error('disk gone'));
    const stopped = next(a, 'stopped');
    const outcome = acquire(a, 'one');
    const { error } = await stopped;
    expect(isQuorateError(error, 'STORAGE_FAILED')).toBe(true);
    expect(await outcome).toEqual({ type: 'sessionLost', reason: 'closed' });
    expect(() =>
      a.submit(
        () => [1, 1, 'l/x', 0, 0, null],
        () => undefined,
      ),
    ).toThrow(/closed/);
  });

  it('refuses frames of strangers, counts them, and takes the next good one (3 voters)', async () => {
    const [a] = await engines.startAll(['a', 'b', 'c']);
    const refused = next(a!, 'frameRefused');
    const channel = await wire();
    channel.send([{ to: { type: 'node', node: 'a' }, bytes: new TextEncoder().encode('{"hello":"world"}') }]);
    expect((await refused).code).toBe('foreign');
    const otherGroup = next(a!, 'frameRefused');
    channel.send([{ to: { type: 'node', node: 'a' }, bytes: encodeFrame({ ...stranger, group: 'h', messages: [] }) }]);
    expect((await otherGroup).code).toBe('group');
    const otherFounding = next(a!, 'foreignFounding');
    const fetch = { type: 'fetch', from: 1, to: 2 } as const;
    channel.send([{ to: { type: 'node', node: 'a' }, bytes: encodeFrame({ ...stranger, messages: [fetch] }) }]);
    expect(await otherFounding).toMatchObject({ node: 'z', founding: 'elsewhere' });
    expect(a!.counters.framesRefused).toBe(2);
    expect((await granted(a!, 'one'))[1]).toBe(resultCode.granted);
  });

  it('reads no unsealed frame in a group with secrets, and works with rotated ones (3 voters)', async () => {
    const [old, fresh] = ['an old secret, long enough', 'a fresh secret, long enough'] as const;
    const [a, b, c] = await Promise.all([
      engines.start('a', { secrets: [old] }),
      engines.start('b', { secrets: [old, fresh] }),
      engines.start('c', { secrets: [old, fresh] }),
    ]);
    await Promise.all([a, b, c].map((engine) => hasSession(engine!)));
    const refused = next(a!, 'frameRefused');
    const channel = await wire();
    channel.send([{ to: { type: 'node', node: 'a' }, bytes: encodeFrame({ ...stranger, messages: [] }) }]);
    expect((await refused).code).toBe('unsealed');
    expect((await granted(b!, 'one'))[1]).toBe(resultCode.granted);
  });

  it('drops surplus frames, says so, and lives on (3 voters, mailbox of 20)', async () => {
    const [a, b] = await engines.startAll(['a', 'b', 'c'], { mailboxMax: 20 });
    const channel = await wire();
    const overload = next(a!, 'overload');
    const bytes = encodeFrame({ ...stranger, messages: [] });
    channel.send(Array.from({ length: 10_000 }, () => ({ to: { type: 'node', node: 'a' } as const, bytes: bytes.slice() })));
    expect((await overload).dropped).toBeGreaterThan(0);
    expect((await granted(b!, 'one'))[1]).toBe(resultCode.granted);
  });

  it('finds promises and votes again after a restart with its disk, under the same incarnation (3 voters)', async () => {
    const disk = memoryDisk();
    const [a] = await Promise.all([engines.start('a', { storage: disk }), engines.start('b'), engines.start('c')]);
    await hasSession(a!);
    const token = (await granted(a!, 'one'))[2];
    await a!.close(5_000);
    const again = await engines.start('a', { storage: disk });
    await hasSession(again);
    expect(again.status.role).not.toBe('client');
    expect((await granted(again, 'one'))[2]).toBeGreaterThan(token);
  });

  it('hands leadership over and ends its session when it closes (3 voters)', async () => {
    const all = await engines.startAll(['a', 'b', 'c']);
    const leader = all.find(({ status }) => status.role === 'leader')!;
    const other = all.find((engine) => engine !== leader)!;
    await granted(leader, 'one');
    const successor = new Promise<void>((resolve) => {
      for (const engine of all) if (engine !== leader) engine.events$.subscribe(({ type }) => type === 'serving' && resolve());
    });
    expect(await leader.close(10_000)).toEqual({ sessionClosed: true });
    await successor;
    expect((await granted(other, 'one'))[1]).toBe(resultCode.granted);
  });

  it('leaves no session behind that it asked for before the group was open (3 voters, 1 client)', async () => {
    const closed = { firstFounding: false };
    const [a, , , x] = await Promise.all(['a', 'b', 'c', 'x'].map((node) => engines.start(node, closed)));
    expect((await next(x!, 'sessionRefused')).reason).toBe('closed');
    expect(await x!.endSession(1_000)).toBe(true);
    await x!.close(0);
    await hasSession(a!);
    // Whatever was asked for before this was answered before it.
    await granted(a!, 'one');
    expect(a!.members.clients).toEqual([]);
  });

  it('tells every waiting request when the session is lost, and opens another (3 voters, 1 client cut off)', async () => {
    const [, , , x] = await engines.startAll(['a', 'b', 'c', 'x']);
    const y = await engines.start('y');
    await hasSession(y);
    await granted(y, 'one');
    const waiting = acquire(x!, 'one');
    const before = x!.session;
    engines.bus.disconnect('x');
    expect(await waiting).toMatchObject({ type: 'sessionLost' });
    expect(x!.remainingMs()).toBe(0);
    engines.bus.reconnect('x');
    await hasSession(x!);
    expect(x!.session).toBeGreaterThan(before ?? 0);
  });

  it.each(['the leader', 'a client'])('cuts a burst of one turn to what frames hold (3 voters, frames of 16 KiB, at %s)', async (where) => {
    const transport = memoryTransport({ bus: engines.bus, frameBytesMax: 16_384 });
    const all = await engines.startAll(['a', 'b', 'c', 'x'], { transport });
    const caller = where === 'a client' ? all[3]! : all.find(({ status }) => status.role === 'leader')!;
    const names = Array.from({ length: 300 }, (_, index) => `${'n'.repeat(100)}${index}`);
    const results = await Promise.all(names.map((name) => granted(caller, name)));
    expect(results.every(([, code]) => code === resultCode.granted)).toBe(true);
  });

  it('reveals more grants and watched states at once than one frame holds (3 voters, 2 clients, frames of 16 KiB)', async () => {
    const transport = memoryTransport({ bus: engines.bus, frameBytesMax: 16_384 });
    const [, , , x, y] = await engines.startAll(['a', 'b', 'c', 'x', 'y'], { transport });
    const names = Array.from({ length: 60 }, (_, index) => `lock ${index}`);
    const held = await Promise.all(names.map((name) => granted(x!, name)));
    const waiting = Promise.all(names.map((name) => granted(y!, name)));
    const seen = new Set<string>();
    const allSeen = new Promise<void>((resolve) => {
      for (const name of names) {
        y!.watch(`l/${name}`, (state) => {
          const { resource } = state;
          if (!isPartitionsState(state) && state.note !== null && seen.add(resource).size === names.length) resolve();
        });
      }
    });
    names.forEach((name, index) => {
      x!.submit(
        (seq) => [lockOp.release, seq, `l/${name}`, held[index]![2], 'n'.repeat(1_000)],
        () => undefined,
      );
    });
    expect((await waiting).map(([, , , previous]) => previous)).toEqual(names.map(() => 'n'.repeat(1_000)));
    await allSeen;
    expect(seen.size).toBe(names.length);
  });
});
