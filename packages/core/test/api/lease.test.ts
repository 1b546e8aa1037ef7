/** Leases against an engine whose answers the test gives by hand. */
import { channel } from 'node:diagnostics_channel';
import { diagnosticsChannels } from '../../src/api/diagnostics.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import { QuorateError } from '../../src/errors.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import { arrangeLease } from './arranged.ts';
import type { EngineDouble } from './engine-double.ts';
import { first, rejection, until } from './group.ts';

describe('a lease', () => {
  test('is over for good once its time ran out, even if more is left later', async () => {
    const { engine, lease } = await arrangeLease();
    engine.remaining = 0;
    expect(lease.valid).toBe(false);
    engine.remaining = 1_000;
    expect(lease.valid).toBe(false);
    expect(lease.remainingMs).toBe(0);
    expect(lease.signal.aborted).toBe(true);
    expect((await lease.lost).code).toBe('SESSION_LOST');
  });

  test('does not live on under the next session', async () => {
    const { engine, lease } = await arrangeLease();
    engine.session = 2;
    expect(lease.valid).toBe(false);
  });

  test('lost with its session fires its signal with SESSION_LOST, resolves `lost` and is told of', async () => {
    const { engine, quorate, lease } = await arrangeLease();
    const { signal, lost } = lease;
    const told = first(quorate.events$, (event) => event.type === 'leaseLost');
    engine.loseSession();
    expect(signal.reason).toMatchObject({ code: 'SESSION_LOST' });
    expect((await lost).code).toBe('SESSION_LOST');
    expect(await told).toMatchObject({ kind: 'lock', name: 'l', token: 7, code: 'SESSION_LOST' });
    expect(await lease.release()).toBe('lost');
    expect(quorate.metrics()).toMatchObject({ losses: 1, held: 0 });
  });

  test('is no longer valid from the call of release on, and names its token', async () => {
    const { engine, lease } = await arrangeLease();
    const releasing = lease.release({ note: 'done' });
    expect(lease.valid).toBe(false);
    expect(engine.ops[1]).toEqual([lockOp.release, 2, 'l/l', 7, 'done']);
    engine.answer([2, resultCode.done, 0, null]);
    expect(await releasing).toBe('released');
    expect(await lease.release()).toBe('released');
    expect(engine.ops).toHaveLength(2);
    expect(lease.signal.aborted).toBe(false);
  });

  test('released while the session is lost is lost', async () => {
    const { engine, lease } = await arrangeLease();
    const releasing = lease.release();
    engine.loseSession();
    expect(await releasing).toBe('lost');
  });

  test.each([
    ['the loss of its session', (engine: EngineDouble) => engine.loseSession(), 'SESSION_LOST'],
    ['the word of the group', (engine: EngineDouble) => engine.answer([2, resultCode.notHeld, 0, null]), 'NOT_HELD'],
  ] as const)('whose disposal fails through %s is lost, counted, published and told of once', async (_what, fail, code) => {
    const { engine, quorate, lease } = await arrangeLease();
    const events: QuorateEvent[] = [];
    quorate.events$.subscribe((event) => events.push(event));
    const published: unknown[] = [];
    const listener = (message: unknown) => void published.push(message);
    channel(diagnosticsChannels.leaseLost).subscribe(listener);
    const disposing = lease[Symbol.asyncDispose]();
    fail(engine);
    await disposing;
    channel(diagnosticsChannels.leaseLost).unsubscribe(listener);
    expect(await lease.lost).toMatchObject({ code, error: { code } });
    expect(published).toMatchObject([{ kind: 'lock', name: 'l', token: 7 }]);
    expect(quorate.metrics()).toMatchObject({ losses: 1, held: 0, holds: { count: 1 } });
    await lease[Symbol.asyncDispose]();
    expect(events.filter(({ type }) => type === 'leaseLost' || type === 'releaseFailed')).toEqual([
      { type: 'leaseLost', kind: 'lock', name: 'l', token: 7, code },
      { type: 'releaseFailed', kind: 'lock', name: 'l', token: 7, error: expect.objectContaining({ code }) },
    ]);
  });

  test('lost before its disposal has no release that could fail', async () => {
    const { engine, quorate, lease } = await arrangeLease();
    const types: string[] = [];
    quorate.events$.subscribe(({ type }) => types.push(type));
    engine.remaining = 0;
    await lease[Symbol.asyncDispose]();
    expect(types).toEqual(['leaseLost']);
  });

  test('is released again when the window of requests was full', async () => {
    const { engine, lease } = await arrangeLease();
    engine.failure = new QuorateError('MAILBOX_FULL', 'Full.');
    const releasing = lease.release();
    await until(() => engine.ops.length === 2);
    engine.answer([2, resultCode.done, 0, null]);
    expect(await releasing).toBe('released');
  });

  test('whose note finds no room is released without it, and the caller is told', async () => {
    const { engine, lease } = await arrangeLease();
    const releasing = lease.release({ note: 'x' });
    engine.answer([2, resultCode.limit, 0, null]);
    expect(engine.ops[2]).toEqual([lockOp.release, 3, 'l/l', 7, null]);
    engine.answer([3, resultCode.done, 0, null]);
    await rejection(releasing, 'LIMIT_REACHED');
  });

  test('whose release is too large for a frame is still held', async () => {
    const { engine, lease } = await arrangeLease();
    engine.failure = new QuorateError('COMMAND_TOO_LARGE', 'Too large.');
    await rejection(lease.release({ note: 'x' }), 'COMMAND_TOO_LARGE');
    expect(lease.valid).toBe(true);
    const releasing = lease.release();
    engine.answer([2, resultCode.done, 0, null]);
    expect(await releasing).toBe('released');
  });

  test('disposed waits no longer than it has left when nobody answers', async () => {
    const { engine, lease } = await arrangeLease();
    engine.remaining = 30;
    await lease[Symbol.asyncDispose]();
    expect(engine.ops[1]?.[0]).toBe(lockOp.release);
  });

  test('disposed after the client was closed throws nothing, and an event tells of it', async () => {
    const { engine, quorate, lease } = await arrangeLease();
    const told = first(quorate.events$, (event) => event.type === 'releaseFailed');
    engine.events.next({ type: 'connection', status: 'closed' });
    await lease[Symbol.asyncDispose]();
    expect(await told).toMatchObject({ name: 'l', token: 7, error: { code: 'TRANSPORT_CLOSED' } });
  });

  test('takes a note under its token, and refuses one over 1 KiB before asking', async () => {
    const { engine, lease } = await arrangeLease();
    const noting = lease.note('position 5');
    expect(engine.ops[1]).toEqual([lockOp.note, 2, 'l/l', 7, 'position 5']);
    engine.answer([2, resultCode.done, 0, null]);
    await noting;
    await rejection(lease.note('€'.repeat(342)), 'NOTE_TOO_LARGE');
    await rejection(lease.release({ note: 'x'.repeat(1_025) }), 'NOTE_TOO_LARGE');
    expect(engine.ops).toHaveLength(2);
    expect(lease.valid).toBe(true);
  });

  test.each([
    [resultCode.notHeld, 'NOT_HELD'],
    [resultCode.limit, 'LIMIT_REACHED'],
  ] as const)('whose note is answered %i rejects with %s', async (code, expected) => {
    const { engine, lease } = await arrangeLease();
    const noting = lease.note('x');
    engine.answer([2, code, 0, null]);
    await rejection(noting, expected);
  });

  test('takes no note once it is over', async () => {
    const { engine, lease } = await arrangeLease();
    engine.loseSession();
    await rejection(lease.note('x'), 'NOT_HELD');
  });
});
