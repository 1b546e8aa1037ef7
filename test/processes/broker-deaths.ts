/** What a group in real processes promises when the broker under it is killed and comes back; the same on every broker. */
import type { Broker } from '../../scripts/brokers/index.ts';
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { machineTimeMs } from '../../scripts/processes/protocol.ts';
import { Crew, sessionsLost } from './crew.ts';
import type { GroupTiming } from './crew.ts';
import { contend, rest } from './process-deaths.ts';

export interface BrokerDeathSuite<B extends Broker> {
  readonly start: () => Promise<B>;
  readonly carrierOf: (broker: B) => Carrier;
  /** For the test that waits for the sessions of the dead. */
  readonly timing: GroupTiming;
  readonly grantsEach: number;
}

const testTimeoutMs = 120_000;

export function brokerDeaths<B extends Broker>({ start, carrierOf, timing, grantsEach }: BrokerDeathSuite<B>): void {
  const crew = new Crew();
  let broker: B;
  beforeAll(async () => void (broker = await start()), testTimeoutMs);
  afterEach(() => crew.leave(), testTimeoutMs);
  afterAll(async () => {
    await crew.end();
    await broker.close();
  }, testTimeoutMs);

  test(
    'loses no lease and no place in the queue when the broker is killed by kill -9 and started again (3 voters and a client, a process each)',
    async () => {
      const { leader, followers, client } = await crew.form(carrierOf(broker));
      const holders = [leader, ...followers];
      const held = await Promise.all(holders.map((node) => node.acquire(`of ${node.name}`)));
      const order: string[] = [];
      const served: Promise<void>[] = [];
      for (const [index, node] of [client, followers[0]].entries()) {
        const granted = node.acquire(`of ${leader.name}`).then(async ({ token }) => {
          order.push(node.name);
          await node.release(token);
        });
        served.push(granted);
        await client.ask('whenWaiting', { lock: `of ${leader.name}`, count: index + 1 });
      }

      await broker.kill();
      await Promise.all(crew.all.map((node) => node.ask('whenDisconnected', undefined)));
      await broker.start();
      await Promise.all(crew.all.map((node) => node.ask('whenConnected', undefined)));

      const after = await client.acquire('after');
      for (const [index, node] of holders.entries()) {
        const token = held[index]?.token ?? 0;
        expect(await node.lookAt(token)).toMatchObject({ valid: true });
        expect(await node.release(token)).toBe('released');
        expect(after.token).toBeGreaterThan(token);
      }
      await Promise.all(served);
      expect(order).toEqual([client.name, followers[0].name]);
      expect(await sessionsLost(crew.all)).toBe(0);
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );

  test(
    'loses what was held with its reason when the broker stays away for longer than the TTL, and goes on in new sessions by itself (3 voters and a client, a process each)',
    async () => {
      const { leader, followers, client } = await crew.form(carrierOf(broker), timing);
      const holders = [client, leader];
      const held = await Promise.all(holders.map((node) => node.acquire(`of ${node.name}`)));
      const ends = holders.map(async (node, index) => {
        const token = held[index]?.token ?? 0;
        const [seen, aborted, lost] = await Promise.all([
          node.ask('seenUntilLost', undefined),
          node.ask('whenAborted', token),
          node.ask('whenLost', token),
        ]);
        return { seen, aborted, lost, atMs: machineTimeMs(), look: await node.lookAt(token) };
      });

      await broker.kill();
      // Nothing but the end of the leases ends the outage.
      for (const [index, end] of (await Promise.all(ends)).entries()) {
        expect(end).toMatchObject({ aborted: 'SESSION_LOST', lost: 'SESSION_LOST', look: { valid: false } });
        expect(end.atMs).toBeGreaterThan(held[index]?.usableUntilMs ?? Infinity);
        expect(end.seen.slice(-2)).toEqual(['disconnected jeopardy', 'disconnected lost']);
      }
      await broker.start();
      await Promise.all(crew.all.map((node) => node.ask('whenConnected', undefined)));

      for (const [index, node] of holders.entries()) {
        const before = held[index]?.token ?? 0;
        expect(await node.release(before)).toBe('lost');
        const next = await followers[0].acquire(`of ${node.name}`);
        expect(next.token).toBeGreaterThan(before);
        expect(await followers[0].release(next.token)).toBe('released');
        expect((await node.acquire(`of ${node.name}`)).token).toBeGreaterThan(next.token);
        expect((await node.look()).sessionsLost).toBeGreaterThan(0);
      }
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );

  test(
    'keeps exclusion and rising tokens while the leader, the broker and a contender are killed in turn (3 voters and a client, a process each)',
    async () => {
      const { leader, followers, client } = await crew.form(carrierOf(broker), timing);
      const more = (): Promise<unknown> => Promise.all(followers.map((node) => node.whenGranted(node.holds.length + grantsEach)));
      await contend(crew.all);
      await more();
      await leader.kill();
      await more();
      await broker.kill();
      await broker.start();
      await more();
      await client.kill();
      await more();
      await rest(followers);
      expect(crew.faults()).toEqual([]);
    },
    testTimeoutMs,
  );
}
