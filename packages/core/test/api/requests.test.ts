/** Requests, scoped calls and the end against an engine whose answers the test gives by hand: the moments that a real group passes too fast. */
import { QuorateError } from '../../src/errors.ts';
import { lockOp, resultCode } from '../../src/lock/command.ts';
import type { HolderInfo } from '../../src/lock/command.ts';
import { arrange, arrangeLease } from './arranged.ts';
import { outstandingMax } from '../../src/runtime/create-member.ts';
import { rejection, until } from './group.ts';

const other: HolderInfo = ['other', 5, 0];

describe('an acquire', () => {
  test('asks once, and is granted with the token and the last holder’s note', async () => {
    const { engine, lease } = await arrangeLease();
    expect(engine.ops).toEqual([[lockOp.acquire, 1, 'l/l', 0, 0, null]]);
    expect(lease).toMatchObject({ name: 'l', token: 7, previous: 'a note', valid: true, remainingMs: 1_000 });
  });

  test('composes no status, which would cost more than all the rest of it', async () => {
    const { engine, quorate } = arrange();
    const { status } = engine;
    let composed = 0;
    Object.defineProperty(engine, 'status', { get: () => ((composed += 1), status) });
    const acquiring = quorate.lock('l').acquire();
    engine.answer([1, resultCode.granted, 7, null]);
    expect((await acquiring).token).toBe(7);
    expect(composed).toBe(0);
  });

  test.each([[5_000], [null], ['soon'], [[]]])('with %p for its options is INVALID_OPTIONS, and asks for nothing', async (options) => {
    const { engine, quorate } = arrange();
    const lock = quorate.lock('l');
    for (const call of [lock.acquire(options as never), lock.tryAcquire(options as never), lock.run(() => 1, options as never)]) {
      expect((await rejection(call, 'INVALID_OPTIONS')).message).toContain('it must be an object');
    }
    expect(engine.ops).toEqual([]);
  });

  test('does not hand out a grant that is already over when it comes', async () => {
    const { engine, quorate } = arrange();
    const acquiring = quorate.lock('l').acquire();
    engine.remaining = 0;
    engine.answer([1, resultCode.granted, 7, null]);
    await rejection(acquiring, 'SESSION_LOST');
    expect(quorate.metrics().held).toBe(0);
  });

  test('withdraws when it is aborted in the queue, and a grant that crosses the cancel is not handed out', async () => {
    const { engine, quorate } = arrange();
    const stop = new AbortController();
    const acquiring = quorate.lock('l').acquire({ signal: stop.signal });
    engine.answer([1, resultCode.queued, 1, other]);
    stop.abort(new Error('enough'));
    engine.answer([1, resultCode.granted, 7, null]);
    expect((await rejection(acquiring, 'ABORTED')).cause).toEqual(new Error('enough'));
    expect(engine.ops.slice(1)).toEqual([[lockOp.cancel, 2, 1]]);
    expect(quorate.metrics()).toMatchObject({ held: 0, waiting: 0, aborts: 1 });
  });

  test('cancels again when the window of requests was full at the abort', async () => {
    const { engine, quorate } = arrange();
    const stop = new AbortController();
    const acquiring = quorate.lock('l').acquire({ signal: stop.signal });
    engine.failure = new QuorateError('MAILBOX_FULL', 'Full.');
    stop.abort();
    await rejection(acquiring, 'ABORTED');
    expect(engine.ops).toHaveLength(1);
    await until(() => engine.ops.length === 2);
    expect(engine.ops[1]).toEqual([lockOp.cancel, 2, 1]);
  });

  test('asks for nothing when its signal is aborted beforehand', async () => {
    const { engine, quorate } = arrange();
    await rejection(quorate.lock('l').acquire({ signal: AbortSignal.abort() }), 'ABORTED');
    expect(engine.ops).toEqual([]);
  });

  test('without a session waits for the next one', async () => {
    const { engine, quorate } = arrange();
    engine.session = null;
    const acquiring = quorate.lock('l').acquire();
    expect(engine.ops).toEqual([]);
    engine.openSession(2);
    engine.answer([1, resultCode.granted, 7, null]);
    expect((await acquiring).token).toBe(7);
  });

  test('without a session is refused once as many wait as a session has room for, until one of them gives up', async () => {
    const { engine, quorate } = arrange();
    engine.session = null;
    const stop = new AbortController();
    const first = quorate.lock('l').acquire({ signal: stop.signal });
    const others = Array.from({ length: outstandingMax - 1 }, () => quorate.lock('l').acquire());
    const { details } = await rejection(quorate.lock('l').acquire(), 'MAILBOX_FULL');
    expect(details).toEqual({ outstandingMax });
    stop.abort();
    await rejection(first, 'ABORTED');
    const last = quorate.lock('l').acquire();
    engine.openSession(2);
    expect(engine.ops).toHaveLength(outstandingMax);
    engine.session = null;
    const again = Array.from({ length: outstandingMax }, () => quorate.lock('l').acquire());
    await quorate.close({ timeoutMs: 0 });
    const settled = await Promise.allSettled([...others, last, ...again]);
    expect(new Set(settled.map((one) => one.status === 'rejected' && (one.reason as QuorateError).code))).toEqual(new Set(['CLOSED']));
  });

  test('aborted while it waits for a session asks for nothing later', async () => {
    const { engine, quorate } = arrange();
    engine.session = null;
    const stop = new AbortController();
    const acquiring = quorate.lock('l').acquire({ signal: stop.signal });
    stop.abort();
    await rejection(acquiring, 'ABORTED');
    engine.openSession(2);
    expect(engine.ops).toEqual([]);
  });

  test('at its deadline names holder, since when and the place that the cancel’s answer tells', async () => {
    const { engine, quorate } = arrange();
    const acquiring = quorate.lock('l').acquire({ timeoutMs: 10 });
    engine.answer([1, resultCode.queued, 4, other]);
    const outcome = rejection(acquiring, 'LOCK_TIMEOUT');
    await until(() => engine.ops.length === 2);
    expect(engine.ops[1]).toEqual([lockOp.cancel, 2, 1]);
    engine.answer([2, resultCode.done, 3, ['third', 6, 1_000]]);
    const { message, details } = await outcome;
    expect(details).toMatchObject({ holder: 'third', token: 6, since: '1970-01-01T00:00:01.000Z', place: 3, heldByThisProcess: false });
    expect(message).toContain('held by third since 1970-01-01T00:00:01.000Z (token 6); the place in the queue was 3');
  });

  test('at its deadline says so when the grant came in the same moment', async () => {
    const { engine, quorate } = arrange();
    const outcome = rejection(quorate.lock('l').acquire({ timeoutMs: 10 }), 'LOCK_TIMEOUT');
    await until(() => engine.ops.length === 2);
    engine.answer([1, resultCode.granted, 7, null]);
    engine.answer([2, resultCode.done, 0, ['n', 7, 0]]);
    expect((await outcome).message).toContain('the grant came at the deadline and was given back');
    expect(quorate.metrics()).toMatchObject({ held: 0, timeouts: 1 });
  });

  test('with nobody to answer its cancel ends all the same', async () => {
    const { quorate } = arrange();
    const { message } = await rejection(quorate.lock('l').acquire({ timeoutMs: 10 }), 'LOCK_TIMEOUT');
    expect(message).toContain('the leader did not answer');
  });

  test('at its deadline without a leader is NO_QUORUM and names the missing voters', async () => {
    const { engine, quorate } = arrange();
    engine.status = { ...engine.status, role: 'voter', leader: null, voters: ['n', 'm', 'o'], connected: ['n'], stage: 'electing' };
    const { details, message } = await rejection(quorate.lock('l').acquire({ timeoutMs: 10 }), 'NO_QUORUM');
    expect(details).toMatchObject({ missing: ['m', 'o'] });
    expect(message).toContain('not heard: m, o');
  });

  test('at its deadline without a connection is NO_QUORUM that names the connection, and no voter', async () => {
    const { engine, quorate } = arrange();
    const connectionError = new Error('The connection to broker 1 broke.');
    const cutOff = { leader: null, voters: ['n', 'm', 'o'], connected: ['n'], stage: 'electing', connection: 'disconnected' } as const;
    engine.status = { ...engine.status, role: 'voter', ...cutOff, connectionError };
    const { details, message, cause } = await rejection(quorate.lock('l').acquire({ timeoutMs: 10 }), 'NO_QUORUM');
    expect(message).toContain('within 10 ms: the transport is disconnected (The connection to broker 1 broke). ');
    expect(message).not.toContain('not heard');
    expect(details).toMatchObject({ connection: 'disconnected', transportError: 'The connection to broker 1 broke.' });
    expect(cause).toBe(connectionError);
  });

  test('whose leader does not answer for the connection is broken says so', async () => {
    const { engine, quorate } = arrange();
    engine.status = { ...engine.status, connection: 'disconnected' };
    const { message, details } = await rejection(quorate.lock('l').acquire({ timeoutMs: 10 }), 'LOCK_TIMEOUT');
    expect(message).toContain('within 10 ms: the transport is disconnected. ');
    expect(details).toMatchObject({ connection: 'disconnected' });
  });

  test.each([
    [resultCode.queueFull, 'QUEUE_FULL'],
    [resultCode.limit, 'LIMIT_REACHED'],
    [resultCode.unsupported, 'UNSUPPORTED'],
  ] as const)('refused with %i is %s', async (code, expected) => {
    const { engine, quorate } = arrange();
    const acquiring = quorate.lock('l').acquire();
    engine.answer([1, code, 0, null]);
    await rejection(acquiring, expected);
    expect(engine.ops).toHaveLength(1);
  });

  test('refused because the queue is full names the holder; because of a limit, which', async () => {
    const { engine, quorate } = arrange();
    const crowded = rejection(quorate.lock('l').acquire(), 'QUEUE_FULL');
    engine.answer([1, resultCode.queueFull, 0, ['m', 9, Date.UTC(2026, 0, 1)]]);
    const { message, details } = await crowded;
    expect(details).toEqual({ kind: 'lock', name: 'l', holder: 'm', token: 9, since: '2026-01-01T00:00:00.000Z' });
    expect(message).toContain('held by m since 2026-01-01T00:00:00.000Z (token 9)');
    const limited = rejection(quorate.lock('l').acquire(), 'LIMIT_REACHED');
    engine.answer([2, resultCode.limit, 0, null]);
    expect((await limited).details).toEqual({ limit: 'outstanding requests' });
  });

  test.each(['MAILBOX_FULL', 'COMMAND_TOO_LARGE'] as const)('passes on that it could not be made: %s', async (code) => {
    const { engine, quorate } = arrange();
    engine.failure = new QuorateError(code, 'No.');
    await rejection(quorate.lock('l').acquire(), code);
    expect(quorate.metrics().waiting).toBe(0);
  });

  test('gives up at once when the client is closed, and later calls do too', async () => {
    const { engine, quorate, lease } = await arrangeLease();
    const acquiring = quorate.lock('m').acquire();
    const releasing = lease.release();
    engine.events.next({ type: 'connection', status: 'closed' });
    await rejection(acquiring, 'TRANSPORT_CLOSED');
    await rejection(releasing, 'TRANSPORT_CLOSED');
    expect(await lease.lost).toMatchObject({ code: 'SESSION_LOST', error: { code: 'TRANSPORT_CLOSED' } });
    expect(lease.signal.aborted).toBe(true);
    await rejection(quorate.lock('m').tryAcquire(), 'TRANSPORT_CLOSED');
    await rejection(
      quorate.election('e').lead(() => 1),
      'TRANSPORT_CLOSED',
    );
    expect(() => quorate.election('e').campaign()).toThrow(expect.objectContaining({ code: 'TRANSPORT_CLOSED' }));
  });

  test('fails with TRANSPORT_CLOSED where the client was closed before it began', async () => {
    const reason = new Error('closed by its user');
    const { quorate } = arrange({ connection: 'closed', connectionError: reason });
    expect((await rejection(quorate.lock('l').acquire(), 'TRANSPORT_CLOSED')).cause).toBe(reason);
  });

  test('fails with what stopped the node', async () => {
    const { engine, quorate, lease } = await arrangeLease();
    const acquiring = quorate.lock('m').acquire();
    engine.events.next({ type: 'stopped', error: new QuorateError('STORAGE_FAILED', 'Disk full.') });
    await rejection(acquiring, 'STORAGE_FAILED');
    expect(lease.valid).toBe(false);
  });

  test('takes a deadline of a positive number or Infinity, nothing else', async () => {
    const { quorate } = arrange();
    for (const timeoutMs of [0, -1, NaN, 2 ** 31, '5' as unknown as number]) {
      await rejection(quorate.lock('l').acquire({ timeoutMs }), 'INVALID_OPTIONS');
    }
  });
});

describe('a scoped call', () => {
  test('waits for its callback when the lease is lost, then rejects with LEASE_LOST and the value in `cause`', async () => {
    const { engine, quorate } = arrange();
    let finish: (value: string) => void = () => undefined;
    let hasStarted = false;
    let isOver = false;
    const running = quorate.lock('l').run(() => {
      hasStarted = true;
      return new Promise<string>((resolve) => (finish = resolve));
    });
    const outcome = rejection(running, 'LEASE_LOST').finally(() => (isOver = true));
    engine.answer([1, resultCode.granted, 7, null]);
    await until(() => hasStarted);
    engine.loseSession();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    finish('written');
    expect(await outcome).toMatchObject({ cause: 'written', details: { name: 'l', token: 7, loss: 'SESSION_LOST' } });
  });

  test('lets the callback’s own error win over a lost lease', async () => {
    const { engine, quorate } = arrange();
    const running = quorate.lock('l').run(async ({ signal }) => {
      engine.loseSession();
      expect(signal.aborted).toBe(true);
      throw new RangeError('mine');
    });
    engine.answer([1, resultCode.granted, 7, null]);
    await expect(running).rejects.toThrow(new RangeError('mine'));
  });

  test('resolves where the session ran out only during the release: the work was done under the lease', async () => {
    const { engine, quorate } = arrange();
    const running = quorate.lock('l').run(() => 'done');
    engine.answer([1, resultCode.granted, 7, null]);
    await until(() => engine.ops.length === 2);
    engine.loseSession();
    expect(await running).toBe('done');
  });

  test('is LEASE_LOST where the group knows of no such lease at its release', async () => {
    const { engine, quorate } = arrange();
    const running = quorate.lock('l').run(() => 'done');
    engine.answer([1, resultCode.granted, 7, null]);
    await until(() => engine.ops.length === 2);
    engine.answer([2, resultCode.notHeld, 0, null]);
    expect(await rejection(running, 'LEASE_LOST')).toMatchObject({ cause: 'done' });
  });

  test('runs no callback where the instance was closed between the grant and the call', async () => {
    const { engine, quorate } = arrange();
    let hasRun = false;
    const running = quorate.lock('l').run(() => (hasRun = true));
    engine.answer([1, resultCode.granted, 7, null]);
    const closing = quorate.close();
    const outcome = rejection(running, 'CLOSED');
    await until(() => engine.ops.length === 2);
    engine.answer([2, resultCode.done, 0, null]);
    await outcome;
    await closing;
    expect(hasRun).toBe(false);
  });

  test('needs a function', async () => {
    const { engine, quorate } = arrange();
    await rejection(quorate.lock('l').run('work' as unknown as () => void), 'INVALID_OPTIONS');
    expect(engine.ops).toEqual([]);
  });
});

describe('closing', () => {
  test('withdraws what is queued, for the session may outlive it', async () => {
    const { engine, quorate } = arrange();
    const queued = rejection(quorate.lock('l').acquire(), 'CLOSED');
    engine.answer([1, resultCode.queued, 1, other]);
    await quorate.close();
    await queued;
    expect(engine.ops[1]).toEqual([lockOp.cancel, 2, 1]);
  });

  test('does not end the session under a callback that is still at work at the deadline', async () => {
    const { engine, quorate } = arrange();
    const running = quorate.lock('l').run(() => new Promise<void>(() => undefined));
    running.catch(() => undefined);
    engine.answer([1, resultCode.granted, 7, null]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await quorate.close({ timeoutMs: 10 })).toEqual({ drained: false, lapsed: ['l'] });
    expect(engine.closings).toMatchObject([{ endSession: false }]);
  });

  test('lets a callback write its note and release before the engine leaves', async () => {
    const { engine, quorate } = arrange();
    const running = quorate.lock('l').run(async (lease) => {
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
      await lease.note('half way');
    });
    engine.answer([1, resultCode.granted, 7, null]);
    await new Promise((resolve) => setImmediate(resolve));
    const closing = quorate.close({ timeoutMs: 5_000 });
    await until(() => engine.ops.length === 2);
    expect(engine.ops[1]).toEqual([lockOp.note, 2, 'l/l', 7, 'half way']);
    engine.answer([2, resultCode.done, 0, null]);
    await until(() => engine.ops.length === 3);
    expect(engine.closings).toEqual([]);
    engine.answer([3, resultCode.done, 0, null]);
    await running;
    expect(await closing).toEqual({ drained: true, lapsed: [] });
    expect(engine.closings).toMatchObject([{ endSession: true }]);
  });
});

test('the group is asked for the state of a lock only while somebody looks', () => {
  const { engine, quorate } = arrange();
  const subscriptions = [quorate.lock('l').state$.subscribe(), quorate.lock('l').state$.subscribe()];
  expect([...engine.watchers.keys()]).toEqual(['l/l']);
  subscriptions[0]?.unsubscribe();
  expect([...engine.watchers.keys()]).toEqual(['l/l']);
  subscriptions[1]?.unsubscribe();
  expect([...engine.watchers.keys()]).toEqual([]);
});

test('metrics count waits, holds, ends and what the engine counts', async () => {
  const { engine, quorate, lease } = await arrangeLease();
  const trying = quorate.lock('l').tryAcquire();
  engine.answer([2, resultCode.busy, 0, other]);
  expect(await trying).toBeUndefined();
  expect(engine.ops[1]).toEqual([lockOp.acquire, 2, 'l/l', 0, 1, null]);
  const waiting = quorate.lock('m').acquire();
  expect(quorate.metrics()).toMatchObject({ held: 1, waiting: 1, busy: 1, waits: { count: 1 }, holds: { count: 0 }, framesRefused: 3 });
  const releasing = lease.release();
  engine.answer([4, resultCode.done, 0, null]);
  await releasing;
  expect(quorate.metrics()).toMatchObject({ held: 0, holds: { count: 1 }, losses: 0, eventLoopLagMaxMs: 8, lockEventsDropped: 10 });
  waiting.catch(() => undefined);
  await quorate.close({ timeoutMs: 0 });
});
