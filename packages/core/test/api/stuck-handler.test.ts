/** A handler that ignores the end of its lease, where the same process is granted its partition anew. Promise 6: it holds it not for ever. */
import type { PartitionHandler } from '../../src/api/partitions-contract.ts';
import { partitionOp, partitionResult } from '../../src/partition/command.ts';
import { systemHost } from '../../src/runtime/system-host.ts';
import type { EngineDouble } from './engine-double.ts';
import { first, gate, until, useGroup } from './group.ts';
import type { Gate } from './group.ts';
import { owning } from './owning.ts';

afterEach(() => jest.restoreAllMocks());

describe('a handler of a lost session that works on where its process is granted the partition anew (engine double)', () => {
  /** Granted under 7, lost with its session, granted again under 9; the handler ends when the gate is opened. */
  async function arrangeStuck(onDrainTimeout: 'fence' | 'exit' = 'fence') {
    const due: (() => void)[] = [];
    jest.spyOn(systemHost, 'startIdleTimer').mockImplementation((onDue) => {
      due.push(onDue);
      return {};
    });
    const ends: Gate[] = [];
    const world = owning(
      () => {
        const end = gate();
        ends.push(end);
        return end.promise;
      },
      { onDrainTimeout },
    );
    world.grant(7);
    await until(() => ends.length === 1);
    world.engine.loseSession();
    world.engine.openSession(2);
    world.grant(9);
    return { ...world, ends, due };
  }

  const opsOf = (engine: EngineDouble, kind: number) => engine.ops.filter(([it]) => it === kind);
  const refuse = (engine: EngineDouble) => opsOf(engine, partitionOp.refuse)[0]?.[1] ?? 0;

  test('is told of after the time of a drain, and the partition is refused under its new token', async () => {
    const { engine, quorate, events, ends, due, grant } = await arrangeStuck();
    // Each answer to a keep-alive says again that it is covered; it is waited for once.
    grant(9);
    expect(due).toHaveLength(1);
    expect(opsOf(engine, partitionOp.refuse)).toEqual([]);
    due[0]?.();
    expect(opsOf(engine, partitionOp.refuse)).toEqual([[partitionOp.refuse, expect.any(Number), 'orders', 0, 9]]);
    expect(events.filter(({ type }) => type === 'drainOverrun')).toEqual([
      { type: 'drainOverrun', name: 'orders', partition: 0, token: 7 },
    ]);
    expect(quorate.metrics().drainOverruns).toBe(1);
    // Word of the grant that is older than the refusal begins nothing.
    grant(9);
    ends[0]?.open();
    engine.answer([refuse(engine), partitionResult.done, 0, null]);
    await until(() => opsOf(engine, partitionOp.accept).length === 1);
    grant(9);
    expect(ends).toHaveLength(1);
    grant(10);
    await until(() => ends.length === 2);
  });

  test.each([
    ['its refusal', 'its handler', (engine: EngineDouble, end: Gate | undefined) => [() => answer(engine), () => end?.open()]],
    ['its handler', 'its refusal', (engine: EngineDouble, end: Gate | undefined) => [() => end?.open(), () => answer(engine)]],
  ])('is accepted again not with the end of %s, but once that of %s has come too', async (_first, _then, steps) => {
    const { engine, ends, due } = await arrangeStuck();
    due[0]?.();
    const [before, then] = steps(engine, ends[0]);
    before?.();
    await new Promise(setImmediate);
    expect(opsOf(engine, partitionOp.accept)).toEqual([]);
    then?.();
    await until(() => opsOf(engine, partitionOp.accept).length === 1);
    expect(opsOf(engine, partitionOp.accept)).toEqual([[partitionOp.accept, expect.any(Number), 'orders', 0]]);
  });

  function answer(engine: EngineDouble): void {
    engine.answer([refuse(engine), partitionResult.done, 0, null]);
  }

  test('ends the process where that was chosen', async () => {
    const exit = jest.spyOn(systemHost, 'exit').mockReturnValue(undefined);
    const { due } = await arrangeStuck('exit');
    expect(exit).not.toHaveBeenCalled();
    due[0]?.();
    expect(exit).toHaveBeenCalledTimes(1);
  });

  test('is no overrun where it ends in time, and its successor is at work by then', async () => {
    const { engine, types, ends, due } = await arrangeStuck();
    ends[0]?.open();
    await until(() => ends.length === 2);
    due[0]?.();
    expect(types()).not.toContain('drainOverrun');
    expect(opsOf(engine, partitionOp.refuse)).toEqual([]);
  });

  test('gives up no grant but the one that it kept waiting, each after a time of its own', async () => {
    const { engine, due, grant } = await arrangeStuck();
    engine.loseSession();
    engine.openSession(3);
    grant(11);
    due[0]?.();
    expect(opsOf(engine, partitionOp.refuse)).toEqual([]);
    due[1]?.();
    expect(opsOf(engine, partitionOp.refuse)).toEqual([[partitionOp.refuse, expect.any(Number), 'orders', 0, 11]]);
  });
});

describe('a stuck handler whose process was away for longer than its session (3 voters, 2 owners)', () => {
  const group = useGroup();

  test('holds its partition for the time of a drain more; then another owner has it, and its own process may again once it ends', async () => {
    await group().joinAll();
    const [d, e] = [await group().join('d'), await group().join('e')];
    const options = { count: 1, graceMs: 20_000 };
    const [ofD, ofE] = [d.partitions('orders', options), e.partitions('orders', options)];
    const end = gate();
    let calls = 0;
    const stuck: PartitionHandler = (owned) => {
      calls += 1;
      return calls === 1 ? end.promise : untilAborted(owned.signal);
    };
    void ofD.own(stuck, { drainTimeoutMs: 300 }).catch(() => undefined);
    await until(() => ofD.mine.length === 1);
    void ofE.own(({ signal }) => untilAborted(signal)).catch(() => undefined);
    group().bus.disconnect('d');
    await first(d.events$, ({ type }) => type === 'sessionLost');
    const overrun = first(d.events$, ({ type }) => type === 'drainOverrun');
    group().bus.reconnect('d');
    await overrun;
    await until(() => ofE.mine.length === 1);
    expect(calls).toBe(1);
    end.open();
    await ofE.pin(0, 'd');
    await until(() => ofD.mine.length === 1);
    expect(calls).toBe(2);
  });
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
