/** Missing rights on a Kafka that checks them: typed, naming topic and command, and recovered from when they are given. */
import { randomUUID } from 'node:crypto';
import { isQuorateError } from '@quorate/core/adapter';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from 'kafkajs';
import type { AclEntry, Admin } from 'kafkajs';
import { kafkaBroker } from '../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../test/support/brokers.ts';
import { kafkaTransport } from '../src/index.ts';
import { RecordedChannel } from './recorded-channel.ts';

const { TOPIC, CLUSTER } = AclResourceTypes;
const { ALL, CREATE, READ, WRITE, DESCRIBE } = AclOperationTypes;
const { ALLOW, DENY } = AclPermissionTypes;

describeWithKafka(
  'a Kafka that checks rights',
  () => {
    let broker: KafkaBroker;
    let admin: Admin;
    beforeAll(async () => {
      // Everything is allowed on whatever has no rule of its own.
      const properties = {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
      };
      broker = await kafkaBroker({ properties });
      admin = client().admin();
      await admin.connect();
    }, 120_000);
    afterAll(async () => {
      await admin?.disconnect();
      await broker?.close();
    });

    const client = () => new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
    const topicOf = (group: string) => `quorate.${group}.paxos`;

    function rule(
      on: { type: AclResourceTypes; name: string },
      operation: AclOperationTypes,
      permissionType: AclPermissionTypes,
    ): AclEntry {
      return {
        resourceType: on.type,
        resourceName: on.name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: 'User:ANONYMOUS',
        host: '*',
        operation,
        permissionType,
      };
    }

    /** Everything but this. */
    async function deny(on: { type: AclResourceTypes; name: string }, operation: AclOperationTypes): Promise<() => Promise<void>> {
      const acl = [rule(on, ALL, ALLOW), rule(on, operation, DENY)];
      await admin.createAcls({ acl });
      return async () => {
        await admin.deleteAcls({ filters: acl });
      };
    }

    /** Brokers learn of rules a moment after they are made: opens again and again until it is refused. */
    async function refusal(open: () => Promise<RecordedChannel>): Promise<unknown> {
      for (;;) {
        try {
          await (await open()).channel.close();
        } catch (error) {
          return error;
        }
      }
    }

    /** As `refusal`, the other way round. */
    async function success(open: () => Promise<RecordedChannel>): Promise<RecordedChannel> {
      for (;;) {
        try {
          return await open();
        } catch (error) {
          if (!isQuorateError(error, 'TRANSPORT_DENIED')) throw error;
        }
      }
    }

    for (const read of ['handle', 'group'] as const) {
      describe(`read by ${read}`, () => {
        const open = (group: string) => RecordedChannel.open(kafkaTransport(client(), { read }), { group, node: 'a' });

        test('says with which command to create a topic that it may not create (1 voter)', async () => {
          const restore = await deny({ type: CLUSTER, name: 'kafka-cluster' }, CREATE);
          let group = '';
          const error = await refusal(async () => {
            group = randomUUID();
            await deny({ type: TOPIC, name: topicOf(group) }, CREATE);
            return open(group);
          });
          await restore();
          const command = `kafka-topics.sh --bootstrap-server ${broker.brokers[0]} --create --topic ${topicOf(group)} --partitions 25`;
          expect(error).toMatchObject({ code: 'TOPIC_MISSING', message: expect.stringContaining(command) });
        });

        test.each([
          ['write', WRITE],
          ['read', READ],
          ['describe', DESCRIBE],
        ])('names the topic that it may not %s (1 voter)', async (_name, operation) => {
          const group = randomUUID();
          await (await open(group)).channel.close();
          const restore = await deny({ type: TOPIC, name: topicOf(group) }, operation);
          const error = await refusal(() => open(group));
          await restore();
          expect(error).toMatchObject({ code: 'TRANSPORT_DENIED', message: expect.stringContaining(topicOf(group)) });
          await (await success(() => open(group))).channel.close();
        });
      });
    }

    test('says that a right was taken away, and goes on when it is given back (2 voters)', async () => {
      const group = randomUUID();
      const voters = ['a', 'b'];
      const open = (node: string) => RecordedChannel.open(kafkaTransport(client()), { group, node, voters });
      const [a, b] = await Promise.all([open('a'), open('b')]);
      const restore = await deny({ type: TOPIC, name: topicOf(group) }, READ);
      await a.until(() => a.statuses.includes('disconnected'));
      expect(a.events).toContainEqual(expect.objectContaining({ type: 'error', code: 'TRANSPORT_DENIED' }));
      await restore();
      for (const one of [a, b]) await one.until(() => one.channel.status === 'connected');
      await b.until(
        () => b.texts.includes('after'),
        () => a.send({ type: 'all' }, 'after'),
      );
      await Promise.all([a.channel.close(), b.channel.close()]);
    });

    test('lock events that may not be published are said once, and frames are not in their way (2 voters)', async () => {
      const group = randomUUID();
      const restore = await deny({ type: TOPIC, name: `quorate.${group}.events` }, WRITE);
      const voters = ['a', 'b'];
      const open = (node: string) => RecordedChannel.open(kafkaTransport(client()), { group, node, voters });
      const [a, b] = await Promise.all([open('a'), open('b')]);
      const denial = ({ code, message }: { code: string; message: string }) =>
        code === 'TRANSPORT_DENIED' && message.includes(`${group}.events`);
      await a.until(
        () => a.events.some(denial),
        () => a.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]),
      );
      const again = () => a.channel.publishEvents([{ kind: 'lock', name: 'x', bytes: Buffer.from('{}') }]);
      for (const text of ['one', 'two', 'three']) {
        again();
        await b.until(
          () => b.texts.includes(text),
          () => a.send({ type: 'all' }, text),
        );
      }
      expect(a.events.filter(denial)).toHaveLength(1);
      expect(a.channel.status).toBe('connected');
      await restore();
      await Promise.all([a.channel.close(), b.channel.close()]);
    });
  },
  { own: 'process' },
);
