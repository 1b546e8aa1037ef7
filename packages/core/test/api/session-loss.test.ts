/** A lost session is not the end of the process: what ends with it, and what comes back by itself. */
import type { Leader } from '../../src/api/leader-watch.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import { first, gate, rejection, until, useGroup } from './group.ts';

describe('a client that is cut off for longer than its TTL (3 voters and a client)', () => {
  const group = useGroup();

  async function arrange() {
    await group().joinAll();
    const client = await group().join('d');
    const [rival] = [await group().join('e')];
    const lost = first(client.events$, (event) => event.type === 'sessionLost');
    const reopened = () => first(client.events$, (event) => event.type === 'sessionOpened');
    return { client, rival, lost, reopened };
  }

  test('loses every lease with SESSION_LOST before another holds, and opens a new session by itself', async () => {
    const { client, rival, lost, reopened } = await arrange();
    const held = await Promise.all([client.lock('x').acquire(), client.lock('y').acquire()]);
    const first1 = held[0];
    group().bus.disconnect('d');
    const taken = rival.lock('x').acquire();
    await lost;
    for (const lease of held) {
      expect(lease.valid).toBe(false);
      expect(lease.signal.reason).toMatchObject({ code: 'SESSION_LOST' });
      expect(await lease.release()).toBe('lost');
    }
    expect((await taken).token).toBeGreaterThan(first1?.token ?? Infinity);
    expect(client.status.session).not.toBe('healthy');
    const opened = reopened();
    group().bus.reconnect('d');
    await opened;
    expect(client.status.session).toBe('healthy');
    expect((await client.lock('y').acquire()).valid).toBe(true);
  });

  test('announces jeopardy before the loss', async () => {
    const { client, lost } = await arrange();
    const types: string[] = [];
    client.events$.subscribe((event: QuorateEvent) => types.push(event.type));
    group().bus.disconnect('d');
    await lost;
    expect(types.indexOf('sessionJeopardy')).toBeGreaterThanOrEqual(0);
    expect(types.indexOf('sessionJeopardy')).toBeLessThan(types.indexOf('sessionLost'));
  });

  test('rejects what was queued with SESSION_LOST; what is asked for meanwhile waits for the new session', async () => {
    const { client, rival, lost } = await arrange();
    const blocking = await rival.lock('x').acquire();
    const queued = rejection(client.lock('x').acquire({ timeoutMs: Infinity }), 'SESSION_LOST');
    await first(rival.lock('x').state$, ({ waiting }) => waiting === 1);
    group().bus.disconnect('d');
    await lost;
    await queued;
    const later = client.lock('z').acquire();
    await first(rival.lock('x').state$, ({ waiting }) => waiting === 0);
    group().bus.reconnect('d');
    expect((await later).valid).toBe(true);
    await blocking.release();
  });

  test('a callback runs on to its end and its call is LEASE_LOST, with the value in `cause`', async () => {
    const { client, lost } = await arrange();
    const started = gate();
    const finish = gate<string>();
    let isOver = false;
    const running = client.lock('x').run(async () => {
      started.open();
      return finish.promise;
    });
    const outcome = rejection(running, 'LEASE_LOST').finally(() => (isOver = true));
    await started.promise;
    group().bus.disconnect('d');
    await lost;
    expect(isOver).toBe(false);
    finish.open('written');
    expect((await outcome).cause).toBe('written');
  });

  test('its campaign takes part again, and its watchers see no leader meanwhile', async () => {
    const { client, lost } = await arrange();
    const candidacy = client.election('e').campaign('v');
    const term = await first(candidacy.current$, (it) => it !== undefined);
    const seen: Leader[] = [];
    await first(client.election('e').leader$, ({ leader }) => leader === 'd');
    client.election('e').leader$.subscribe((leader) => seen.push(leader));
    group().bus.disconnect('d');
    await lost;
    expect(candidacy.current).toBeUndefined();
    expect(client.election('e').current).toBeUndefined();
    group().bus.reconnect('d');
    const next = await first(candidacy.current$, (it) => it !== undefined && it !== term);
    expect(next?.token).toBeGreaterThan(term?.token ?? Infinity);
    await first(client.election('e').leader$, ({ token }) => token === next?.token);
    expect(seen.map(({ leader }) => leader)).toEqual(['d', undefined, 'd']);
    await candidacy.stop();
  });

  test('that releases a lock and stops a campaign meanwhile is told that neither was given back', async () => {
    const { client, lost } = await arrange();
    const lease = await client.lock('x').acquire();
    const candidacy = client.election('e').campaign('v');
    await first(candidacy.current$, (it) => it !== undefined);
    const told: string[] = [];
    client.events$.subscribe((event) => {
      if (event.type === 'leaseLost' || event.type === 'releaseFailed') told.push(`${event.type} ${event.name}`);
    });
    group().bus.disconnect('d');
    await Promise.all([lease[Symbol.asyncDispose](), candidacy.stop(), lost]);
    await until(() => told.length === 4);
    expect([...told].sort()).toEqual(['leaseLost e', 'leaseLost x', 'releaseFailed e', 'releaseFailed x']);
    expect(client.metrics()).toMatchObject({ losses: 2, held: 0 });
  });

  test('hold$ errors with SESSION_LOST', async () => {
    const { client } = await arrange();
    const failed = gate<unknown>();
    const held = gate();
    client.lock('x').hold$.subscribe({ next: () => held.open(), error: (error: unknown) => failed.open(error) });
    await held.promise;
    group().bus.disconnect('d');
    expect(await failed.promise).toMatchObject({ code: 'SESSION_LOST' });
  });
});

describe('a voter whose majority is gone (3 voters)', () => {
  const group = useGroup();

  test('says who is missing, and calls end at their deadline with NO_QUORUM', async () => {
    const [a] = await group().joinAll();
    if (!a) throw new Error('not joined');
    group().bus.disconnect('b');
    group().bus.disconnect('c');
    const status = await first(a.status$, ({ quorum, missing }) => !quorum && missing.length === 2);
    expect(status).toMatchObject({ leader: undefined, missing: ['b', 'c'] });
    expect(status.text).toContain('b, c');
    const { details } = await rejection(a.lock('l').acquire({ timeoutMs: 100 }), 'NO_QUORUM');
    expect(details).toMatchObject({ missing: ['b', 'c'] });
    await rejection(a.lock('l').tryAcquire({ timeoutMs: 100 }), 'NO_QUORUM');
  });

  test('that lost its own connection says so in its status, and its calls name it (3 voters)', async () => {
    const [a] = await group().joinAll();
    if (!a) throw new Error('not joined');
    group().bus.disconnect('a');
    const status = await first(a.status$, ({ quorum, text }) => !quorum && text.includes('no leader'));
    expect(status).toMatchObject({ connection: 'disconnected', text: 'the transport is disconnected; no leader' });
    const { details, message } = await rejection(a.lock('l').acquire({ timeoutMs: 100 }), 'NO_QUORUM');
    expect(details).toMatchObject({ connection: 'disconnected' });
    expect(message).toContain('the transport is disconnected. ');
  });
});
