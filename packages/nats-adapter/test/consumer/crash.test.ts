/** Owners whose lease ends without a word: the next one loses nothing, keeps the order, and repeats no more than was unacknowledged. */
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { combinations, Gate, numbered, StreamWorld, until } from './stream-world.ts';
import type { Member } from './stream-world.ts';

describeWithNats('an owned consumer whose owner was lost', (nats) => {
  describe.each(combinations)('$retention, $client', ({ retention, connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect }, { retention });
    });
    afterEach(() => world.close());

    const lost = (member: Member): boolean => member.events.some(({ type }) => type === 'partitionFailed');

    describe.each([1, 5])('max_ack_pending %d', (maxAckPending) => {
      test('keeps the order and repeats at most max_ack_pending while the last owner goes on pulling and acknowledging (2 owners)', async () => {
        const [a, b] = [await world.join('a', { maxAckPending }), await world.join('b', { maxAckPending })];
        const zombie = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        let [total, more] = [0, 100];
        const publishing = (async () => {
          // Until the next owner is there, and on.
          for (; more > 0; total += 1) {
            await world.publish(3, String(total));
            if (b.events.length > 0) more -= 1;
          }
        })();
        await world.until(() => world.handled.length >= 100);
        // Nobody tells the last owner: its clock says that the lease holds.
        const second = b.partitions.grant(3);
        await publishing;
        await world.until(() => world.textsOf(b).includes(String(total - 1)));
        expect(zombie.valid).toBe(true);
        const [byA, byB] = [world.textsOf(a).map(Number), world.textsOf(b).map(Number)];
        const first = byB[0] ?? -1;
        expect(byB).toEqual(numbered(total - first, first).map(Number));
        expect(byA.slice(0, first)).toEqual(numbered(first).map(Number));
        expect(byA.filter((one) => byB.includes(one)).length).toBeLessThanOrEqual(maxAckPending);
        await world.until(() => lost(a));
        expect(a.events.at(-1)).toMatchObject({ type: 'partitionFailed', error: { code: 'STALE_OWNER' } });
        expect(await world.durableNames()).toEqual([`workers_3_${second.token}`]);
        await second.revoke();
      });
    });

    test('is not moved by a late acknowledgement of the last owner (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const [gateOfA, gateOfB] = [new Gate(), new Gate()];
      a.onMessage = ({ text }) => (text === '1' ? gateOfA.pass() : undefined);
      b.onMessage = () => gateOfB.pass();
      const zombie = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(4));
      await gateOfA.reached;
      const second = b.partitions.grant(3);
      await gateOfB.reached;
      const before = await world.durables();
      gateOfA.open();
      await world.until(() => lost(a));
      const after = await world.durables();
      expect(after.map(({ name, ack_floor }) => [name, ack_floor])).toEqual(before.map(({ name, ack_floor }) => [name, ack_floor]));
      expect(world.textsOf(a)).toEqual(['0', '1']);
      gateOfB.open();
      await world.until(() => world.textsOf(b).includes('3'));
      expect(world.textsOf(b)).toEqual(['1', '2', '3']);
      expect(zombie.valid).toBe(true);
      await second.revoke();
    });

    test('lets a last owner that is revoked only now go at once, though nobody takes its acknowledgement any more (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const gate = new Gate();
      a.onMessage = () => gate.pass();
      const zombie = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, '0');
      await gate.reached;
      const second = b.partitions.grant(3);
      await world.until(() => world.textsOf(b).includes('0'));
      const revoked = zombie.revoke();
      gate.open();
      await revoked;
      expect(a.events.at(-1)).toMatchObject({ type: 'durableLeft', isHandedOver: false });
      await second.revoke();
      expect(world.group.notes.get(3)).toBe(`workers_3_${second.token}`);
    });

    test('gives no new message to a pull of the last owner that still waits (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await until(async () => (await world.durables())[0]?.num_waiting === 1);
      const second = b.partitions.grant(3);
      await world.until(() => b.events.length > 0);
      await world.publish(3, ...numbered(20));
      await world.until(() => world.textsOf(b).length === 20);
      expect(world.textsOf(a)).toEqual([]);
      await second.revoke();
    });

    test('acknowledges nothing once its own lease is over (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const gate = new Gate();
      a.onMessage = () => gate.pass();
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, '0', '1');
      await gate.reached;
      first.lapse();
      gate.open();
      await first.settled;
      expect((await world.durables())[0]?.ack_floor.consumer_seq).toBe(0);
      const second = b.partitions.grant(3);
      await world.until(() => world.textsOf(b).length === 2);
      expect(world.textsOf(b)).toEqual(['0', '1']);
      await second.revoke();
    });

    test('ends an owner that begins after its successor (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const late = world.group.nextToken();
      const second = b.partitions.grant(3);
      await world.until(() => b.events.length > 0);
      const first = a.partitions.grant(3, late);
      expect(await first.settled).toMatchObject({ code: 'STALE_OWNER' });
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      expect(world.textsOf(b)).toEqual(numbered(5));
      expect(await world.durableNames()).toEqual([`workers_3_${second.token}`]);
      await second.revoke();
    });

    test('survives owners that are lost one after the other in the midst of their work (6 owners)', async () => {
      const [total, maxAckPending] = [120, 3];
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      let publishing: Promise<void> | undefined;
      for (const name of names) {
        const member = await world.join(name, { maxAckPending });
        const grant = member.partitions.grant(3);
        await world.until(() => member.events.length > 0);
        publishing ??= world.publish(3, ...numbered(total));
        const last = String(total - 1);
        await world.until(() => (name === 'f' ? world.textsOf(member).includes(last) : world.textsOf(member).length >= 10));
        grant.lapse();
        await grant.settled;
      }
      await publishing;
      expect(new Set(world.textsOf()).size).toBe(total);
      for (const member of names) {
        const texts = world.handled.filter((one) => one.member === member).map((one) => Number(one.text));
        expect(texts).toEqual(texts.map((_, index) => (texts[0] ?? 0) + index));
      }
      expect(world.handled.length - total).toBeLessThanOrEqual(maxAckPending * (names.length - 1));
    });
  });
});
