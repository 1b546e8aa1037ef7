/** The user's connection in bad days: broken, drained, closed half-way, and never ours to end. */
import { isQuorateError } from '@quorate/core/adapter';
import type { ChannelEvent } from '@quorate/core/adapter';
import { natsBroker } from '../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../test/support/brokers.ts';
import { natsTransport } from '../src/index.ts';
import { generations, through } from './clients.ts';
import type { UserConnection } from './clients.ts';
import { reconfigured } from './reconfigured.ts';
import { openChannel } from './recorded-channel.ts';

const toAll = (text: string) => [{ to: { type: 'all' }, bytes: Buffer.from(text) }] as const;

describeWithNats(
  'a NATS connection',
  () => {
    let broker: NatsBroker;
    const connections: UserConnection[] = [];
    beforeAll(async () => {
      broker = await natsBroker({ own: true, config: 'max_payload: 65536' });
    });
    afterEach(async () => {
      await Promise.all(connections.splice(0).map((connection) => connection.close()));
    });
    afterAll(() => broker.close());

    describe.each(generations)('$name', (generation) => {
      async function connect(): Promise<UserConnection> {
        const connection = await generation.connect({ servers: broker.url });
        connections.push(connection);
        return connection;
      }

      test('takes the frame limit from the server, and keeps it while disconnected (1 voter)', async () => {
        const a = await openChannel(natsTransport(await connect()), { node: 'a', voters: ['a'] });
        expect(a.channel.frameBytesMax).toBe(65_536);
        const whileDown = async () => {
          await a.until(() => a.statuses.at(-1) === 'disconnected');
          expect(a.channel.frameBytesMax).toBe(65_536);
        };
        await reconfigured(broker, { from: '65536', to: '8192', whileDown }, async () => {
          await a.until(() => a.statuses.at(-1) === 'connected');
          expect(a.channel.frameBytesMax).toBe(8_192);
        });
      });

      test('counts the frames that a lost connection swallowed, and says so when it is back (1 voter)', async () => {
        const a = await openChannel(natsTransport(await connect()), { node: 'a', voters: ['a'] });
        await broker.kill();
        await a.until(() => a.statuses.at(-1) === 'disconnected');
        a.channel.send([...toAll('one'), ...toAll('two')]);
        a.channel.send(toAll('three'));
        await broker.start();
        await a.until(() => a.statuses.at(-1) === 'connected');
        expect(a.events).toEqual([{ type: 'info', code: 'FRAMES_DROPPED', message: '3 frames were dropped while disconnected.' }]);
      });

      test('opens as soon as the server is there (1 voter)', async () => {
        const connection = await connect();
        const witness = await openChannel(natsTransport(await connect()), { node: 'b', voters: ['a'] });
        await broker.kill();
        await witness.until(() => witness.statuses.at(-1) === 'disconnected');
        const opening = openChannel(natsTransport(connection), { node: 'a', voters: ['a'] });
        await broker.start();
        const a = await opening;
        await witness.until(() => witness.statuses.at(-1) === 'connected');
        witness.channel.send(toAll('here'));
        await a.until(() => a.texts.includes('here'));
      });

      test('without a server says so while a channel opens on it, and why another was cut off (2 voters)', async () => {
        const connection = await connect();
        const other = await openChannel(natsTransport(connection), { node: 'b', voters: ['a', 'b'] });
        await broker.kill();
        await other.until(() => other.statuses.at(-1) === 'disconnected');
        expect(other.errors.at(-1)?.message).toMatch(/^The NATS connection to 127\.0\.0\.1:\d+ broke; the client connects anew\.$/);
        const told = new Promise<ChannelEvent>((onEvent) => {
          const ignore = () => undefined;
          const channel = { group: 'g', node: 'a', voters: ['a', 'b'], onFrame: ignore, onStatus: ignore, onEvent };
          natsTransport(connection).open(channel).catch(ignore);
        });
        expect(await told).toMatchObject({ type: 'warning', code: 'TRANSPORT_FAILED' });
        expect((await told).message).toMatch(/^The NATS connection(| to .*) is broken; the client connects anew\.$/);
        await connection.close();
        await broker.start();
      });

      test('is closed while a channel opens on it: the open rejects (1 voter)', async () => {
        const connection = await connect();
        const opening = openChannel(natsTransport(connection), { node: 'a', voters: ['a'] }).catch((error: unknown) => error);
        const closing = connection.close();
        expect(isQuorateError(await opening, 'TRANSPORT_CLOSED')).toBe(true);
        await closing;
      });

      test('is closed while an open waits for the server: the open rejects (2 voters on one connection)', async () => {
        const connection = await connect();
        const other = await openChannel(natsTransport(connection), { node: 'b', voters: ['a', 'b'] });
        await broker.kill();
        await other.until(() => other.statuses.at(-1) === 'disconnected');
        const opening = openChannel(natsTransport(connection), { node: 'a', voters: ['a', 'b'] }).catch((error: unknown) => error);
        await connection.close();
        expect(isQuorateError(await opening, 'TRANSPORT_CLOSED')).toBe(true);
        await broker.start();
      });

      test('is drained by the user first: the channel closes and sending drops (1 voter)', async () => {
        const connection = await connect();
        const a = await openChannel(natsTransport(connection), { node: 'a', voters: ['a'] });
        const draining = connection.drain();
        a.channel.send(toAll('on the way out'));
        await draining;
        await a.until(() => a.statuses.at(-1) === 'closed');
        a.channel.send(toAll('too late'));
        expect(isQuorateError(a.errors.at(-1), 'TRANSPORT_CLOSED')).toBe(true);
        await a.channel.close();
      });

      test('refuses a publication without a word before: sending drops and does not throw (1 voter)', async () => {
        const connection = await connect();
        let isRefusing = false;
        const publish: UserConnection['publish'] = (...publication) => {
          if (isRefusing) throw new Error('draining');
          connection.publish(...publication);
        };
        const a = await openChannel(natsTransport(through(connection, { publish })), { node: 'a', voters: ['a'] });
        isRefusing = true;
        a.channel.send(toAll('dropped'));
        a.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]);
        expect([a.statuses, a.events]).toEqual([[], []]);
      });

      test('gets back all that a channel took, and is neither closed nor drained (1 voter)', async () => {
        const connection = await connect();
        const taken = new Set<string>();
        const watched = through(connection, {
          subscribe(subject, options) {
            taken.add(subject);
            const subscription = connection.subscribe(subject, options);
            return {
              unsubscribe() {
                taken.delete(subject);
                subscription.unsubscribe();
              },
            };
          },
          status() {
            taken.add('status');
            const statuses = connection.status() as AsyncIterable<unknown> & { stop(): void };
            return Object.assign(statuses, { stop: stopAfter(statuses.stop.bind(statuses), () => taken.delete('status')) });
          },
        });
        const aborted = openChannel(natsTransport(watched), { node: 'a', voters: ['a'], signal: AbortSignal.abort() });
        await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
        expect([...taken]).toEqual([]);
        const a = await openChannel(natsTransport(watched), { node: 'a', voters: ['a'] });
        const stop = await natsTransport(watched).readEvents({ group: 'g', onEvent: () => undefined, onStatus: () => undefined });
        expect([...taken].sort()).toEqual(['quorate.g.all', 'quorate.g.event.>', 'quorate.g.to.a', 'quorate.g.voters', 'status']);
        await Promise.all([a.channel.close(), stop()]);
        expect([...taken]).toEqual([]);
        await connection.flush();
        expect(connection.isClosed()).toBe(false);
      });
    });
  },
  { own: 'process' },
);

function stopAfter(stop: () => void, before: () => void): () => void {
  return () => {
    before();
    stop();
  };
}
