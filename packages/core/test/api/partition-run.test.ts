/** Handlers and the calls beside them, where leases end while they are at work: an owner over an engine double. */
import type { OwnedPartition } from '../../src/api/partitions-contract.ts';
import { partitionOp, partitionResult, phase } from '../../src/partition/command.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import type { EngineDouble } from './engine-double.ts';
import { gate, until } from './group.ts';
import { owning } from './owning.ts';

afterEach(() => jest.restoreAllMocks());

/** Pauses between attempts take no time. */
function withoutPauses(): void {
  const { startTimer } = systemHost;
  jest.spyOn(systemHost, 'startTimer').mockImplementation((onDue: () => void) => startTimer.call(systemHost, onDue, 1));
}

test('a call under a key begins nothing while its partition is being given up for its handler keeps failing', async () => {
  withoutPauses();
  const { engine, partitions, grant } = owning(() => {
    throw new Error('poison');
  });
  grant(7);
  const refusal = () => engine.ops.find((op) => op[0] === partitionOp.refuse);
  await until(() => refusal() !== undefined);
  let runs = 0;
  const call = partitions.whileOwned('k', () => void (runs += 1));
  engine.answer([refusal()?.[1] ?? 0, partitionResult.done, 0, null]);
  await expect(call).rejects.toMatchObject({ code: 'NOT_OWNER' });
  expect(runs).toBe(0);
});

test('a call under a key that is at work then is told and awaited before the partition goes', async () => {
  withoutPauses();
  const end = gate();
  const begun = gate<OwnedPartition>();
  const mayFail = gate();
  const { engine, partitions, grant } = owning(async () => {
    await mayFail.promise;
    throw new Error('poison');
  });
  grant(7);
  const call = partitions.whileOwned('k', async (owned) => {
    begun.open(owned);
    await end.promise;
  });
  const { signal } = await begun.promise;
  mayFail.open();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  expect(engine.ops.some((op) => op[0] === partitionOp.refuse)).toBe(false);
  end.open();
  await call;
  await until(() => engine.ops.some((op) => op[0] === partitionOp.refuse));
});

test('an overrun drain is told of, though it is the handler that finds its lease over', async () => {
  const begun = gate<OwnedPartition>();
  const { engine, grant, say, types } = owning((owned) => {
    begun.open(owned);
    return new Promise(() => undefined);
  });
  grant(7);
  const held = await begun.promise;
  say([0, phase.revoking, 'n', 7, 'b', null]);
  engine.covered.set(7, 0);
  expect(held.valid).toBe(false);
  expect(types()).toEqual(expect.arrayContaining(['partitionRevoked', 'drainOverrun', 'partitionLost']));
});

test('an overrun drain is told of, though its handler has settled and a call under a key has not', async () => {
  const { engine, grant, say, types, partitions } = owning(
    ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  );
  grant(7);
  const begun = gate();
  void partitions.whileOwned('k', () => {
    begun.open();
    return new Promise<void>(() => undefined);
  });
  await begun.promise;
  engine.covered.set(7, 30);
  say([0, phase.revoking, 'n', 7, 'b', null]);
  engine.covered.set(7, 0);
  await until(() => types().includes('drainOverrun'));
});

test('a session that ends during a drain is told of as lost, by the timer of the drain too, and is no overrun that ends the process (engine double)', async () => {
  const exit = jest.spyOn(systemHost, 'exit').mockReturnValue(undefined);
  const begun = gate<OwnedPartition>();
  const { engine, grant, say, types } = owning(
    (owned) => {
      begun.open(owned);
      return new Promise(() => undefined);
    },
    { onDrainTimeout: 'exit' },
  );
  grant(7);
  const { signal } = await begun.promise;
  engine.covered.set(7, 30);
  say([0, phase.revoking, 'n', 7, 'b', null]);
  // Nothing is answered any more: what covers the partition ends with the session, before the engine looks.
  engine.covered.set(7, 0);
  engine.remaining = 0;
  await until(() => types().includes('partitionLost'));
  engine.loseSession();
  expect(types().filter((type) => type === 'drainOverrun' || type === 'partitionLost')).toEqual(['partitionLost']);
  expect(exit).not.toHaveBeenCalled();
  expect(signal.reason).toMatchObject({ code: 'PARTITION_REVOKED' });
});

test.each([
  ['over', (engine: EngineDouble): void => void (engine.remaining = 0)],
  ['another one', (engine: EngineDouble): void => void (engine.session = 2)],
])(
  'a handler that asks for its lease where the session is %s finds it lost with that, and its drain did not overrun (engine double)',
  async (_what, end) => {
    const begun = gate<OwnedPartition>();
    const { engine, events, grant, say, types } = owning((owned) => {
      begun.open(owned);
      return new Promise(() => undefined);
    });
    grant(7);
    const held = await begun.promise;
    say([0, phase.revoking, 'n', 7, 'b', null]);
    engine.covered.set(7, 0);
    end(engine);
    expect(held.remainingMs).toBe(0);
    expect(types()).not.toContain('drainOverrun');
    expect(events.find(({ type }) => type === 'partitionLost')).toMatchObject({ token: 7, error: { code: 'SESSION_LOST' } });
  },
);

test('a lease that the handler finds over is told of as lost, and the handler is not started again', async () => {
  const begun = gate<OwnedPartition>();
  const end = gate();
  let calls = 0;
  const { engine, grant, types } = owning((owned) => {
    calls += 1;
    begun.open(owned);
    return end.promise;
  });
  grant(7);
  const held = await begun.promise;
  engine.covered.set(7, 0);
  expect(held.valid).toBe(false);
  end.open();
  await until(() => types().includes('partitionLost'));
  engine.loseSession();
  expect(calls).toBe(1);
  expect(types()).not.toContain('partitionFailed');
});

test('owning goes on through a lost majority as long as its session lives, and rejects with it after that', async () => {
  const begun = gate<OwnedPartition>();
  const { engine, own, grant, types } = owning((owned) => {
    begun.open(owned);
    return new Promise((resolve) => owned.signal.addEventListener('abort', () => resolve(), { once: true }));
  });
  grant(7);
  const held = await begun.promise;
  engine.status = { ...engine.status, majorityLost: { lost: ['b', 'c'], told: null } };
  engine.events.next({ type: 'majorityLost', founding: 'f', configuration: 1, lost: [] });
  expect([held.valid, held.signal.aborted, types().includes('partitionLost')]).toEqual([true, false, false]);
  engine.loseSession();
  await expect(own).rejects.toMatchObject({ code: 'MAJORITY_LOST' });
  expect(types()).toContain('partitionLost');
});

test('owning rejects where the transport is closed only once its handlers have settled', async () => {
  const end = gate();
  let hasSettled = false;
  const begun = gate();
  const { engine, own, grant } = owning(async () => {
    begun.open();
    await end.promise;
    hasSettled = true;
  });
  grant(7);
  await begun.promise;
  const settledFirst = own.then(
    () => false,
    () => hasSettled,
  );
  engine.events.next({ type: 'connection', status: 'closed' });
  end.open();
  expect(await settledFirst).toBe(true);
  await expect(own).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
});

test('a session that comes back starts no second handler beside the one that is still at work on the partition', async () => {
  let running = 0;
  let most = 0;
  const ends = [gate(), gate()];
  let calls = 0;
  const { engine, grant } = owning(async ({ signal }) => {
    running += 1;
    most = Math.max(most, running);
    const end = ends[calls];
    calls += 1;
    await end?.promise;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    running -= 1;
  });
  grant(7);
  await until(() => calls === 1);
  engine.loseSession();
  engine.openSession(2);
  grant(8);
  expect(calls).toBe(1);
  ends[0]?.open();
  await until(() => calls === 2);
  expect(most).toBe(1);
});

test('failures with another note between them are not failures in a row', async () => {
  withoutPauses();
  let calls = 0;
  const { engine, grant } = owning((owned) => {
    calls += 1;
    if (calls <= 12) owned.handOver(`read up to ${calls}`);
    throw new Error('one in a thousand');
  });
  grant(7);
  await until(() => engine.ops.some((op) => op[0] === partitionOp.refuse));
  expect(calls).toBe(12 + 4);
});

test('leaves before it gives back what was not begun, which the group would grant again to a member that stays', async () => {
  const stop = new AbortController();
  const { engine, say } = owning(() => undefined, { signal: stop.signal });
  const ops = () => engine.ops.filter(([kind]) => kind === partitionOp.leave || kind === partitionOp.release).map(([kind]) => kind);
  say([0, phase.owned, 'n', 7, 'n', null]);
  stop.abort();
  await new Promise(setImmediate);
  // The join may be chosen after whatever is asked for now.
  expect(ops()).toEqual([]);
  const join = engine.ops.find(([kind]) => kind === partitionOp.join);
  engine.answer([join?.[1] ?? 0, partitionResult.done, 0, null]);
  await until(() => ops().length === 2);
  expect(ops()).toEqual([partitionOp.leave, partitionOp.release]);
});

test('begins nothing under a token that it gave back, whatever word of it comes late (token 7, then 8)', async () => {
  const begun: number[] = [];
  const { engine, grant, say } = owning(({ token, signal }) => {
    begun.push(token);
    return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  });
  grant(7);
  await until(() => begun.length === 1);
  say([0, phase.revoking, 'n', 7, 'b', null]);
  const release = () => engine.ops.find((op) => op[0] === partitionOp.release);
  await until(() => release() !== undefined);
  engine.answer([release()?.[1] ?? 0, partitionResult.done, 0, null]);
  await new Promise((resolve) => setImmediate(resolve));
  // The lease may be covered for a while yet by what was answered before.
  grant(7);
  grant(8);
  await until(() => begun.includes(8));
  expect(begun).toEqual([7, 8]);
});
