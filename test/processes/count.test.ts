/** Real processes with random names on real brokers: whoever comes first is a voter, and there is one group. The safety rule 22. */
import { randomBytes } from 'node:crypto';
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { describeWithKafka, describeWithNats } from '../support/brokers.ts';
import { NodeProcess } from '../support/node-process.ts';
import { kafkaTiming, natsTiming } from './crew.ts';
import type { GroupTiming } from './crew.ts';

const patienceMs = 180_000;
const voters = { count: 3 } as const;

interface Setting {
  readonly carrier: () => Carrier;
  readonly timing: GroupTiming;
}

function pods(count: number): NodeProcess[] {
  return Array.from({ length: count }, () => new NodeProcess(`pod-${randomBytes(4).toString('hex')}`));
}

function foundings({ carrier, timing }: Setting): void {
  const started: NodeProcess[] = [];
  const group = (): string => `count-${randomBytes(6).toString('hex')}`;
  const start = async (nodes: readonly NodeProcess[]): Promise<void> => {
    started.push(...nodes);
    await Promise.all(nodes.map((node) => node.start()));
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map((node) => node.end()));
  }, patienceMs);

  test(
    'three with random names form a group, and a fourth finds it and takes a lock (4 processes)',
    async () => {
      const [fourth, ...first] = pods(4);
      if (!fourth) throw new Error('no fourth');
      await start([fourth, ...first]);
      const settings = { carrier: carrier(), group: group(), voters, ...timing };
      await Promise.all(first.map((node) => node.join(settings)));
      const names = first.map(({ name }) => name).sort();
      for (const node of first) expect(await node.look()).toMatchObject({ seat: 'held', session: 'healthy', voters: names });
      await fourth.join(settings);
      const seen = await fourth.look();
      expect(seen).toMatchObject({ session: 'healthy', voters: names });
      expect(['client', 'standby']).toContain(seen.role);
      const { token } = await fourth.acquire('l');
      await expect(first[0]?.acquire('l', 300)).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
      await fourth.release(token);
    },
    patienceMs,
  );

  test(
    'two sets that start at once are one group (6 processes)',
    async () => {
      const all = [...pods(3), ...pods(3)];
      await start(all);
      const settings = { carrier: carrier(), group: group(), voters, ...timing };
      await Promise.all(all.map((node) => node.join(settings)));
      const views = await Promise.all(all.map((node) => node.look()));
      expect(new Set(views.map((view) => view.voters.join())).size).toBe(1);
      expect(views.filter(({ seat }) => seat === 'held')).toHaveLength(3);
      const leases = await Promise.all(all.map((node) => node.acquire('l').then(({ token }) => node.release(token))));
      expect(leases).toEqual(all.map(() => 'released'));
    },
    patienceMs,
  );

  test(
    'one alone founds nothing, and says what it waits for (1 process)',
    async () => {
      const [alone] = pods(1);
      if (!alone) throw new Error('none');
      await start([alone]);
      const joining = alone.join({ carrier: carrier(), group: group(), voters, joinTimeoutMs: 4_000, ...timing });
      await expect(joining).rejects.toMatchObject({
        code: 'JOIN_TIMEOUT',
        message: expect.stringContaining('1 of 3 candidates seen') as string,
      });
    },
    patienceMs,
  );

  test(
    'one that is killed half-way is replaced by another (3 processes, one killed at once, a fourth)',
    async () => {
      const [doomed, ...rest] = pods(4);
      if (!doomed) throw new Error('none');
      await start([doomed, ...rest]);
      const settings = { carrier: carrier(), group: group(), voters, ...timing };
      const joining = [doomed, ...rest.slice(0, 2)].map((node) => node.join(settings));
      joining[0]?.catch(() => undefined);
      await doomed.kill();
      const fourth = rest[2]?.join(settings);
      // Had it founded the group with the others, they are a majority; had it not, the fourth takes its place.
      await Promise.all([...joining.slice(1), fourth]);
      const views = await Promise.all(rest.map((node) => node.look()));
      expect(new Set(views.map((view) => view.voters.join())).size).toBe(1);
      expect(views.filter(({ seat }) => seat === 'held').length).toBeGreaterThanOrEqual(2);
    },
    patienceMs,
  );
}

describeWithNats('a group founded by count in processes on NATS', (nats) => {
  foundings({ carrier: () => ({ type: 'nats', urls: nats.urls }), timing: natsTiming });
});

describeWithKafka('a group founded by count in processes on Kafka', (kafka) => {
  foundings({ carrier: () => ({ type: 'kafka', brokers: kafka.brokers }), timing: kafkaTiming });
});
