/** What a group whose voters keep their memory promises when all of them die at once; the same on every broker and every store. */
import type { Carrier } from '../../scripts/processes/carrier.ts';
import type { Keeping } from '../../scripts/processes/keeping.ts';
import { NodeProcess } from '../support/node-process.ts';
import { Crew, sessionsLost } from './crew.ts';
import type { GroupTiming } from './crew.ts';

export interface GroupDeathSuite {
  /** Read in tests only: the broker is started by then. */
  readonly carrier: () => Carrier;
  /** A place of its own for each test. */
  readonly keeping: () => Keeping;
  /** What a second process on the seat of a living voter meets: it is refused, or the living one is. */
  readonly secondProcess: 'refused' | 'fences';
  /** Sessions of clients outlive the time that the voters are away. */
  readonly timing: GroupTiming;
}

const testTimeoutMs = 300_000;
/** Who takes a seat over has the session of the run before it to bury: a TTL, and another after each change of the leader. */
const takeOverTtlMs = 20_000;
/** A second process is refused within seconds, whatever a loaded machine adds. */
const refusalMs = 20_000;

export function groupDeaths({ carrier, keeping, secondProcess, timing }: GroupDeathSuite): void {
  const crew = new Crew();
  const second = new NodeProcess('e');
  const namesake = new NodeProcess('a');
  afterEach(async () => {
    await Promise.all([crew.leave(), second.leave()]);
  }, testTimeoutMs);
  afterAll(async () => {
    await Promise.all([crew.end(), second.end(), namesake.end()]);
  }, testTimeoutMs);

  test(
    'comes back with its queue, its tokens and its elected leader after kill -9 of every voter (3 voters and 2 clients, a process each)',
    async () => {
      const { client } = await crew.form(carrier(), { ...timing, keeping: keeping() });
      await second.start();
      await second.join({ ...client.joined, keeping: undefined });
      await client.ask('campaign', { election: 'chief', value: 'd' });
      await second.ask('watchElection', 'chief');
      await second.whenLeaderSeen((seen) => seen.at(-1)?.leader === 'd', 'd as the chief');
      const term = second.leaders.at(-1);
      const held = await client.acquire('queued');
      const order: string[] = [];
      const tokens = [held.token];
      const served: Promise<void>[] = [];
      for (const [index, node] of [second, client, second].entries()) {
        const granted = node.acquire('queued').then(async ({ token }) => {
          order.push(`${index} ${node.name}`);
          tokens.push(token);
          await node.release(token);
        });
        served.push(granted);
        await client.ask('whenWaiting', { lock: 'queued', count: index + 1 });
      }

      await Promise.all(crew.voters.map((voter) => voter.kill()));
      // Each has a session of its last life to bury, which takes a TTL; nobody else waits for that.
      const back = crew.voters.map((voter) => voter.rejoin());
      await client.ask('whenConnected', undefined);
      const after = await second.acquire('after');
      expect(await client.lookAt(held.token)).toMatchObject({ valid: true });
      expect(await client.release(held.token)).toBe('released');
      await Promise.all(served);

      expect(order).toEqual(['0 e', '1 d', '2 e']);
      expect(after.token).toBeGreaterThan(held.token);
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      expect(second.leaders.at(-1)).toEqual(term);
      await Promise.all(back);
      expect(crew.faults()).toEqual([]);
      expect(await sessionsLost([client, second])).toBe(0);
    },
    testTimeoutMs,
  );

  if (secondProcess === 'fences') return takeOvers();

  test(
    'refuses a second process on the seat of a living voter within seconds, and takes one after its death (3 voters, a process each)',
    async () => {
      await crew.form(carrier(), { ...timing, keeping: keeping() });
      const [a] = crew.voters;
      await namesake.start();
      const beganMs = performance.now();
      await expect(namesake.join(a!.joined)).rejects.toMatchObject({ code: 'STORAGE_IN_USE' });
      expect(performance.now() - beganMs).toBeLessThan(refusalMs);
      await a!.kill();
      await namesake.join(a!.joined);
      expect((await namesake.look()).seat).toBe('held');
      await namesake.leave();
    },
    testTimeoutMs,
  );

  function takeOvers(): void {
    test(
      'has the store refuse a living voter within seconds of the start of a second process on its seat (3 voters, a process each)',
      async () => {
        const { client } = await crew.form(carrier(), { ...timing, sessionTtlMs: takeOverTtlMs, keeping: keeping() });
        const [a] = crew.voters;
        await namesake.start();
        const stopped = a!.ask('whenStopped', undefined);
        const beganMs = performance.now();
        const joined = namesake.join(a!.joined);
        expect(await stopped).toBe('STORAGE_IN_USE');
        expect(performance.now() - beganMs).toBeLessThan(refusalMs);
        await joined;
        expect((await namesake.look()).seat).toBe('held');
        await client.release((await client.acquire('after')).token);
        await namesake.leave();
      },
      testTimeoutMs,
    );

    test(
      'stops a leader that slept while another run took its seat over, and nothing it held overlaps (3 voters and a client, a process each)',
      async () => {
        const { leader, client } = await crew.form(carrier(), { ...timing, sessionTtlMs: takeOverTtlMs, keeping: keeping() });
        const successor = new NodeProcess(leader.name);
        try {
          await client.ask('contend', { locks: ['x', 'y'], loops: 4 });
          await client.whenGranted(20);
          await successor.start();
          leader.pause();
          await successor.join(leader.joined);
          const granted = client.holds.length;
          leader.resume();
          expect(await leader.ask('whenStopped', undefined)).toBe('STORAGE_IN_USE');
          await client.whenGranted(granted + 20);
          expect(await client.ask('rest', undefined)).toEqual([]);
          expect((await successor.look()).seat).toBe('held');
          expect(crew.faults()).toEqual([]);
        } finally {
          await successor.leave();
          await successor.end();
        }
      },
      testTimeoutMs,
    );
  }
}
