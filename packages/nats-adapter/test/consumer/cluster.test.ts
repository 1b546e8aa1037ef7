/** Owned consumers on three servers: with one replica and with three, across hand-overs, crashes and the death of a server. */
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { combinations, numbered, streamClients, StreamWorld } from './stream-world.ts';

/** Three servers on a busy machine take their time. */
const patienceMs = 120_000;
const patient = { requestTimeoutMs: 60_000 };

describeWithNats(
  'an owned consumer on three servers',
  () => {
    let broker: NatsBroker;
    let world: StreamWorld;
    beforeAll(async () => {
      broker = await natsBroker({ own: true, cluster: 3 });
    }, patienceMs);
    afterEach(() => world.close(), patienceMs);
    afterAll(() => broker.close());

    const replicated = combinations.flatMap((combination) => [1, 3].map((replicas) => ({ ...combination, replicas })));
    describe.each(replicated)('$retention, $client, $replicas replicas', ({ retention, connect, replicas }) => {
      test(
        'keeps the order through a hand-over and a crash, and repeats at most max_ack_pending (3 owners)',
        async () => {
          const maxAckPending = 2;
          world = await StreamWorld.create(broker.urls, { connect }, { retention, replicas });
          const options = { ...patient, maxAckPending };
          const [a, b, c] = [await world.join('a', options), await world.join('b', options), await world.join('c', options)];
          const first = a.partitions.grant(3);
          await world.until(() => a.events.length > 0);
          const publishing = world.publish(3, ...numbered(120));
          await world.until(() => world.textsOf(a).length >= 30);
          await first.revoke();
          const second = b.partitions.grant(3);
          await world.until(() => world.textsOf(b).length >= 30);
          const beforeCrash = world.handled.length;
          expect(world.textsOf()).toEqual(numbered(beforeCrash));
          const third = c.partitions.grant(3);
          await publishing;
          await world.until(() => world.textsOf(c).includes('119'));
          const [byB, byC] = [world.textsOf(b), world.textsOf(c)];
          const start = Number(byC[0]);
          expect(byC).toEqual(numbered(120 - start, start));
          expect(byB.filter((text) => byC.includes(text)).length).toBeLessThanOrEqual(maxAckPending);
          expect(new Set(world.textsOf()).size).toBe(120);
          await world.until(() => b.events.some(({ type }) => type === 'partitionFailed'));
          expect(second.valid).toBe(true);
          expect((await world.durables()).map(({ name, config }) => [name, config.num_replicas || replicas])).toEqual([
            [`workers_3_${third.token}`, replicas],
          ]);
          await third.revoke();
        },
        patienceMs,
      );
    });

    test.each(streamClients)(
      'goes on in order when the server that leads the durable is killed ($client, 2 owners)',
      async (client) => {
        world = await StreamWorld.create(broker.urls, client, { replicas: 3 });
        const a = await world.join('a', { ...patient, maxAckPending: 4, ackWaitMs: 2_000, pullExpiresMs: 2_000 });
        const b = await world.join('b', patient);
        const first = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        const publishing = world.publishStubbornly(3, ...numbered(80));
        await world.until(() => world.textsOf(a).length >= 20);
        const leader = (await world.durables())[0]?.cluster?.leader ?? '';
        const member = broker.members[Number(leader.slice(1)) - 1];
        await member?.kill();
        await publishing;
        await world.until(() => world.textsOf(a).includes('79'));
        const texts = world.textsOf(a);
        // What was handled while its acknowledgement was lost may be seen twice; nothing is skipped and nothing overtaken.
        expect(texts.filter((text, index) => texts.indexOf(text) === index)).toEqual(numbered(80));
        await member?.start();
        await first.revoke();
        const second = b.partitions.grant(3);
        await world.publishStubbornly(3, '80');
        await world.until(() => world.textsOf(b).includes('80'));
        await second.revoke();
      },
      patienceMs,
    );
  },
  { own: 'process' },
);
