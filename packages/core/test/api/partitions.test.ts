/** Owning partitions: who gets which, what stops when, and that nobody starts before the last owner has ended. */
import { filter, firstValueFrom, timeout } from 'rxjs';
import type { OwnedPartition, OwnOptions, PartitionHandler, PartitionsOptions } from '../../src/api/partitions-contract.ts';
import type { QuorateEvent } from '../../src/api/events.ts';
import type { Quorate } from '../../src/api/quorate.ts';
import { first, gate, rejection, until, useGroup } from './group.ts';

const fast: PartitionsOptions = { count: 6, settleMs: 30, graceMs: 50 };
const aborted = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

/** Handlers of several members of one set, and everything that they may not do to each other. */
class Set {
  readonly owners = new Map<number, string>();
  readonly grants: { readonly node: string; readonly partition: number; readonly token: number; readonly previous: string | undefined }[] =
    [];
  readonly overlaps: string[] = [];
  readonly owning: Promise<void>[] = [];

  constructor(private readonly options: PartitionsOptions = fast) {}

  of(quorate: Quorate) {
    return quorate.partitions('orders', this.options);
  }

  own(quorate: Quorate, options: OwnOptions = {}, atEnd: (owned: OwnedPartition) => Promise<void> | void = () => undefined): void {
    const handler: PartitionHandler = async (owned) => {
      const { partition, token, previous, signal } = owned;
      const other = this.owners.get(partition);
      if (other !== undefined) this.overlaps.push(`${partition}: ${other} and ${quorate.node}`);
      this.owners.set(partition, quorate.node);
      this.grants.push({ node: quorate.node, partition, token, previous });
      await aborted(signal);
      await atEnd(owned);
      this.owners.delete(partition);
    };
    this.owning.push(this.of(quorate).own(handler, options));
  }

  loads(...members: Quorate[]): number[] {
    return members.map((quorate) => this.of(quorate).mine.length);
  }

  async balanced(loads: readonly number[], ...members: Quorate[]): Promise<void> {
    await until(() => this.loads(...members).join() === loads.join() && this.owners.size === (this.of(members[0] as Quorate).count ?? 0));
  }
}

function next<T extends QuorateEvent['type']>(quorate: Quorate, type: T): Promise<Extract<QuorateEvent, { type: T }>> {
  const passes = (event: QuorateEvent): event is Extract<QuorateEvent, { type: T }> => event.type === type;
  return firstValueFrom(quorate.events$.pipe(filter(passes), timeout(30_000)));
}

describe('owning partitions (3 voters)', () => {
  const group = useGroup();

  async function arrange(options?: PartitionsOptions) {
    const [a, b, c] = await group().joinAll();
    if (!a || !b || !c) throw new Error('not joined');
    return { a, b, c, set: new Set(options) };
  }

  test('each is owned by one member at a time, evenly, by weight, and only what moves stops', async () => {
    const { a, b, c, set } = await arrange();
    set.own(a);
    await set.balanced([6], a);
    set.own(b);
    await set.balanced([3, 3], a, b);
    const keptByA = set.of(a).mine;
    set.own(c, { weight: 4 });
    await set.balanced([1, 1, 4], a, b, c);
    expect(keptByA).toEqual(expect.arrayContaining([...set.of(a).mine]));
    expect(set.overlaps).toEqual([]);
    expect(set.grants).toHaveLength(6 + 3 + 4);
  });

  test('the next owner starts once the promise of the last has settled, with its note, under a larger token', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const end = gate();
    set.own(a, {}, async (owned) => {
      expect(owned.signal.reason).toMatchObject({ code: 'PARTITION_REVOKED' });
      expect(owned.valid).toBe(true);
      await end.promise;
      owned.handOver('read up to 17');
    });
    await set.balanced([1], a);
    const revoked = next(a, 'partitionRevoked');
    set.own(b);
    await set.of(a).pin(0, 'b');
    await revoked;
    await first(set.of(b).ownership$, ({ partitions }) => partitions[0]?.state === 'revoking' && partitions[0].home === 'b');
    expect(set.grants).toHaveLength(1);
    end.open();
    await set.balanced([0, 1], a, b);
    const [earlier, later] = set.grants;
    expect(later).toMatchObject({ node: 'b', previous: 'read up to 17' });
    expect(later?.token).toBeGreaterThan(earlier?.token ?? Infinity);
    expect(set.overlaps).toEqual([]);
  });

  test('a note written while working is there for whoever comes next, however the owner ends', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const noted = gate();
    void set.of(a).own(async (owned) => {
      await owned.note('at 4');
      noted.open();
      await aborted(owned.signal);
    });
    await noted.promise;
    set.own(b);
    await a.close();
    await set.balanced([1], b);
    expect(set.grants).toMatchObject([{ node: 'b', previous: 'at 4' }]);
  });

  test('leaving by its signal gives everything up in order, and resolves once that is done', async () => {
    const { a, b, set } = await arrange();
    const stop = new AbortController();
    set.own(a, { signal: stop.signal });
    set.own(b);
    await set.balanced([3, 3], a, b);
    stop.abort();
    await set.owning[0];
    await set.balanced([0, 6], a, b);
    expect(set.overlaps).toEqual([]);
    expect(await set.of(a).plan({})).toEqual([]);
  });

  test('closing fires the signals, awaits the handlers, and others go on at once', async () => {
    const { a, b, set } = await arrange();
    const reasons: unknown[] = [];
    set.own(a, {}, ({ signal }) => void reasons.push(signal.reason));
    set.own(b);
    await set.balanced([3, 3], a, b);
    expect(await a.close()).toEqual({ drained: true, lapsed: [] });
    await set.owning[0];
    await set.balanced([6], b);
    expect(reasons).toMatchObject([{ code: 'CLOSED' }, { code: 'CLOSED' }, { code: 'CLOSED' }]);
    expect(set.overlaps).toEqual([]);
    await rejection(
      set.of(a).own(() => undefined),
      'CLOSED',
    );
  });

  test('closing past its deadline names what lapses, and nobody else starts before its lease has run out', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const end = gate();
    set.own(a, {}, () => end.promise);
    await set.balanced([1], a);
    set.own(b);
    expect(await a.close({ timeoutMs: 100 })).toEqual({ drained: false, lapsed: ['orders/0'] });
    expect(set.of(b).mine).toEqual([]);
    await until(() => set.of(b).mine.length === 1);
    end.open();
  });

  test('a handler that finds its lease over by asking for it, and ends, has not failed and is not started again', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const failures: QuorateEvent[] = [];
    a.events$.pipe(filter(({ type }) => type === 'partitionFailed')).subscribe((event) => failures.push(event));
    let calls = 0;
    void set.of(a).own(async (owned) => {
      calls += 1;
      while (owned.valid) await new Promise(setImmediate);
    });
    await until(() => set.of(a).mine.length === 1);
    const lost = next(a, 'sessionLost');
    group().bus.cut('a', 'b');
    group().bus.cut('a', 'c');
    await lost;
    void set.of(b).own(({ signal }) => aborted(signal));
    await until(() => set.of(b).mine.length === 1);
    expect(failures).toEqual([]);
    expect(calls).toBe(1);
  });

  test('a stuck handler loses its lease at the end of its budget, is told of, and only then is its partition given on', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const end = gate();
    let held: OwnedPartition | undefined;
    set.own(a, { drainTimeoutMs: 100 }, (owned) => {
      held = owned;
      return end.promise;
    });
    await set.balanced([1], a);
    const overrun = next(a, 'drainOverrun');
    let validAtStart: boolean | undefined;
    void set.of(b).own(async ({ signal }) => {
      validAtStart = held?.valid;
      await aborted(signal);
    });
    await set.of(a).pin(0, 'b');
    expect(await overrun).toMatchObject({ name: 'orders', partition: 0, token: held?.token });
    expect(held?.valid).toBe(false);
    await until(() => set.of(b).mine.length === 1);
    expect(validAtStart).toBe(false);
    expect(a.metrics().drainOverruns).toBe(1);
    expect(b.lock('l')).toBeDefined();
    end.open();
  });

  test('a handler that fails is started again under its token; after five failures another member gets the partition', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    const failed: unknown[] = [];
    a.events$.subscribe((event) => event.type === 'partitionFailed' && failed.push([event.failures, event.retryMs === null, event.token]));
    const tokens: number[] = [];
    void set.of(a).own(({ token }) => {
      tokens.push(token);
      if (tokens.length % 2 === 0) throw new Error('broken');
    });
    const early = await next(a, 'partitionFailed');
    expect(early.error).toMatchObject({ code: 'HANDLER_ENDED' });
    set.own(b);
    await until(() => set.of(b).mine.length === 1);
    const [token] = tokens;
    expect(tokens).toEqual([token, token, token, token, token]);
    expect(failed).toEqual([1, 2, 3, 4, 5].map((failures) => [failures, failures === 5, token]));
    expect(set.of(a).mine).toEqual([]);
  });

  test('nothing begins under a partition that is being given up because its handler failed', async () => {
    const { a, set } = await arrange({ ...fast, count: 1 });
    const givenUp = gate();
    a.events$.subscribe((event) => {
      if (event.type !== 'partitionFailed' || event.retryMs !== null) return;
      // The group hears nothing of it for now, and the lease lasts.
      group().bus.disconnect('a');
      givenUp.open();
    });
    void set.of(a).own(() => undefined);
    await givenUp.promise;
    await new Promise((resolve) => setImmediate(resolve));
    await rejection(
      set.of(a).whileOwned('k', () => undefined),
      'NOT_OWNER',
    );
    group().bus.heal();
  });

  test('a lost session ends every partition of it; the next session takes part again and finds its place kept', async () => {
    const { a, b, set } = await arrange({ ...fast, graceMs: 20_000 });
    set.own(a);
    set.own(b);
    await set.balanced([3, 3], a, b);
    const before = set.of(b).mine;
    const lost = next(b, 'partitionLost');
    group().bus.disconnect('b');
    expect((await lost).error).toMatchObject({ code: 'SESSION_LOST' });
    expect(set.of(b).mine).toEqual([]);
    group().bus.heal();
    await until(() => set.of(b).mine.length === 3);
    expect(set.of(b).mine).toEqual(before);
    expect(set.loads(a)).toEqual([3]);
    expect(set.overlaps).toEqual([]);
  });

  test('a member that does not return within its grace loses its place to the others', async () => {
    const { a, b, set } = await arrange();
    set.own(a);
    set.own(b);
    await set.balanced([3, 3], a, b);
    group().bus.disconnect('b');
    await until(() => set.of(a).mine.length === 6);
    expect(set.overlaps).toEqual([]);
  });

  test('work under a key runs only where its partition is owned, and a revocation waits for it', async () => {
    const { a, b, set } = await arrange({ ...fast, count: 1 });
    set.own(a);
    await set.balanced([1], a);
    const error = await rejection(
      set.of(b).whileOwned('k', () => undefined),
      'NOT_OWNER',
    );
    expect(error.details).toMatchObject({ partition: 0 });
    const started = gate();
    const end = gate();
    const call = set.of(a).whileOwned('k', async ({ token }) => {
      started.open();
      await end.promise;
      return token;
    });
    await started.promise;
    set.own(b);
    await set.of(a).pin(0, 'b');
    await next(a, 'partitionRevoked');
    await rejection(
      set.of(a).whileOwned('k', () => undefined),
      'NOT_OWNER',
    );
    expect(set.of(b).mine).toEqual([]);
    end.open();
    expect(await call).toBe(set.grants[0]?.token);
    await until(() => set.of(b).mine.length === 1);
    await rejection(
      set.of(a).whileOwned('k', () => undefined),
      'NOT_OWNER',
    );
  });

  test('everybody sees who owns what, with members and tokens, and can ask what would move', async () => {
    const { a, b, c, set } = await arrange();
    set.own(a);
    set.own(b, { weight: 2 });
    await set.balanced([2, 4], a, b);
    const { partitions, members, count } = await first(set.of(c).ownership$, (all) =>
      all.partitions.every(({ state }) => state === 'owned'),
    );
    expect(count).toBe(6);
    expect(partitions.filter(({ node }) => node === 'a').map(({ partition }) => partition)).toEqual(set.of(a).mine);
    expect(partitions.map(({ token }) => token).sort()).toEqual(expect.arrayContaining(set.grants.slice(-2).map(({ token }) => token)));
    expect(members).toEqual(
      expect.arrayContaining([
        { node: 'a', weight: 1, state: 'present' },
        { node: 'b', weight: 2, state: 'present' },
      ]),
    );
    await first(set.of(c).ownership$);
    const owner = set.of(c).owner('some key');
    expect(owner).toEqual(set.of(c).ownership?.partitions[set.of(c).partitionOf('some key')]);
    const moves = await set.of(c).plan({ join: ['c'] });
    set.own(c);
    await until(() => set.loads(a, b, c).reduce((sum, load) => sum + load) === 6 && set.of(c).mine.length > 0);
    expect(moves.map(({ partition }) => partition)).toEqual(set.of(c).mine);
  });

  test('operators drain, exclude and include members, and change the number of partitions', async () => {
    const { a, b, set } = await arrange();
    set.own(a);
    set.own(b);
    await set.balanced([3, 3], a, b);
    await set.of(a).drain('b');
    await set.balanced([6, 0], a, b);
    await set.of(a).include('b');
    await set.balanced([3, 3], a, b);
    await set.of(b).exclude('a');
    await set.balanced([0, 6], a, b);
    await set.of(b).include('a');
    await set.balanced([3, 3], a, b);
    await first(set.of(a).ownership$);
    await set.of(a).resize(9);
    await until(() => set.loads(a, b).reduce((sum, load) => sum + load) === 9);
    await set.of(a).resize(2);
    await until(() => set.loads(a, b).join() === '1,1' && set.owners.size === 2);
    expect(set.overlaps).toEqual([]);
    await rejection(set.of(a).drain('nobody'), 'NOT_A_MEMBER');
    await rejection(a.partitions('unknown', { count: 1 }).resize(2), 'NOT_A_MEMBER');
  });

  test('a member with other parameters takes part with those of the group, and is told', async () => {
    const { a, b, set } = await arrange();
    set.own(a);
    await set.balanced([6], a);
    const told = next(b, 'parametersDiffer');
    const others = b.partitions('orders', { count: 8, settleMs: 30, graceMs: 50 });
    void others.own(({ signal }) => aborted(signal));
    expect(await told).toMatchObject({ ours: { count: 8 }, theirs: { count: 6 } });
    await until(() => others.mine.length === 3);
    await first(others.ownership$);
    expect(others.count).toBe(6);
  });

  test('what cannot be is refused with the option that says so', async () => {
    const { a } = await arrange();
    for (const count of [0, 1.5, 16_385, Number.NaN]) expect(() => a.partitions(`n${count}`, { count })).toThrow(/`count`/);
    expect(() => a.partitions('', { count: 1 })).toThrow(/name/);
    expect(() => a.partitions('x', { count: 1, graceMs: -1 })).toThrow(/graceMs/);
    const set = a.partitions('orders', fast);
    for (const weight of [0, -1, Number.NaN, Infinity])
      await rejection(
        set.own(() => undefined, { weight }),
        'INVALID_OPTIONS',
      );
    await rejection(set.own('handler' as never), 'INVALID_OPTIONS');
    await rejection(
      set.own(() => undefined, { drainTimeoutMs: 0 }),
      'INVALID_OPTIONS',
    );
    await rejection(
      set.own(() => undefined, { onDrainTimeout: 'wait' as never }),
      'INVALID_OPTIONS',
    );
    await rejection(set.pin(-1, 'a'), 'INVALID_OPTIONS');
    await rejection(set.pin(0, ''), 'INVALID_NAME');
    const stop = new AbortController();
    const owning = set.own(({ signal }) => aborted(signal), { signal: stop.signal });
    await rejection(
      set.own(() => undefined),
      'INVALID_OPTIONS',
    );
    stop.abort();
    await owning;
    await set.own(() => undefined, { signal: stop.signal });
    expect(a.partitions('orders', { count: 2 })).toBe(set);
  });
});
