/** The hand-over in good order: the durable is kept, the next owner goes on with it, and nothing is lost or handled twice. */
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { combinations, Gate, numbered, StreamWorld } from './stream-world.ts';

describeWithNats('an owned consumer of a stream', (nats) => {
  describe.each(combinations)('$retention, $client', ({ retention, connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect }, { retention });
    });
    afterEach(() => world.close());

    test('handles what a partition gets, in order, and acknowledges it (1 owner)', async () => {
      const a = await world.join('a');
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(20));
      await world.publish(4, 'of another partition');
      await world.until(() => world.handled.length === 20);
      expect(world.textsOf()).toEqual(numbered(20));
      expect(world.handled[0]).toEqual({ member: 'a', text: '0', partition: 3, token: grant.token, deliveries: 1 });
      await grant.revoke();
      const [durable] = await world.durables();
      expect(durable).toMatchObject({ name: `workers_3_${grant.token}`, num_ack_pending: 0, num_waiting: 0, num_redelivered: 0 });
      expect(durable?.ack_floor.stream_seq).toBeGreaterThanOrEqual(20);
    });

    test('goes on with the durable that the last owner handed over (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(10));
      await world.until(() => world.handled.length === 10);
      await first.revoke();
      expect(world.group.notes.get(3)).toBe(`workers_3_${first.token}`);
      await world.publish(3, ...numbered(10, 10));
      const second = b.partitions.grant(3);
      expect(second.previous).toBe(`workers_3_${first.token}`);
      await world.until(() => world.handled.length === 20);
      expect(world.textsOf()).toEqual(numbered(20));
      expect(world.textsOf(b)).toEqual(numbered(10, 10));
      expect(await world.durableNames()).toEqual([`workers_3_${first.token}`]);
      expect(b.events).toEqual([
        {
          type: 'durableTaken',
          partition: 3,
          token: second.token,
          durable: `workers_3_${first.token}`,
          isHandedOver: true,
          isGrown: false,
          deleted: [],
        },
      ]);
      await second.revoke();
    });

    test.each([1, 4])(
      'awaits the running handler, and gives back what waits behind it (max_ack_pending %d, 2 owners)',
      async (maxAckPending) => {
        const [a, b] = [await world.join('a', { maxAckPending }), await world.join('b', { maxAckPending })];
        const gate = new Gate();
        a.onMessage = () => gate.pass();
        const first = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        await world.publish(3, ...numbered(6));
        await gate.reached;
        const revoked = first.revoke();
        await world.publish(3, '6');
        gate.open();
        await revoked;
        expect(world.textsOf()).toEqual(['0']);
        // Several messages that were given back have no order that survives the death of a server: a new durable begins with the first.
        const durable = `workers_3_${first.token}${maxAckPending === 1 ? '' : '_1'}`;
        expect(a.events.at(-1)).toMatchObject({ type: 'durableLeft', durable, isHandedOver: true });
        const second = b.partitions.grant(3);
        expect(second.previous).toBe(durable);
        await world.until(() => world.handled.length === 7);
        expect(world.textsOf()).toEqual(numbered(7));
        await second.revoke();
      },
    );

    test('does not take a note for a hand-over that an owner before a crash has left (3 owners)', async () => {
      const [a, b, c] = [await world.join('a'), await world.join('b'), await world.join('c')];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await first.revoke();
      const second = b.partitions.grant(3);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      second.lapse();
      await second.settled;
      const third = c.partitions.grant(3);
      await world.publish(3, ...numbered(5, 5));
      await world.until(() => world.textsOf(c).includes('9'));
      expect(await world.durableNames()).toEqual([`workers_3_${third.token}`]);
      await third.revoke();
    });

    test('keeps partitions apart: each has a durable and an owner of its own (2 owners, 4 partitions)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const grants = [0, 1, 2, 3].map((partition) => (partition % 2 === 0 ? a : b).partitions.grant(partition));
      await world.until(() => a.events.length + b.events.length === 4);
      for (const one of numbered(10)) for (const partition of [0, 1, 2, 3]) await world.publish(partition, one);
      await world.until(() => world.handled.length === 40);
      for (const partition of [0, 1, 2, 3]) {
        const texts = world.handled.filter((one) => one.partition === partition);
        expect(texts.map((one) => one.text)).toEqual(numbered(10));
        expect(new Set(texts.map((one) => one.member)).size).toBe(1);
      }
      await Promise.all([a.consumer.stop(), b.consumer.stop()]);
      expect(await world.durableNames()).toEqual(grants.map(({ partition, token }) => `workers_${partition}_${token}`));
    });
  });
});
