/** An owned subscription on a server of its own, which denies it a subject, and whose connection closes. */
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { ownedSubscription } from '../../src/index.ts';
import { CommandedGroup } from './commanded-partitions.ts';
import { streamClients } from './stream-world.ts';

const denied =
  'authorization { users = [{ user: u, password: p, permissions: { publish: ">", subscribe: { allow: ">", deny: "ticks.3.>" } } }] }';

describeWithNats(
  'an owned subscription that is denied',
  () => {
    test.each(streamClients)(
      'fails the partition where it may not subscribe, or the connection closes (1 owner, $client)',
      async (client) => {
        await using broker = await natsBroker({ config: denied });
        const connection = await client.connect({ servers: broker.url, user: 'u', pass: 'p' });
        const partitions = new CommandedGroup().member();
        const subject = (partition: number): string => `ticks.${partition}.>`;
        const subscription = ownedSubscription(partitions, connection, { name: 'ticks', count: 4, subject, onError: () => undefined });
        void subscription.run(() => undefined);
        const details = { operation: 'subscription', subject: 'ticks.3.>' };
        expect(await partitions.grant(3).settled).toMatchObject({ code: 'TRANSPORT_DENIED', details });
        const other = partitions.grant(1);
        await connection.flush();
        await connection.flush();
        await connection.close();
        expect(await other.settled).toMatchObject({ code: 'TRANSPORT_CLOSED' });
        // One that is granted later has nothing to subscribe with, and nothing of it fails behind anybody's back.
        expect(await partitions.grant(2).settled).toMatchObject({ code: 'TRANSPORT_CLOSED' });
        await subscription.stop();
      },
    );
  },
  { own: 'process' },
);
