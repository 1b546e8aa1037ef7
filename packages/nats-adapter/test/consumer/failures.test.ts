/** Handlers that throw: the message comes again after a pause, before everything behind it, until it is handled or put aside. */
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { combinations, Gate, numbered, StreamWorld } from './stream-world.ts';

describeWithNats('a failing handler of an owned consumer', (nats) => {
  describe.each(combinations)('$retention, $client', ({ retention, connect }) => {
    let world: StreamWorld;
    beforeEach(async () => {
      world = await StreamWorld.create(nats.urls, { connect }, { retention });
    });
    afterEach(() => world.close());

    describe.each([1, 5])('max_ack_pending %d', (maxAckPending) => {
      test('sees the message again before all that is behind it (1 owner)', async () => {
        const a = await world.join('a', { maxAckPending, backoffMs: (failures) => failures * 20 });
        let failures = 0;
        a.onMessage = ({ text }) => {
          if (text !== '4' && text !== '11') return;
          failures += 1;
          if (failures % 3 !== 0) throw new Error('not yet');
        };
        const grant = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        await world.publish(3, ...numbered(20));
        await world.until(() => world.handled.length === 20);
        expect(world.textsOf()).toEqual(numbered(20));
        const failed = a.events.filter(({ type }) => type === 'messageFailed');
        expect(failed).toHaveLength(4);
        expect(failed[1]).toMatchObject({ partition: 3, token: grant.token, failures: 2, retryMs: 40, error: new Error('not yet') });
        await grant.revoke();
        expect(a.events.at(-1)).toMatchObject({ type: 'durableLeft', isHandedOver: true });
      });

      test('has a message put aside after as many failures as were asked for, and goes on (1 owner)', async () => {
        const aside: string[] = [];
        const a = await world.join('a', {
          maxAckPending,
          backoffMs: () => 10,
          deadLetter: {
            afterFailures: 3,
            put: ({ message, error }) => {
              aside.push(`${Buffer.from(message.data).toString()} ${String(error)}`);
              if (aside.length === 1) throw new Error('no place for it yet');
            },
          },
        });
        a.onMessage = ({ text }) => {
          if (text === '2') throw new Error('never');
        };
        const grant = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        await world.publish(3, ...numbered(6));
        await world.until(() => world.handled.length === 5);
        expect(world.textsOf()).toEqual(['0', '1', '3', '4', '5']);
        expect(aside).toEqual(['2 Error: never', '2 Error: never']);
        expect(a.events.filter(({ type }) => type === 'deadLettered')).toEqual([
          expect.objectContaining({ failures: 4, error: new Error('never') }),
        ]);
        await grant.revoke();
        expect((await world.durables())[0]).toMatchObject({ num_ack_pending: 0 });
      });
    });

    test('leaves what it was at to the next owner, uncounted as handled (2 owners)', async () => {
      const [a, b] = [await world.join('a'), await world.join('b')];
      const gate = new Gate();
      a.onMessage = async ({ text, signal }) => {
        if (text !== '2') return;
        await gate.pass();
        signal.throwIfAborted();
      };
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await gate.reached;
      const revoked = first.revoke();
      gate.open();
      await revoked;
      const second = b.partitions.grant(3);
      await world.until(() => world.handled.length === 5);
      expect(world.textsOf()).toEqual(numbered(5));
      expect(world.handled.map(({ deliveries }) => deliveries)).toEqual([1, 1, 2, 1, 1]);
      await second.revoke();
    });

    test('is given the time it needs: a handler slower than the wait for its acknowledgement runs once (1 owner)', async () => {
      const a = await world.join('a', { ackWaitMs: 300, maxAckPending: 3 });
      const gate = new Gate();
      a.onMessage = () => gate.pass();
      const grant = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(2));
      await gate.reached;
      // There is room for one more: the server could deliver again. Four times the wait, as the server measures it.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      gate.open();
      await world.until(() => world.handled.length === 2);
      expect(world.handled.map(({ text, deliveries }) => [text, deliveries])).toEqual(numbered(2).map((one) => [one, 1]));
      await grant.revoke();
      expect((await world.durables())[0]).toMatchObject({ delivered: { consumer_seq: 2 }, num_redelivered: 0 });
    });
  });
});
