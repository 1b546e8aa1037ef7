/** Taking over what an owner left half done, or what was changed or deleted meanwhile. */
import { AckPolicy, DeliverPolicy } from 'nats';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { combinations, Gate, numbered, StreamWorld } from './stream-world.ts';

describeWithNats('taking a partition over', (nats) => {
  describe.each(combinations)('$retention, $client', ({ retention, connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect }, { retention });
    });
    afterEach(() => world.close());

    test('begins a new durable where the settings are others, behind what was handled (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b', { maxAckPending: 7 })];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      await first.revoke();
      await world.publish(3, ...numbered(5, 5));
      const second = b.partitions.grant(3);
      await world.until(() => world.handled.length === 10);
      expect(world.textsOf()).toEqual(numbered(10));
      const durables = await world.durables();
      expect(durables.map(({ name, config }) => [name, config.max_ack_pending])).toEqual([[`workers_3_${second.token}`, 7]]);
      await second.revoke();
    });

    test('begins anew under the same grant where the handler of the partition is started again (1 owner)', async () => {
      const a = await world.join('a');
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      await first.revoke();
      const again = a.partitions.grant(3, first.token);
      await world.publish(3, ...numbered(5, 5));
      await world.until(() => world.handled.length === 10);
      expect(world.textsOf()).toEqual(numbered(10));
      expect(await world.durableNames()).toEqual([`workers_3_${first.token}_1`]);
      await again.revoke();
    });

    test('goes on behind what it has handled when somebody deletes its durable (1 owner)', async () => {
      const a = await world.join('a');
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      await world.manager.consumers.delete(world.stream, `workers_3_${grant.token}`);
      await world.until(() => a.events.some(({ type }) => type === 'durableRenewed'));
      await world.until(() => a.events.filter(({ type }) => type === 'durableTaken').length === 2);
      await world.publish(3, ...numbered(5, 5));
      await world.until(() => world.handled.length === 10);
      expect(world.textsOf()).toEqual(numbered(10));
      await grant.revoke();
    });

    test('leaves the durables of other partitions, of other names and of strangers alone (1 owner)', async () => {
      // A work queue refuses consumers that overlap; these read nothing of the partition.
      const foreign = ['workers_33_1', 'workers_3_1_x', 'workers__3_1', 'other_3_1'];
      for (const [index, name] of foreign.entries()) {
        await world.manager.consumers.add(world.stream, {
          durable_name: name,
          ack_policy: AckPolicy.Explicit,
          deliver_policy: DeliverPolicy.All,
          filter_subject: `${world.stream}.elsewhere.${index}`,
        });
      }
      const a = await world.join('a');
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      expect(await world.durableNames()).toEqual([`workers_3_${grant.token}`, ...foreign].sort());
      await grant.revoke();
    });
  });

  describe.each(combinations.filter(({ retention }) => retention !== 'workqueue'))('$retention, $client', ({ retention, connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect }, { retention });
    });
    afterEach(() => world.close());

    test('begins behind the highest floor where an owner died between making its durable and deleting the last (3 owners)', async () => {
      const [a, c] = [await world.join('a'), await world.join('c')];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(6));
      await world.until(() => world.handled.length === 6);
      first.lapse();
      await first.settled;
      // The one that died had read a floor of 2, and closed the durable for pulls.
      const [durable] = await world.durables();
      if (durable === undefined) throw new Error('the first owner has no durable');
      await world.manager.consumers.update(world.stream, durable.name, { max_expires: 1_000_000 });
      await world.manager.consumers.add(world.stream, {
        ...durable.config,
        durable_name: `workers_3_${world.group.nextToken()}`,
        name: undefined,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: 3,
      });
      const third = c.partitions.grant(3);
      await world.publish(3, ...numbered(4, 6));
      await world.until(() => world.handled.length >= 10);
      expect(world.textsOf()).toEqual(numbered(10));
      expect(await world.durableNames()).toEqual([`workers_3_${third.token}`]);
      await third.revoke();
    });

    test('has the new durable before the last one goes: a message in between is not lost (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const gate = new Gate();
      a.onMessage = ({ text }) => (text === '5' ? gate.pass() : undefined);
      a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      const publishing = world.publish(3, ...numbered(300));
      await gate.reached;
      // While a stream of messages goes on.
      const second = b.partitions.grant(3);
      await publishing;
      await world.until(() => world.textsOf(b).includes('299'));
      expect(world.textsOf(b)).toEqual(numbered(295, 5));
      gate.open();
      await second.revoke();
    });
  });

  describe.each(combinations.filter(({ retention }) => retention === 'limits'))('$retention, $client', ({ connect }) => {
    test('begins with what comes where that is asked for, and only the first time (2 owners)', async () => {
      await using world = await StreamWorld.create(nats.urls, { connect });
      await world.publish(3, 'before');
      const [a, b] = [await world.join('a', { from: 'new' }), await world.join('b', { from: 'new' })];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, '0');
      await world.until(() => world.handled.length === 1);
      first.lapse();
      await first.settled;
      await world.publish(3, '1');
      const second = b.partitions.grant(3);
      await world.until(() => world.handled.length === 2);
      expect(world.textsOf()).toEqual(['0', '1']);
      await second.revoke();
    });
  });
});
