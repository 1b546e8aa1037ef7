/** Locks over whole groups in one process. */
import { take, toArray } from 'rxjs';
import { soloQuorate } from '../../src/api/solo.ts';
import type { Lease } from '../../src/api/lease-contract.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { first, gate, only, rejection, until, useGroup } from './group.ts';

describe('locks (one voter alone)', () => {
  let quorate: Quorate;
  beforeEach(async () => {
    quorate = await soloQuorate();
  });
  afterEach(() => quorate.close({ timeoutMs: 100 }));

  test('a lease is granted with a token that rises from grant to grant', async () => {
    const lock = quorate.lock('invoice:42');
    const tokens: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const lease = await lock.acquire();
      expect(lease.valid).toBe(true);
      tokens.push(lease.token);
      expect(await lease.release()).toBe('released');
    }
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(3);
    expect(tokens.every(Number.isSafeInteger)).toBe(true);
  });

  test('tryAcquire does not wait: undefined where the lock is held', async () => {
    const lease = await quorate.lock('l').tryAcquire();
    expect(lease).toBeDefined();
    expect(await quorate.lock('l').tryAcquire()).toBeUndefined();
    await lease?.release();
    expect(await quorate.lock('l').tryAcquire()).toBeDefined();
  });

  test('who waits for a lock of its own process is told so at the deadline, and leaves the queue', async () => {
    const lease = await quorate.lock('l').acquire();
    const { details, message } = await rejection(quorate.lock('l').acquire({ timeoutMs: 30 }), 'LOCK_TIMEOUT');
    expect(details).toMatchObject({ holder: 'solo', token: lease.token, place: 1, heldByThisProcess: true });
    expect(message).toContain('held by this process');
    await first(quorate.lock('l').state$, ({ waiting }) => waiting === 0);
  });

  test('the hand-over note goes to the next holder, until somebody removes it', async () => {
    const lock = quorate.lock('l');
    const one = await lock.acquire();
    expect(one.previous).toBeUndefined();
    await one.note('first');
    await one.release();
    const two = await lock.acquire();
    expect(two.previous).toBe('first');
    await two.release({ note: 'second' });
    const three = await lock.acquire();
    expect(three.previous).toBe('second');
    await three.release({ note: '' });
    expect((await lock.acquire()).previous).toBeUndefined();
  });

  test('run resolves with the value after the lock is free again', async () => {
    const lock = quorate.lock('l');
    expect(await lock.run(({ token }) => Promise.resolve(token > 0))).toBe(true);
    expect(await lock.tryAcquire()).toBeDefined();
  });

  test('run rejects with the callback’s error after the lock is free again', async () => {
    const lock = quorate.lock('l');
    await expect(lock.run(() => Promise.reject(new RangeError('mine')))).rejects.toThrow('mine');
    expect(await lock.tryAcquire()).toBeDefined();
  });

  test('a callback that released by itself is no loss', async () => {
    expect(await quorate.lock('l').run((lease) => lease.release())).toBe('released');
  });

  test('a lease is released at the end of its block by `await using`', async () => {
    {
      await using lease = await quorate.lock('l').acquire();
      expect(lease.valid).toBe(true);
    }
    expect(await quorate.lock('l').tryAcquire()).toBeDefined();
  });

  test('state$ shows the holder, the queue in order and the token, and `state` the same at once', async () => {
    const lock = quorate.lock('l');
    const watching = lock.state$.subscribe();
    const lease = await lock.acquire();
    const stop = new AbortController();
    const waiting = [lock.acquire({ signal: stop.signal }), lock.acquire({ signal: stop.signal })];
    const info = await first(lock.state$, (state) => state.waiting === 2);
    expect(info).toMatchObject({ name: 'l', held: true, token: lease.token, queue: ['solo', 'solo'], waiting: 2 });
    expect(only(info.holders)).toMatchObject({ node: 'solo', token: lease.token });
    expect(lock.state).toMatchObject({ held: true });
    stop.abort();
    await Promise.all(waiting.map((it) => rejection(it, 'ABORTED')));
    await lease.release();
    expect(await first(lock.state$, ({ held }) => !held)).toMatchObject({ holders: [], token: undefined, waiting: 0 });
    watching.unsubscribe();
  });

  test('the first question for `state` starts the watching', async () => {
    const lock = quorate.lock('l');
    await lock.acquire();
    expect(lock.state).toBeUndefined();
    await until(() => lock.state !== undefined);
    expect(lock.state?.held).toBe(true);
  });

  test('hold$ takes the lock with the subscription and gives it back with its end', async () => {
    const lock = quorate.lock('l');
    const held = gate<Lease>();
    const subscription = lock.hold$.subscribe((lease) => held.open(lease));
    const lease = await held.promise;
    expect(await lock.tryAcquire()).toBeUndefined();
    subscription.unsubscribe();
    expect(lease.valid).toBe(false);
    expect((await lock.acquire()).token).toBeGreaterThan(lease.token);
  });

  test('hold$ unsubscribed while it waits leaves the queue', async () => {
    const lock = quorate.lock('l');
    await lock.acquire();
    const subscription = lock.hold$.subscribe();
    await first(lock.state$, ({ waiting }) => waiting === 1);
    subscription.unsubscribe();
    await first(lock.state$, ({ waiting }) => waiting === 0);
  });

  test.each(['', 'x'.repeat(257), '\ud800', 7 as unknown as string])('a lock or election named %p is INVALID_NAME', (name) => {
    expect(() => quorate.lock(name)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
    expect(() => quorate.election(name)).toThrow(expect.objectContaining({ code: 'INVALID_NAME' }));
  });

  test('any text is a name: locks of odd names do not meet', async () => {
    const names = ['a/b', 'a.b', 'a b', 'ä', '€', '💡', '*', '>', 'l/l'];
    const leases = await Promise.all(names.map((name) => quorate.lock(name).tryAcquire()));
    expect(leases.every((lease) => lease !== undefined)).toBe(true);
  });

  // Microtask by microtask through the making, the answer and the delivery of a grant; then by turns of the loop.
  test.each([...Array(24).keys()])('an acquire of a free lock aborted %i steps on leaves nothing behind', async (steps) => {
    const lock = quorate.lock('l');
    const stop = new AbortController();
    const acquiring = lock.acquire({ signal: stop.signal });
    for (let step = 0; step < steps; step += 1) {
      if (step < 12) await Promise.resolve();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    const lease = await acquiring.catch(() => undefined);
    await lease?.release();
    expect(await first(lock.state$, ({ held }) => !held)).toMatchObject({ waiting: 0 });
    expect(await lock.tryAcquire()).toBeDefined();
  });
});

describe('locks (3 voters and a client)', () => {
  const group = useGroup();

  test('one at a time, in the order of the requests, under rising tokens', async () => {
    const members = [...(await group().joinAll()), await group().join('d')];
    const lock = only(members).lock('l');
    const before = await lock.acquire();
    const tokens: number[] = [];
    const order: string[] = [];
    let inside = 0;
    const runs: Promise<void>[] = [];
    for (const member of members.flatMap((it) => [it, it])) {
      const run = member.lock('l').run(async ({ token }) => {
        inside += 1;
        expect(inside).toBe(1);
        order.push(member.node);
        tokens.push(token);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
      runs.push(run);
      await first(lock.state$, ({ waiting }) => waiting === runs.length);
    }
    await before.release();
    await Promise.all(runs);
    expect(order).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
    expect(tokens).toEqual([...tokens].sort((x, y) => x - y));
    expect(tokens[0]).toBeGreaterThan(before.token);
  });

  test.each([...Array(8).keys()])('a waiter of another node aborted %i turns on leaves the queue empty', async (turns) => {
    const [a, b] = await group().joinAll();
    const held = await a?.lock('l').acquire();
    const lock = b?.lock('l');
    if (!lock || !held) throw new Error('not joined');
    const stop = new AbortController();
    const acquiring = lock.acquire({ signal: stop.signal });
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const releasing = turns % 2 === 1 ? held.release() : Promise.resolve();
    stop.abort();
    await rejection(acquiring, 'ABORTED');
    await releasing;
    await held.release();
    expect(await first(lock.state$, (state) => !state.held && state.waiting === 0)).toBeDefined();
  });

  test('LOCK_TIMEOUT names the other node, since when it holds and the place in the queue', async () => {
    const [a, b, c] = await group().joinAll();
    if (!a || !b || !c) throw new Error('not joined');
    const lease = await a.lock('l').acquire();
    const ahead = b.lock('l').acquire();
    await first(a.lock('l').state$, ({ waiting }) => waiting === 1);
    const { details } = await rejection(c.lock('l').acquire({ timeoutMs: 1_500 }), 'LOCK_TIMEOUT');
    expect(details).toMatchObject({ holder: 'a', token: lease.token, place: 2, heldByThisProcess: false });
    expect(Date.parse(String(details.since))).toBeLessThanOrEqual(Date.now());
    await lease.release();
    await ahead;
  });

  test('state$ completes and nothing is granted after close', async () => {
    const [a] = await group().joinAll();
    if (!a) throw new Error('not joined');
    const states = new Promise((resolve) => a.lock('l').state$.pipe(take(100), toArray()).subscribe(resolve));
    await a.close();
    await states;
    await rejection(a.lock('l').acquire(), 'CLOSED');
    await rejection(a.lock('l').tryAcquire(), 'CLOSED');
    await rejection(
      a.lock('l').run(() => 1),
      'CLOSED',
    );
    await rejection(
      a.election('e').lead(() => 1),
      'CLOSED',
    );
    expect(() => a.election('e').campaign()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
