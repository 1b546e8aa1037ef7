/** What the server's permissions forbid is a typed error that names the subject, on both client generations. */
import { isQuorateError } from '@quorate/core/adapter';
import { natsBroker } from '../../../scripts/brokers/index.ts';
import type { NatsBroker } from '../../../scripts/brokers/index.ts';
import { describeWithNats } from '../../../test/support/brokers.ts';
import type { NatsConnection } from '../src/connection.ts';
import { natsTransport } from '../src/index.ts';
import { generations, through } from './clients.ts';
import type { UserConnection } from './clients.ts';
import { reconfigured } from './reconfigured.ts';
import { openChannel } from './recorded-channel.ts';

const users = `authorization { users = [
  { user: anything, password: p }
  { user: deafToVoters, password: p, permissions: { publish: ">", subscribe: { allow: ">", deny: "quorate.*.voters" } } }
  { user: deafToEvents, password: p, permissions: { publish: ">", subscribe: { allow: ">", deny: "quorate.*.event.>" } } }
  { user: muteToVoters, password: p, permissions: { subscribe: ">", publish: { allow: ">", deny: "quorate.*.voters" } } }
  { user: muteToEvents, password: p, permissions: { subscribe: ">", publish: { allow: ">", deny: "quorate.*.event.>" } } }
  { user: muteToLocks, password: p, permissions: { subscribe: ">", publish: { allow: ">", deny: "quorate.*.event.lock.>" } } }
  { user: muteToB, password: p, permissions: { subscribe: ">", publish: { allow: ">", deny: "quorate.*.to.b" } } }
  { user: soonDeaf, password: p, permissions: { publish: ">", subscribe: { allow: ">", deny: "none" } } }
] }`;

/** A connection whose publications can be looked at. */
function watching(connection: UserConnection): { readonly watched: NatsConnection; readonly published: readonly string[] } {
  const published: string[] = [];
  const publish: NatsConnection['publish'] = (subject, ...rest) => {
    published.push(subject);
    connection.publish(subject, ...rest);
  };
  return { watched: through(connection, { publish }), published };
}

/** Refusals come before the answer, and are told in the same turn. */
async function answered(connection: UserConnection): Promise<void> {
  await connection.flush();
  await new Promise((resolve) => setImmediate(resolve));
}

describeWithNats(
  'permissions of NATS',
  () => {
    let broker: NatsBroker;
    const connections: UserConnection[] = [];
    beforeAll(async () => {
      broker = await natsBroker({ own: true, config: users });
    });
    afterEach(async () => {
      await Promise.all(connections.splice(0).map((connection) => connection.close()));
    });
    afterAll(() => broker.close());

    describe.each(generations)('$name', (generation) => {
      async function connectAs(user: string): Promise<UserConnection> {
        const connection = await generation.connect({ servers: broker.url, user, pass: 'p' });
        connections.push(connection);
        return connection;
      }

      test('refuses to open where subscribing is forbidden (1 voter)', async () => {
        const connection = await connectAs('deafToVoters');
        const error = await openChannel(natsTransport(connection), { node: 'a', voters: ['a'] }).catch((refusal: unknown) => refusal);
        expect(error).toMatchObject({ code: 'TRANSPORT_DENIED', details: { operation: 'subscription', subject: 'quorate.g.voters' } });
        expect(error).toHaveProperty('message', expect.stringContaining('"quorate.g.voters"'));
        await connection.flush();
      });

      test('opens for a node that needs no forbidden subject (1 client)', async () => {
        const connection = await connectAs('deafToVoters');
        const { channel } = await openChannel(natsTransport(connection), { node: 'client', voters: ['a'] });
        expect(channel.status).toBe('connected');
        await channel.close();
      });

      test('leaves a channel alone when another on its connection is refused (1 voter, 1 client)', async () => {
        const transport = natsTransport(await connectAs('deafToVoters'));
        const client = await openChannel(transport, { node: 'client', voters: ['a'] });
        await expect(openChannel(transport, { node: 'a', voters: ['a'] })).rejects.toMatchObject({ code: 'TRANSPORT_DENIED' });
        expect([client.channel.status, client.statuses, client.events]).toEqual(['connected', [], []]);
      });

      test('refuses to open where publishing is forbidden (1 client)', async () => {
        const connection = await connectAs('muteToVoters');
        const error = await openChannel(natsTransport(connection), { node: 'client', voters: ['a'] }).catch((refusal: unknown) => refusal);
        expect(error).toMatchObject({ code: 'TRANSPORT_DENIED', details: { operation: 'publish', subject: 'quorate.g.voters' } });
      });

      test('reports a publication forbidden later, once, and goes on (2 voters)', async () => {
        const a = await openChannel(natsTransport(await connectAs('muteToB')), { node: 'a', voters: ['a', 'b'] });
        const b = await openChannel(natsTransport(await connectAs('anything')), { node: 'b', voters: ['a', 'b'] });
        for (const text of ['one', 'two']) a.channel.send([{ to: { type: 'node', node: 'b' }, bytes: Buffer.from(text) }]);
        await a.until(() => a.events.length > 0);
        a.channel.send([{ to: { type: 'all' }, bytes: Buffer.from('goes on') }]);
        await b.until(() => b.texts.includes('goes on'));
        expect(a.events).toEqual([expect.objectContaining({ type: 'error', code: 'TRANSPORT_DENIED' })]);
        expect(a.events[0]?.cause).toMatchObject({ details: { operation: 'publish', subject: 'quorate.g.to.b' } });
        expect(a.channel.status).toBe('connected');
      });

      test('publishes no event again where one was refused until it is connected anew, tells the first refusal and counts all (1 voter)', async () => {
        const connection = await connectAs('muteToEvents');
        const { watched, published } = watching(connection);
        const a = await openChannel(natsTransport(watched), { node: 'a', voters: ['a'] });
        const publish = (name: string) => a.channel.publishEvents([{ kind: 'lock', name, bytes: Buffer.from('{}') }]);
        for (let count = 0; count < 20; count += 1) publish(`before-${count % 10}`);
        await answered(connection);
        publish('before-0');
        expect([a.channel.eventsDropped, published.filter((subject) => subject.includes('before-0')).length]).toEqual([21, 2]);
        expect(a.events).toEqual([expect.objectContaining({ type: 'error', code: 'TRANSPORT_DENIED' })]);
        expect(a.events[0]?.message).toContain('"quorate.g.event.lock.before-0"');
        await broker.kill();
        await a.until(() => a.statuses.at(-1) === 'disconnected');
        await broker.start();
        await a.until(() => a.statuses.at(-1) === 'connected');
        publish('before-0');
        expect(published.at(-1)).toContain('before-0');
        await a.until(() => a.events.length > 1);
        expect(a.events[1]).toMatchObject({ code: 'TRANSPORT_DENIED' });
      });

      test('publishes the events of elections while those of locks are refused (1 voter, 1 reader)', async () => {
        const a = await openChannel(natsTransport(await connectAs('muteToLocks')), { node: 'a', voters: ['a'] });
        const read: string[] = [];
        const onEvent = (bytes: Uint8Array) => void read.push(Buffer.from(bytes).toString());
        const reader = await connectAs('anything');
        const stop = await natsTransport(reader).readEvents({ group: 'g', onEvent, onStatus: () => undefined });
        const publish = (kind: string, name: string) => a.channel.publishEvents([{ kind, name, bytes: Buffer.from(`${kind} ${name}`) }]);
        publish('lock', 'x');
        await a.until(() => a.events.length > 0);
        publish('election', 'nightly');
        await a.channel.close();
        await reader.flush();
        expect([read, a.channel.eventsDropped]).toEqual([['election nightly'], 1]);
        await stop();
      });

      test('opens a channel while an event of another on its connection is refused, which alone tells and counts it (2 voters)', async () => {
        const connection = await connectAs('muteToEvents');
        const transport = natsTransport(connection);
        const a = await openChannel(transport, { node: 'a', voters: ['a', 'b'] });
        a.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]);
        const b = await openChannel(transport, { node: 'b', voters: ['a', 'b'] });
        a.channel.publishEvents([{ kind: 'lock', name: 'y', bytes: Buffer.from('{}') }]);
        await answered(connection);
        expect([a.channel.eventsDropped, a.events.length]).toEqual([2, 1]);
        expect([b.channel.eventsDropped, b.events, b.channel.status]).toEqual([0, [], 'connected']);
      });

      test('refuses to read lock events where that is forbidden (1 reader)', async () => {
        const transport = natsTransport(await connectAs('deafToEvents'));
        const reading = transport.readEvents({ group: 'g', onEvent: () => undefined, onStatus: () => undefined });
        const error = await reading.catch((refusal: unknown) => refusal);
        expect(isQuorateError(error, 'TRANSPORT_DENIED')).toBe(true);
      });

      test('closes a channel that went deaf because rights were taken away (1 voter)', async () => {
        const a = await openChannel(natsTransport(await connectAs('soonDeaf')), { node: 'a', voters: ['a'] });
        const b = await openChannel(natsTransport(await connectAs('anything')), { node: 'b', voters: ['a'] });
        await reconfigured(broker, { from: '"none"', to: '"quorate.*.voters"' }, async () => {
          await a.until(() => a.statuses.at(-1) === 'closed');
          await b.until(() => b.statuses.at(-1) === 'connected');
          expect(isQuorateError(a.errors.at(-1), 'TRANSPORT_DENIED')).toBe(true);
          expect(a.channel.status).toBe('closed');
        });
      });
    });
  },
  { own: 'process' },
);
