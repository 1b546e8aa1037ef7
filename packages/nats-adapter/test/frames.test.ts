/** Frames on their subjects, seen by a plain NATS client: what goes out, in how many writes, and what a stranger can send in. */
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describeWithNats } from '../../../test/support/brokers.ts';
import { natsLogin } from '../../../scripts/brokers/nats-login.ts';
import { natsTransport } from '../src/index.ts';
import { generations } from './clients.ts';
import type { UserConnection } from './clients.ts';
import { openChannel } from './recorded-channel.ts';

describeWithNats('frames on NATS', (nats) => {
  const connections: UserConnection[] = [];
  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
  });

  describe.each(generations)('$name', (generation) => {
    async function connect(): Promise<UserConnection> {
      const connection = await generation.connect(natsLogin(nats.url));
      connections.push(connection);
      return connection;
    }

    test('the frames of a turn leave in one write to the socket (1 voter)', async () => {
      const a = await openChannel(natsTransport(await connect()), { node: 'a', voters: ['a'] });
      const write = jest.spyOn(Socket.prototype, 'write');
      try {
        const frame = (to: string) => ({ to: { type: 'node', node: to }, bytes: Buffer.from(`for ${to}`) }) as const;
        a.channel.send(Array.from({ length: 25 }, (_, index) => frame(`n${index}`)));
        a.channel.send(Array.from({ length: 25 }, (_, index) => frame(`m${index}`)));
        await turn();
        const frames = write.mock.calls
          .map(([written]) => Buffer.from(written as Uint8Array).toString())
          .filter((text) => text.includes('for '));
        expect(frames).toHaveLength(1);
        expect(frames[0]).toContain('for m24');
      } finally {
        write.mockRestore();
      }
      await a.channel.close();
    });

    test('what strangers publish is handed on as it is, except nothing at all (1 voter, 1 stranger)', async () => {
      const a = await openChannel(natsTransport(await connect()), { node: 'a', voters: ['a'] });
      const stranger = await connect();
      stranger.publish('quorate.g.all', new Uint8Array(0));
      stranger.publish('quorate.g.to.a', Buffer.from('no reply field'));
      stranger.publish('quorate.g.voters', Buffer.from('another reply field'), { reply: 'elsewhere' });
      stranger.publish('quorate.g.all', Buffer.from('last'));
      await a.until(() => a.texts.includes('last'));
      expect(a.texts).toEqual(['no reply field', 'another reply field', 'last']);
      await a.channel.close();
    });
  });
});
