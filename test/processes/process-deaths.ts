/** What a group in real processes promises while they contend, are killed and are paused; the same on every broker. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { machineTimeMs } from '../../scripts/processes/protocol.ts';
import type { NodeProcess } from '../support/node-process.ts';
import { Crew, sessionsLost } from './crew.ts';
import type { GroupTiming } from './crew.ts';

export interface ProcessDeathSuite {
  /** Read in tests only: the broker is started by then. */
  readonly carrier: () => Carrier;
  readonly timing: GroupTiming;
  /** How many grants each process must have had for contention to have shown anything. */
  readonly grantsEach: number;
}

const testTimeoutMs = 90_000;

export function processDeaths({ carrier, timing, grantsEach }: ProcessDeathSuite): void {
  const crew = new Crew();
  afterEach(() => crew.leave(), testTimeoutMs);
  afterAll(() => crew.end(), testTimeoutMs);

  test(
    'grants one process at a time under contention, with rising tokens (3 voters and a client, a process each)',
    async () => {
      await crew.form(carrier(), timing);
      await contend(crew.all);
      await Promise.all(crew.all.map((node) => node.whenGranted(grantsEach)));
      await rest(crew.all);
      expect(crew.faults()).toEqual([]);
      expect(await sessionsLost(crew.all)).toBe(0);
    },
    testTimeoutMs,
  );

  test(
    'keeps the order of the queue across kill -9 of the leader, and drops its waiter (3 voters and a client, a process each)',
    async () => {
      const { leader, followers, client } = await crew.form(carrier(), timing);
      const [first, second] = followers;
      const held = await client.acquire('queued');
      const order: string[] = [];
      const tokens: number[] = [held.token];
      const served: Promise<unknown>[] = [];
      const waiters = [second, leader, first, second, client];
      for (const [index, node] of waiters.entries()) {
        const granted = node.acquire('queued').then(async ({ token }) => {
          order.push(`${index} ${node.name}`);
          tokens.push(token);
          await node.release(token);
        });
        if (node === leader) granted.catch(() => undefined);
        else served.push(granted);
        await client.ask('whenWaiting', { lock: 'queued', count: index + 1 });
      }

      await leader.kill();
      await client.ask('whenLed', { notBy: [leader.name] });
      expect(await client.release(held.token)).toBe('released');
      await Promise.all(served);

      expect(order).toEqual(waiters.map((node, index) => `${index} ${node.name}`).filter((_, index) => waiters[index] !== leader));
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      expect(new Set(tokens).size).toBe(tokens.length);
      expect(crew.faults()).toEqual([]);
      expect(await sessionsLost([first, second, client])).toBe(0);
    },
    testTimeoutMs,
  );

  test(
    'passes on the lock of a process killed by kill -9 when its lease is over, and knows its namesake for another (3 voters and a client, a process each)',
    async () => {
      const { followers } = await crew.form(carrier(), timing);
      const [holder, other] = followers;
      const held = await holder.acquire('deadly');
      const waiting = other.acquire('deadly');
      await other.ask('whenWaiting', { lock: 'deadly', count: 1 });

      const { usableUntilMs } = await holder.lookAt(held.token);
      await holder.kill();
      const rejoined = holder.rejoin();
      const next = await waiting;

      expect(machineTimeMs()).toBeGreaterThan(usableUntilMs);
      expect(next.token).toBeGreaterThan(held.token);
      await rejoined;
      // It came back without its memory, so it does not vote as the one that it was: the group gives its seat to the one that it is now.
      await holder.ask('whenReady', undefined);
      expect(await holder.look()).toMatchObject({ role: 'voter', seat: 'held', session: 'healthy' });
      expect(await other.look()).toMatchObject({ votersChanged: 1, sessionsLost: 0 });
      const again = holder.acquire('deadly');
      expect(await other.release(next.token)).toBe('released');
      expect((await again).token).toBeGreaterThan(next.token);
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );

  test(
    'elects another when the elected process is killed by kill -9, with nobody in between (3 voters and a client, a process each)',
    async () => {
      const { leader, followers, client } = await crew.form(carrier(), timing);
      await client.ask('watchElection', 'nightly');
      // The process that leads the group is elected too, and dies of both.
      await leader.ask('campaign', { election: 'nightly', value: 'one' });
      await client.whenLeaderSeen((seen) => seen.at(-1)?.leader === leader.name, 'the first to be elected');
      await followers[0].ask('campaign', { election: 'nightly', value: 'two' });

      await leader.kill();
      await client.whenLeaderSeen((seen) => seen.at(-1)?.leader === followers[0].name, 'the second to be elected');

      const seen = client.leaders.filter(({ leader: name }, index, all) => name !== all[index - 1]?.leader).map(({ leader: name }) => name);
      expect(seen.slice(-3)).toEqual([leader.name, undefined, followers[0].name]);
      const tokens = client.leaders.flatMap(({ token }) => (token === undefined ? [] : [token]));
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    },
    testTimeoutMs,
  );

  test(
    'refuses the write of a process that slept through its lease (3 voters and a client, a process each)',
    async () => {
      const { followers, client } = await crew.form(carrier(), timing);
      const [other] = followers;
      const guarded = new GuardedStore();
      const held = await client.acquire('sleepy');
      expect(guarded.write(held.token)).toBe(true);
      const waiting = other.acquire('sleepy');
      await other.ask('whenWaiting', { lock: 'sleepy', count: 1 });

      const folder = mkdtempSync(join(tmpdir(), 'quorate-awake-'));
      const file = join(folder, 'awake');
      const awake = client.ask('workUntil', { token: held.token, file });
      client.pause();
      const next = await waiting;
      expect(guarded.write(next.token)).toBe(true);
      writeFileSync(file, '');
      client.resume();

      // Asked in the middle of its work, before a timer ran or a frame came: the clock alone says that it is over.
      expect(await awake).toMatchObject({ valid: false });
      rmSync(folder, { recursive: true });
      expect(guarded.write(held.token)).toBe(false);
      expect(await client.ask('whenLost', held.token)).toBe('SESSION_LOST');
      // Its next session is another: what it is granted now is newer than what it slept through.
      expect(await other.release(next.token)).toBe('released');
      expect(guarded.write((await client.acquire('sleepy')).token)).toBe(true);
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );
}

/** What a database does with a correct guarded update. */
class GuardedStore {
  private fence = 0;

  write(token: number): boolean {
    if (token < this.fence) return false;
    this.fence = token;
    return true;
  }
}

/** Every process goes for the same two locks, several loops each. */
export async function contend(nodes: readonly NodeProcess[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.ask('contend', { locks: ['x', 'y'], loops: 3 })));
}

/** No loop may have ended before it was told to. */
export async function rest(nodes: readonly NodeProcess[]): Promise<void> {
  expect(await Promise.all(nodes.map((node) => node.ask('rest', undefined)))).toEqual(nodes.map(() => []));
}
