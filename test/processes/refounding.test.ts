/** Real voters without a store, of which a majority is killed at once: the group stops and says so, or is founded anew. The safety rules 12 and 15. */
import type { Carrier } from '../../scripts/processes/carrier.ts';
import { describeWithKafka, describeWithNats } from '../support/brokers.ts';
import { Crew, kafkaTiming, natsTiming } from './crew.ts';
import type { Cast, GroupTiming } from './crew.ts';

const testTimeoutMs = 300_000;
/** A founding that follows another waits out what that one may have granted. */
const joinTimeoutMs = 100_000;

interface Setting {
  readonly carrier: () => Carrier;
  readonly timing: GroupTiming;
}

function majorityLost({ carrier, timing }: Setting): void {
  const crew = new Crew();
  afterEach(() => crew.leave(), testTimeoutMs);
  afterAll(() => crew.end(), testTimeoutMs);

  /** The leader and a follower come back under their names with empty memory. */
  async function loseMajority({ leader, followers: [doomed] }: Cast): Promise<readonly Promise<void>[]> {
    await Promise.all([leader.kill(), doomed.kill()]);
    return [leader.rejoin(), doomed.rejoin()];
  }

  test(
    'found their group anew on request: a lease of before is over when it was due, and grants go on under larger tokens (3 voters and a client, a process each)',
    async () => {
      const cast = await crew.form(carrier(), { ...timing, joinTimeoutMs, whenMajorityIsLost: 'refound' });
      const { leader, followers, client } = cast;
      const [doomed, survivor] = followers;
      const held = await client.acquire('held');
      const ended = client.ask('whenLost', held.token);

      await Promise.all(await loseMajority(cast));
      expect(await ended).toBe('SESSION_LOST');
      const voters = [leader, doomed, survivor];
      await Promise.all(voters.map((voter) => voter.ask('whenReady', undefined)));
      const tokens = [held.token];
      for (const node of [survivor, leader, doomed, client]) {
        const { token } = await node.acquire('held');
        tokens.push(token);
        await node.release(token);
      }

      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      expect(new Set(tokens).size).toBe(tokens.length);
      expect(crew.faults()).toEqual([]);
      for (const voter of voters) expect(await voter.look()).toMatchObject({ seat: 'held', session: 'healthy', missing: [] });
    },
    testTimeoutMs,
  );

  test(
    'stop by default: who survived says who is lost, and nothing is granted (3 voters and a client, a process each)',
    async () => {
      const cast = await crew.form(carrier(), { ...timing, joinTimeoutMs });
      const { leader, followers } = cast;
      const [doomed, survivor] = followers;
      const again = await loseMajority(cast);
      const joins = Promise.allSettled(again);
      // Until it has heard both newcomers it takes them for silent, and a session that runs out first is the loss it tells of.
      await survivor.ask('whenMajorityIsKnownLost', undefined);

      await expect(survivor.acquire('held')).rejects.toMatchObject({
        code: 'MAJORITY_LOST',
        message: expect.stringContaining([leader.name, doomed.name].sort().join(', ')) as string,
      });
      expect(await survivor.look()).toMatchObject({ quorum: false, leader: undefined });
      await Promise.all([leader.kill(), doomed.kill()]);
      expect(await joins).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    },
    testTimeoutMs,
  );
}

describeWithNats('voters in processes on NATS that lose their majority', (nats) => {
  majorityLost({ carrier: () => ({ type: 'nats', urls: nats.urls }), timing: natsTiming });
});

describeWithKafka('voters in processes on Kafka that lose their majority', (kafka) => {
  majorityLost({ carrier: () => ({ type: 'kafka', brokers: kafka.brokers }), timing: kafkaTiming });
});
