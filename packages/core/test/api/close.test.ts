/** Leaving a group: what is awaited, what is given back, and what the result says. */
import type { Observable } from 'rxjs';
import type { Quorate } from '../../src/index.ts';
import { first, gate, only, rejection, useGroup } from './group.ts';

describe('closing (3 voters)', () => {
  const group = useGroup();

  async function arrange() {
    const [a, b] = await group().joinAll();
    if (!a || !b) throw new Error('not joined');
    return { a, b };
  }

  test('fires the signals, awaits the callbacks, gives everything back, and others go on at once', async () => {
    const { a, b } = await arrange();
    const started = gate();
    const steps: string[] = [];
    const running = a.lock('l').run(async ({ signal }) => {
      started.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      expect(signal.reason).toMatchObject({ code: 'CLOSED' });
      steps.push('callback');
      return 'value';
    });
    const plain = await a.lock('plain').acquire();
    await started.promise;
    const next = [b.lock('l').acquire(), b.lock('plain').acquire()];
    const closing = a.close().then((result) => {
      steps.push('closed');
      return result;
    });
    expect(await closing).toEqual({ drained: true, lapsed: [] });
    expect(await running).toBe('value');
    expect(steps).toEqual(['callback', 'closed']);
    expect(plain.valid).toBe(false);
    expect((await Promise.all(next)).every(({ valid }) => valid)).toBe(true);
  });

  test('past its deadline names the leases that lapse, and no other holds such a lock before it has run out', async () => {
    const { a, b } = await arrange();
    const started = gate();
    const finish = gate();
    const running = a.lock('stuck').run(async () => {
      started.open();
      await finish.promise;
    });
    await started.promise;
    const outcome = rejection(running, 'LEASE_LOST');
    expect(await a.close({ timeoutMs: 50 })).toEqual({ drained: false, lapsed: ['stuck'] });
    await rejection(b.lock('stuck').acquire({ timeoutMs: 100 }), 'LOCK_TIMEOUT');
    finish.open();
    await outcome;
    expect((await b.lock('stuck').acquire()).valid).toBe(true);
  });

  test('rejects what is queued with CLOSED and takes it out of the queue', async () => {
    const { a, b } = await arrange();
    const lease = await b.lock('l').acquire();
    const queued = rejection(a.lock('l').acquire(), 'CLOSED');
    await first(b.lock('l').state$, ({ waiting }) => waiting === 1);
    await a.close();
    await queued;
    await first(b.lock('l').state$, ({ waiting }) => waiting === 0);
    await lease.release();
  });

  test('is idempotent, and disposal is the same', async () => {
    const { a } = await arrange();
    const results = await Promise.all([a.close(), a.close({ timeoutMs: 1 })]);
    expect(results[1]).toBe(results[0]);
    await a[Symbol.asyncDispose]();
    expect(a.status).toMatchObject({ session: 'closed', stage: 'closed', connection: 'closed', text: 'closed' });
  });

  test('hands leadership over: the others have a leader again', async () => {
    const members = await group().joinAll();
    const leader = members.find(({ status }) => status.role === 'leader');
    const other = members.find((member) => member !== leader);
    await leader?.close();
    if (!other) throw new Error('not joined');
    const status = await first(other.status$, (it) => it.quorum && it.leader !== leader?.node);
    expect(status.leader).toBeDefined();
  });

  test('after the user’s client was closed is quick, rejects nothing and names what lapses', async () => {
    const { a } = await arrange();
    await a.lock('l').acquire();
    const queued = rejection(a.lock('l').acquire(), 'TRANSPORT_CLOSED');
    group().bus.close();
    await queued;
    await rejection(a.lock('m').acquire(), 'TRANSPORT_CLOSED');
    expect(await a.close()).toEqual({ drained: false, lapsed: ['l'] });
  });

  test('leaves the user’s connection open: the next instance joins on it under the same name', async () => {
    const { a } = await arrange();
    await a.close();
    const again = await group().join('d');
    expect(again.status.session).toBe('healthy');
  });

  test('ends campaigns and every stream', async () => {
    const { a } = await arrange();
    const candidacy = a.election('e').campaign();
    await first(candidacy.current$, (term) => term !== undefined);
    const streams: Observable<unknown>[] = [candidacy.current$, a.status$, a.events$, a.election('e').leader$];
    const ends = streams.map((stream$) => new Promise<void>((resolve) => stream$.subscribe({ complete: resolve })));
    await a.close();
    await Promise.all(ends);
    expect(candidacy.current).toBeUndefined();
  });

  test('takes a deadline of 0, but none below', async () => {
    const { a } = await arrange();
    await rejection(a.close({ timeoutMs: -1 }), 'INVALID_OPTIONS');
    expect(await a.close({ timeoutMs: 0 })).toEqual({ drained: true, lapsed: [] });
  });
});

describe('closing a voter where somebody stands by', () => {
  const group = useGroup();

  /** On a busy machine a leader must not be lost meanwhile, for a voter that finds none leaves without being replaced. */
  const patient = { timing: { electionTimeoutMs: 500, maxSessionTtlMs: 8_000 }, session: { ttlMs: 8_000 } };

  async function withStandby(): Promise<{ readonly voters: Quorate[]; readonly standby: Quorate; readonly leader: Quorate }> {
    const voters = await group().joinAll(undefined, patient);
    const standby = await group().join('d', { standby: true, ...patient });
    for (const { members$ } of voters) await first(members$, ({ standbys }) => standbys.some(({ lacking }) => lacking === 0));
    const leader = voters.find(({ node, status }) => status.leader === node) ?? only(voters);
    return { voters, standby, leader };
  }

  function namesOf({ members }: Quorate): string {
    return members.voters.map(({ node }) => node).join('');
  }

  test.each([
    ['the leader', true],
    ['a follower', false],
  ])('gives its seat to the standby before it leaves (3 voters, 1 standby, %s)', async (_who, isLeader) => {
    const { voters, standby, leader } = await withStandby();
    const leaving = isLeader ? leader : only(voters.filter((quorate) => quorate !== leader));
    await leaving.close();
    const staying = only(voters.filter((quorate) => quorate !== leaving && quorate !== leader));
    // Whoever left had heard that it is done, so a majority of those who vote now knows it; each of them soon does.
    await first(staying.members$, () => namesOf(staying) === 'abcd'.replace(leaving.node, ''));
    await first(standby.status$, ({ ready, seat }) => ready && seat === 'held');
    group().bus.disconnect(staying.node);
    await standby.lock('l').run(() => undefined);
  });

  test('is not taken for a loop that was blocked, though what it asks for is due at once (3 voters, 1 standby)', async () => {
    const { voters } = await withStandby();
    const leaving = only(voters.slice(0, 1));
    await leaving.close();
    expect(leaving.metrics().eventLoopLagMaxMs).toBeLessThan(60_000);
  });

  test('does not wait for longer than its deadline where no majority could give the seat away (3 voters, 1 standby)', async () => {
    const { voters, leader } = await withStandby();
    for (const other of voters) if (other !== leader) group().bus.disconnect(other.node);
    const beganMs = performance.now();
    await leader.close({ timeoutMs: 500 });
    expect(performance.now() - beganMs).toBeLessThan(3_000);
  });

  test('leaves at once where the majority would be of other names (3 voters, 1 standby)', async () => {
    const { voters } = await withStandby();
    await only(voters).replaceVoter('c', 'd');
    await group().join('e', { standby: true, ...patient });
    await voters.find(({ node }) => node === 'c')?.close();
    for (const { node, members$ } of voters) {
      if (node !== 'c') await first(members$, ({ standbys }) => standbys.map((standby) => standby.node).join() === 'e');
    }
    await voters.find(({ node }) => node === 'b')?.close();
    await first(only(voters).members$, ({ voters: seats }) => seats.some(({ node, heard }) => node === 'b' && !heard));
    expect(namesOf(only(voters))).toBe('abd');
  });
});
