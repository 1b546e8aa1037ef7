/** What a set has grown by is read from its first message, also by a consumer that begins with what comes. On a real server. */
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { numbered, streamClients, StreamWorld } from './stream-world.ts';
import type { Member } from './stream-world.ts';

describeWithNats('a partition that the set has grown by', (nats) => {
  describe.each(streamClients)('$client', ({ connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect });
    });
    afterEach(() => world.close());

    const join = (name: string, count: number): Promise<Member> => world.join(name, { from: 'new', count });
    const taken = ({ events }: Member) => events.flatMap((event) => (event.type === 'durableTaken' ? [event] : []));
    const own = async (member: Member, partition: number) => {
      const before = taken(member).length;
      const grant = member.partitions.grant(partition);
      await world.until(() => taken(member).length > before);
      return grant;
    };

    test('begins at its first message with whoever owned others before (2 partitions, then 3)', async () => {
      const a = await join('a', 2);
      await world.publish(0, 'before it began');
      await own(a, 0);
      a.partitions.count = 3;
      await world.publish(2, ...numbered(3));
      await own(a, 2);
      await world.publish(2, ...numbered(2, 3));
      await world.until(() => world.handled.length === 5);
      expect(world.textsOf()).toEqual(numbered(5));
      expect(taken(a).map(({ partition, isGrown }) => [partition, isGrown])).toEqual([
        [0, false],
        [2, true],
      ]);
    });

    test('begins there with a member that came later, though the durables of the others were replaced (2 partitions, then 3)', async () => {
      const a = await join('a', 2);
      for (const partition of [0, 1]) {
        const lost = await own(a, partition);
        lost.lapse();
        await lost.settled;
      }
      await world.publish(2, ...numbered(3));
      const b = await join('b', 3);
      await own(b, 0);
      await own(b, 1);
      const c = await join('c', 3);
      await own(c, 2);
      await world.until(() => world.handled.length === 3);
      expect(world.textsOf(c)).toEqual(numbered(3));
    });

    test('is told from one that was there when the consumer began, which begins with what comes (3 partitions)', async () => {
      const a = await join('a', 3);
      await world.publish(2, 'before it began');
      await own(a, 0);
      const b = await join('b', 3);
      await own(b, 2);
      await world.publish(2, ...numbered(3));
      await world.until(() => world.handled.length === 3);
      expect(world.textsOf()).toEqual(numbered(3));
      expect(taken(b).map(({ isGrown }) => isGrown)).toEqual([false]);
    });
  });
});
