/** What a server's permissions, limits and other consumers forbid is a typed error that names it, on both client generations. */
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { ownedConsumer } from '../../src/index.ts';
import { CommandedGroup } from './commanded-partitions.ts';
import { streamClients, StreamWorld } from './stream-world.ts';
import type { Retention } from './stream-world.ts';

const forbidding: Readonly<Record<string, string>> = {
  noInfo: '$JS.API.STREAM.INFO.*',
  noNames: '$JS.API.CONSUMER.NAMES.*',
  noCreate: '$JS.API.CONSUMER.CREATE.>',
  noDelete: '$JS.API.CONSUMER.DELETE.>',
  noNext: '$JS.API.CONSUMER.MSG.NEXT.>',
  noAck: '$JS.ACK.>',
};
const users = Object.entries(forbidding).map(([user, deny]) => {
  return `{ user: ${user}, password: p, permissions: { subscribe: ">", publish: { allow: ">", deny: "${deny}" } } }`;
});
const config = `authorization { users = [
  { user: anything, password: p }
  { user: noInbox, password: p, permissions: { publish: ">", subscribe: { allow: "_INBOX.>", deny: "_PULL.>" } } }
  ${users.join('\n  ')}
] }`;
const anything = { user: 'anything', pass: 'p' };

describeWithNats(
  'an owned consumer that the server refuses something',
  () => {
    let broker: NatsBroker;
    let world: StreamWorld;
    beforeAll(async () => {
      broker = await natsBroker({ own: true, config });
    });
    afterEach(() => world.close());
    afterAll(() => broker.close());

    describe.each(streamClients)('$client', (client) => {
      async function start(retention: Retention = 'limits', maxConsumers?: number): Promise<StreamWorld> {
        world = await StreamWorld.create(broker.urls, client, {
          retention,
          ...anything,
          ...(maxConsumers !== undefined && { maxConsumers }),
        });
        return world;
      }

      test.each(['noInfo', 'noNames'])('does not start where a request is forbidden (%s, 1 owner)', async (user) => {
        await start();
        const a = await world.join('a', {}, { user, pass: 'p' });
        const subject = forbidding[user]?.replace('*', world.stream);
        await expect(a.running).rejects.toMatchObject({ code: 'TRANSPORT_DENIED', details: { operation: 'publish', subject } });
      });

      test.each(['noCreate', 'noNext', 'noAck'])('fails a partition with what is forbidden (%s, 1 owner)', async (user) => {
        await start();
        const a = await world.join('a', {}, { user, pass: 'p' });
        await world.publish(3, 'one').catch(() => undefined);
        const error = await a.partitions.grant(3).settled;
        expect(error).toMatchObject({ code: 'TRANSPORT_DENIED', details: { operation: 'publish' } });
        expect(error).toHaveProperty('details.subject', expect.stringContaining((forbidding[user] ?? '').replace('.>', '')));
        expect(a.events.at(-1)).toMatchObject({ type: 'partitionFailed', error });
      });

      test('fails a partition where it may not subscribe to its inbox (1 owner)', async () => {
        await start();
        const a = await world.join('a', { inboxPrefix: '_PULL' }, { user: 'noInbox', pass: 'p' });
        expect(await a.partitions.grant(3).settled).toMatchObject({ code: 'TRANSPORT_DENIED', details: { operation: 'subscription' } });
      });

      test('does not start while the last owner cannot be kept out (2 owners)', async () => {
        await start();
        const a = await world.join('a', {}, anything);
        const b = await world.join('b', {}, { user: 'noDelete', pass: 'p' });
        a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        const second = b.partitions.grant(3);
        expect(await second.settled).toMatchObject({ code: 'TRANSPORT_DENIED' });
        expect(b.events.map(({ type }) => type)).toEqual(['partitionFailed']);
      });

      test('tells a limit of the stream (2 owners)', async () => {
        await start('limits', 1);
        const a = await world.join('a', {}, anything);
        a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        expect(await a.partitions.grant(4).settled).toMatchObject({ code: 'LIMIT_REACHED', details: { errorCode: 10_026 } });
      });

      test('tells of an old deployment that reads the same work queue (1 owner)', async () => {
        await start('workqueue');
        await world.manager.consumers.add(world.stream, { durable_name: 'old', ack_policy: 'explicit' as never });
        const a = await world.join('a', {}, anything);
        expect(await a.partitions.grant(3).settled).toMatchObject({ code: 'GROUP_HAS_MEMBERS' });
      });

      test('does not start on a stream that is not there (1 owner)', async () => {
        await start();
        const a = await world.join('a', { stream: 'elsewhere' }, anything);
        const error = await a.running.catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { errorCode: 10_059 } });
        expect(error).toHaveProperty('message', expect.stringContaining('`stream` is "elsewhere"'));
      });

      test('does not begin in the midst of a work queue (1 owner)', async () => {
        await start('workqueue');
        const a = await world.join('a', { from: 'new' }, anything);
        await expect(a.running).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      });

      test('says that the connection is closed (1 owner)', async () => {
        await start();
        const a = await world.join('a', {}, anything);
        const grant = a.partitions.grant(3);
        await world.until(() => a.events.length > 0);
        await a.connection.close();
        expect(await grant.settled).toMatchObject({ code: 'TRANSPORT_CLOSED' });
        grant.lapse();
      });

      test.each([
        [{ name: '' }, 'INVALID_NAME'],
        [{ stream: 'a.b' }, 'INVALID_OPTIONS'],
        [{ stream: '' }, 'INVALID_OPTIONS'],
        [{ maxAckPending: 0 }, 'INVALID_OPTIONS'],
        [{ maxAckPending: 1.5 }, 'INVALID_OPTIONS'],
        [{ ackWaitMs: 1 }, 'INVALID_OPTIONS'],
        [{ from: 'last' as never }, 'INVALID_OPTIONS'],
        [{ deadLetter: { afterFailures: 0, put: () => undefined } }, 'INVALID_OPTIONS'],
      ])('refuses options that cannot be meant: %j', async (options, code) => {
        await start();
        const connection = await client.connect({ servers: broker.url, ...anything });
        const owner = new CommandedGroup().member();
        const meant = { stream: 's', name: 'n', count: 2, filter: String };
        expect(() => ownedConsumer(owner, connection, { ...meant, ...options })).toThrow(expect.objectContaining({ code }));
        await connection.close();
      });
    });
  },
  { own: 'process' },
);
