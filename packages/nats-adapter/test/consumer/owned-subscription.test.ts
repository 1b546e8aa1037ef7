/** Core subscriptions of owned partitions: one subscriber at a time, what was sent to it is handled, and the gap is as documented. */
import { describeWithNats } from '../../../../test/support/brokers.ts';
import { natsLogin } from '../../../../scripts/brokers/nats-login.ts';
import { ownedSubscription } from '../../src/index.ts';
import type { OwnedSubscription, SubjectMessageContext } from '../../src/index.ts';
import { CommandedGroup } from './commanded-partitions.ts';
import type { CommandedMember } from './commanded-partitions.ts';
import { Gate, numbered, streamClients, until } from './stream-world.ts';
import type { StreamClient, StreamConnection } from './stream-world.ts';

interface Subscriber {
  readonly partitions: CommandedMember;
  readonly connection: StreamConnection;
  readonly subscription: OwnedSubscription;
  readonly texts: string[];
  readonly errors: unknown[];
}

describeWithNats('an owned subscription', (nats) => {
  const subscribers: Subscriber[] = [];
  afterEach(async () => {
    for (const { subscription, connection } of subscribers.splice(0)) {
      await subscription.stop();
      await connection.close();
    }
  });

  /** The server knows of every subscription of a grant of now: it is asked a turn after the handler was started. */
  async function subscribed({ connection }: Subscriber): Promise<void> {
    await connection.flush();
    await connection.flush();
  }

  async function subscribe(
    client: StreamClient,
    group: CommandedGroup,
    onMessage: (context: SubjectMessageContext) => Promise<void> | void = () => undefined,
    onError: ((failed: unknown) => void) | 'tell' | 'none' = 'tell',
  ): Promise<Subscriber> {
    const connection = await client.connect(natsLogin(nats.url));
    const partitions = group.member();
    const [texts, errors] = [[] as string[], [] as unknown[]];
    const options = {
      name: 'ticks',
      count: 4,
      subject: (partition: number) => `ticks.${partition}.>`,
      ...(onError !== 'none' && { onError: onError === 'tell' ? (failed: unknown) => void errors.push(failed) : onError }),
    };
    const subscription = ownedSubscription(partitions, connection, options);
    subscribers.push({ partitions, connection, subscription, texts, errors });
    void subscription.run(async (context) => {
      await onMessage(context);
      texts.push(Buffer.from(context.message.data).toString());
    });
    return { partitions, connection, subscription, texts, errors };
  }

  describe.each(streamClients)('$client', (client) => {
    test('has one subscriber at a time, and loses only what is published between two (2 owners)', async () => {
      const group = new CommandedGroup();
      const [a, b] = [await subscribe(client, group), await subscribe(client, group)];
      const publish = async (...texts: string[]): Promise<void> => {
        for (const text of texts) b.connection.publish('ticks.2.x', text);
        await b.connection.flush();
      };
      const first = a.partitions.grant(2);
      await subscribed(a);
      await publish(...numbered(10));
      await first.revoke();
      await publish('in the gap');
      const second = b.partitions.grant(2);
      await subscribed(b);
      await publish(...numbered(10, 10));
      await until(() => b.texts.length === 10);
      expect([a.texts, b.texts]).toEqual([numbered(10), numbered(10, 10)]);
      await second.revoke();
    });

    test('handles what the server had sent before it lets go, one after the other (1 owner)', async () => {
      const gate = new Gate();
      const a = await subscribe(client, new CommandedGroup(), () => gate.pass());
      const grant = a.partitions.grant(1);
      await subscribed(a);
      for (const text of numbered(5)) a.connection.publish('ticks.1.x', text);
      await gate.reached;
      const revoked = grant.revoke();
      gate.open();
      await revoked;
      expect(a.texts).toEqual(numbered(5));
    });

    test('handles nothing once the lease is over, and tells what a handler threw (1 owner)', async () => {
      const gate = new Gate();
      const a = await subscribe(client, new CommandedGroup(), async () => {
        await gate.pass();
        throw new Error('no');
      });
      const grant = a.partitions.grant(1);
      await subscribed(a);
      for (const text of numbered(3)) a.connection.publish('ticks.1.x', text);
      await gate.reached;
      grant.lapse();
      gate.open();
      await grant.settled;
      expect(a.texts).toEqual([]);
      expect(a.errors).toEqual([{ partition: 1, token: grant.token, error: new Error('no') }]);
    });

    test('fails the partition where a handler throws and nobody is told, or the one who is told throws (1 owner)', async () => {
      const fail = (): void => {
        throw new Error('no');
      };
      const failFurther = (): void => {
        throw new Error('not told');
      };
      for (const [onError, message] of [['none', 'no'] as const, [failFurther, 'not told'] as const]) {
        const a = await subscribe(client, new CommandedGroup(), fail, onError);
        const grant = a.partitions.grant(1);
        await subscribed(a);
        for (const text of numbered(3)) a.connection.publish('ticks.1.x', text);
        expect(await grant.settled).toMatchObject({ message });
        expect(a.texts).toEqual([]);
      }
    });

    test('refuses to run twice, and without a handler (1 owner)', async () => {
      const { subscription } = await subscribe(client, new CommandedGroup());
      await expect(subscription.run(() => undefined)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      await expect(subscription.run('handler' as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    });
  });
});
