/** A server that somebody named with a user and a password in its URL is reached by both client generations, and by nodes in processes. */
import { connect as connectGeneration3 } from '@nats-io/transport-node';
import { connect as connectGeneration2 } from 'nats';
import { natsBroker } from '../../scripts/brokers/index.ts';
import { natsLogin } from '../../scripts/brokers/nats-login.ts';
import { connectTo } from '../../scripts/processes/carrier.ts';
import { describeWithNats } from '../support/brokers.ts';

const config = 'authorization { user: "a b", password: "p@ss" }';
const urlName = 'QUORATE_NATS_URL';

describeWithNats(
  'a nats-server that wants a user and a password',
  () => {
    const before = process.env[urlName];
    afterEach(() => {
      if (before === undefined) delete process.env[urlName];
      else process.env[urlName] = before;
    });

    test('is reached by the user that stands in QUORATE_NATS_URL, and by nobody without (1 server)', async () => {
      await using server = await natsBroker({ config });
      const [address = ''] = server.members.map((member) => member.address);
      process.env[urlName] = `nats://a%20b:p%40ss@${address}`;
      const named = await natsBroker();
      expect(named.source).toBe('address');
      for (const connect of [connectGeneration2, connectGeneration3]) {
        await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow(/authorization/i);
        const connection = await connect(natsLogin(named.url));
        await connection.flush();
        await connection.close();
      }
      const { close } = await connectTo({ type: 'nats', urls: named.urls }, 'a');
      await close();
    });
  },
  { own: 'process' },
);

test('a login keeps the servers of a URL without a user, and takes the user of the first that names one', () => {
  expect(natsLogin(['nats://h:4222', 'tls://i:4223'])).toEqual({ servers: ['nats://h:4222', 'tls://i:4223'] });
  expect(natsLogin(['nats://h:4222', 'nats://u:p@i:4223'])).toEqual({ servers: ['nats://h:4222', 'nats://i:4223'], user: 'u', pass: 'p' });
});
