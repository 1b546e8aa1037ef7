/** Acknowledgements under way: nothing more is asked for, and nothing let go, before the server has confirmed them. */
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { Gate, numbered, streamClients, StreamWorld, until, wrapped } from './stream-world.ts';
import type { StreamConnection } from './stream-world.ts';

describeWithNats('an owned consumer whose acknowledgements are slow', (nats) => {
  describe.each(streamClients)('$client', (client) => {
    let world: StreamWorld;
    let gate: Gate;
    let passing: number;
    let asked: number[];
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, client);
      gate = new Gate();
      [passing, asked] = [0, []];
    });
    afterEach(() => world.close());

    /** Acknowledgements wait at the gate on their way to the server, all but the first few; what is asked for is written down. */
    const slow = (connection: StreamConnection): StreamConnection =>
      wrapped(connection, {
        request: async (subject, payload, options) => {
          if (subject.startsWith('$JS.ACK.') && passing-- <= 0) await gate.pass();
          return connection.request(subject, payload, options);
        },
        publish: (subject, payload, options) => {
          if (subject.includes('.CONSUMER.MSG.NEXT.')) asked.push((JSON.parse(String(payload)) as { batch: number }).batch);
          connection.publish(subject, payload, options);
        },
      });

    test('asks for as many more as are confirmed, so that a crash repeats no more than max_ack_pending (1 owner)', async () => {
      const a = await world.join('a', { maxAckPending: 3 }, {}, slow);
      passing = 1;
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 4);
      for (let turn = 0; turn < 20; turn += 1) await a.connection.flush();
      expect([asked, world.textsOf()]).toEqual([[3, 1], numbered(4)]);
      gate.open();
      await world.until(() => world.handled.length === 5);
      await grant.revoke();
    });

    test('lets go when the server has confirmed what was handled (1 owner)', async () => {
      const a = await world.join('a', { maxAckPending: 3 }, {}, slow);
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(3));
      await world.until(() => world.handled.length === 3);
      const order: string[] = [];
      const released = grant.revoke().then(() => order.push('released'));
      for (let turn = 0; turn < 20; turn += 1) await a.connection.flush();
      order.push('confirmed');
      gate.open();
      await released;
      expect(order).toEqual(['confirmed', 'released']);
      expect(a.events.at(-1)).toMatchObject({ type: 'durableLeft', durable: `workers_3_${grant.token}`, isHandedOver: true });
    });
  });
});

describeWithNats(
  'an owned consumer whose server dies',
  () => {
    test.each(streamClients)('goes on in order when it is back, and hands its durable over ($client, 2 owners)', async (client) => {
      await using broker = await natsBroker({ own: true });
      await using world = await StreamWorld.create(broker.urls, client);
      const options = { maxAckPending: 4 };
      const [a, b] = [await world.join('a', options), await world.join('b', options)];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      const publishing = world.publishStubbornly(3, ...numbered(60));
      await world.until(() => world.handled.length >= 20);
      await broker.kill();
      await broker.start();
      await publishing;
      await world.until(() => world.textsOf(a).includes('59'));
      const texts = world.textsOf(a);
      expect(texts.filter((text, index) => texts.indexOf(text) === index)).toEqual(numbered(60));
      // Killed, it may have forgotten acknowledgements that it had confirmed. Who handled the messages has not.
      await first.revoke();
      const second = b.partitions.grant(3);
      await world.publishStubbornly(3, '60');
      await until(() => world.textsOf(b).includes('60'));
      expect(world.textsOf(b)).toEqual(['60']);
      await second.revoke();
    });

    test.each(streamClients)('is given up while the server is away: its lease ends it ($client, 1 owner)', async (client) => {
      await using broker = await natsBroker({ own: true });
      await using world = await StreamWorld.create(broker.urls, client);
      const gate = new Gate();
      const a = await world.join('a', { requestTimeoutMs: 600_000 }, {}, (connection) =>
        wrapped(connection, {
          request: (subject, payload, options) => {
            if (subject.includes('.CONSUMER.INFO.')) void gate.pass();
            return connection.request(subject, payload, options);
          },
        }),
      );
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, '0');
      await world.until(() => world.handled.length === 1);
      await broker.kill();
      const revoked = grant.revoke();
      // It asks whether it can hand the durable over, or waits for the end of its pulls, and is not answered either way.
      await Promise.race([gate.reached, new Promise((resolve) => setTimeout(resolve, 300))]);
      grant.lapse();
      await revoked;
      expect(world.group.notes.get(3)).toBeUndefined();
      await broker.start();
      await world.publishStubbornly(3, '1');
    });
  },
  { own: true },
);
