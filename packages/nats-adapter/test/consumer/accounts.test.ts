/** Streams of another account, reached by its exported API, and a user with no more rights than the recipe names. */
import { natsBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { numbered, streamClients, StreamWorld } from './stream-world.ts';

const exported = `accounts {
  HUB { jetstream: enabled, users: [{ user: hub, password: p }],
    exports: [{ service: "$JS.API.>", response: stream }, { service: "$JS.ACK.>" }] }
  APP { users: [{ user: app, password: p }],
    imports: [{ service: { account: HUB, subject: "$JS.API.>" }, to: "hub.API.>" }, { service: { account: HUB, subject: "$JS.ACK.>" } }] }
}`;

const api = [
  'STREAM.INFO.*',
  'CONSUMER.NAMES.*',
  'CONSUMER.INFO.*.>',
  'CONSUMER.CREATE.*.>',
  'CONSUMER.DELETE.*.>',
  'CONSUMER.MSG.NEXT.*.>',
];
const rights = ['$JS.ACK.*.>', ...api.map((operation) => `$JS.API.${operation}`)];
const least = `authorization { users = [
  { user: hub, password: p }
  { user: app, password: p, permissions: { publish: ${JSON.stringify(rights)}, subscribe: "_INBOX.>" } }
] }`;

describeWithNats(
  'an owned consumer of another account, or with few rights',
  () => {
    const settings = [
      { name: 'by the API that another account exports', config: exported, options: { apiPrefix: 'hub.API' } },
      { name: 'with the rights that the recipe names', config: least, options: {} },
    ].flatMap((setting) => streamClients.map((client) => ({ ...setting, ...client })));

    test.each(settings)('is handed over, and survives a crash, $name ($client, 3 owners)', async ({ config, options, connect }) => {
      await using broker = await natsBroker({ own: true, config });
      await using world = await StreamWorld.create(broker.urls, { connect }, { user: 'hub', pass: 'p' });
      const app = { user: 'app', pass: 'p' };
      const [a, b, c] = [await world.join('a', options, app), await world.join('b', options, app), await world.join('c', options, app)];
      const first = a.partitions.grant(3);
      await world.until(() => a.events.length > 0);
      await world.publish(3, ...numbered(5));
      await world.until(() => world.handled.length === 5);
      await first.revoke();
      const second = b.partitions.grant(3);
      await world.publish(3, ...numbered(5, 5));
      await world.until(() => world.handled.length === 10);
      second.lapse();
      await second.settled;
      const third = c.partitions.grant(3);
      await world.publish(3, ...numbered(5, 10));
      await world.until(() => world.textsOf(c).includes('14'));
      expect(world.textsOf(a)).toEqual(numbered(5));
      expect(world.textsOf(b)).toEqual(numbered(5, 5));
      // Its last acknowledgement may have been under way when the lease ended.
      expect(world.textsOf(c).slice(-5)).toEqual(numbered(5, 10));
      expect(await world.durableNames()).toEqual([`workers_3_${third.token}`]);
      await third.revoke();
      expect(c.events.at(-1)).toMatchObject({ type: 'durableLeft', isHandedOver: true });
    });
  },
  { own: 'process' },
);
