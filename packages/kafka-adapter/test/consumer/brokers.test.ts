/** Owned consumers on brokers that die, move their partitions, or refuse: nothing is lost, and what is refused is said. */
import { randomUUID } from 'node:crypto';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import type * as Platformatic from '@platformatic/kafka' with { 'resolution-mode': 'import' };
import { kafkaBroker } from '../../../../scripts/brokers/index.ts';
import type { KafkaBroker } from '../../../../scripts/brokers/index.ts';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { KafkaRig, numbers, until } from './kafka-rig.ts';

/** The client of the test tries again for a while and then gives up; what it wrote in between may stand in the log twice. */
function isSent(rig: KafkaRig, value: string, partition: number): Promise<boolean> {
  return rig.send([value], partition).then(
    () => true,
    () => false,
  );
}

const strays: unknown[] = [];
const onStray = (reason: unknown) => void strays.push(reason);
beforeAll(() => process.on('unhandledRejection', onStray));
afterAll(() => process.off('unhandledRejection', onStray));
afterEach(() => expect(strays.splice(0)).toEqual([]));

describeWithKafka(
  'three brokers under owned consumers',
  () => {
    let brokers: KafkaBroker;
    beforeAll(async () => {
      brokers = await kafkaBroker({ cluster: 3 });
    }, 300_000);
    afterAll(() => brokers?.close());

    test('die in turn: partitions and coordinators move, and no message is lost or handled twice (1 owner, 6 partitions)', async () => {
      const rig = new KafkaRig(brokers.brokers);
      const partitions = numbers(0, 6);
      await rig.open(6);
      const { consumer, partitions: granted } = rig.process();
      const values = new Set<string>();
      const places: string[] = [];
      await consumer.run({
        eachMessage: ({ partition, message }) => {
          values.add(`${partition} ${String(message.value)}`);
          places.push(`${partition} ${message.offset}`);
          return Promise.resolve();
        },
      });
      for (const partition of partitions) granted.grant(partition, partition + 1);
      const sent: string[] = [];
      const send = async (round: string) => {
        for (const partition of partitions) {
          await until(() => isSent(rig, round, partition));
          sent.push(`${partition} ${round}`);
        }
      };
      const arrived = () => until(() => sent.every((line) => values.has(line)), `all of ${sent.length} messages`);
      await send('before');
      await arrived();
      for (const [index, member] of brokers.members.entries()) {
        await member.kill();
        await send(`without ${index}`);
        await arrived();
        await member.start();
        await send(`with ${index} again`);
        await arrived();
      }
      const notes = await Promise.all(partitions.map((partition) => granted.revoke(partition)));
      expect(notes.every((note) => note !== undefined)).toBe(true);
      expect(places).toHaveLength(new Set(places).size);
      const ends = await rig.admin.fetchTopicOffsets(rig.topic);
      const { length } = places;
      expect(ends.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(length);
      await rig.close();
    }, 400_000);
  },
  { own: 'process' },
);

describeWithKafka(
  'a Kafka that checks rights, under owned consumers',
  () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      const properties = {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
      };
      broker = await kafkaBroker({ properties });
    }, 120_000);
    afterAll(() => broker?.close());

    test('is slowed down by a quota and not cut off, and still commits (1 owner)', async () => {
      const rig = new KafkaRig(broker.brokers);
      await rig.open();
      const platformatic = jest.requireActual<typeof Platformatic>('@platformatic/kafka');
      const quotas = new platformatic.Admin({ clientId: 'quotas', bootstrapBrokers: [...broker.brokers] });
      const entities = [{ entityType: 'client-id' as const, entityName: rig.groupId }];
      await quotas.alterClientQuotas({ entries: [{ entities, ops: [{ key: 'consumer_byte_rate', value: 20_000, remove: false }] }] });
      await quotas.close();
      for (const value of numbers(0, 12)) await rig.send([String(value).padEnd(10_000)]);
      const { consumer, partitions, events } = rig.process({ maxBytesPerPartition: 20_000 }, rig.groupId);
      const seen: number[] = [];
      await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(Number(message.value))) });
      partitions.grant(0, 1);
      await until(() => seen.length === 12);
      expect(seen).toEqual(numbers(0, 12));
      await until(async () => (await rig.committed()).offset === '12');
      expect(events.filter(({ type }) => type === 'fetchFailed')).toEqual([]);
      await rig.close();
    }, 120_000);

    const denied = (resourceType: AclResourceTypes, resourceName: string) => ({
      resourceType,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.DENY,
    });

    test('says that the group may not be read, and whose offsets they are (1 owner)', async () => {
      const rig = new KafkaRig(broker.brokers);
      await rig.open();
      await rig.admin.createAcls({ acl: [denied(AclResourceTypes.GROUP, rig.groupId)] });
      const { consumer } = rig.process();
      const error: unknown = await consumer.run({ eachMessage: () => Promise.resolve() }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'TRANSPORT_DENIED' });
      expect(String(error)).toContain(`group ${rig.groupId}`);
      await rig.close();
    });

    test('keeps a topic that may not be read from the others, and reads it when it may be (1 owner, 2 topics)', async () => {
      const rig = new KafkaRig(broker.brokers);
      await rig.open();
      const other = `other-${randomUUID()}`;
      await rig.admin.createTopics({ topics: [{ topic: other, numPartitions: 1 }], waitForLeaders: true });
      const acl = denied(AclResourceTypes.TOPIC, other);
      await rig.send(['a']);
      await rig.send(['b'], 0, other);
      const { consumer, partitions, events } = rig.process({ topics: [rig.topic, other] });
      const seen: string[] = [];
      await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.value))) });
      partitions.grant(0, 1);
      await until(() => seen.length === 2);
      await rig.admin.createAcls({ acl: [acl] });
      await until(() => events.some((event) => event.type === 'fetchFailed' && event.topic === other));
      await rig.send(['c']);
      await until(() => seen.includes('c'));
      await rig.admin.deleteAcls({ filters: [acl] });
      await rig.send(['d'], 0, other);
      await until(() => seen.includes('d'));
      await rig.close();
    });
  },
  { own: 'process' },
);

describeWithKafka(
  'a compacted topic under owned consumers',
  () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await kafkaBroker({ properties: { 'log.cleaner.backoff.ms': '200' } });
    }, 120_000);
    afterAll(() => broker?.close());

    test('is read past batches of which compaction has left nothing but the header (1 owner)', async () => {
      const rig = new KafkaRig(broker.brokers);
      await rig.open();
      const configEntries = Object.entries({
        'cleanup.policy': 'compact',
        'segment.ms': '100',
        'segment.bytes': '1048576',
        'min.cleanable.dirty.ratio': '0.01',
        'delete.retention.ms': '0',
        'max.compaction.lag.ms': '1000',
      }).map(([name, value]) => ({ name, value }));
      await rig.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: rig.topic, configEntries }] });
      const write = async (key: string, value: string | null) => {
        const producer = rig.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
        await producer.connect();
        await producer.send({ topic: rig.topic, acks: -1, messages: [{ key, value }] });
        await producer.disconnect();
      };
      const nextSegment = () => new Promise((resolve) => setTimeout(resolve, 200));
      const filler = 'x'.repeat(700_000);
      // Too large to be merged with other segments: the first one ends with a tombstone, of which compaction leaves an empty batch.
      await write('first', filler);
      await write('gone', null);
      await nextSegment();
      const { consumer, partitions } = rig.process();
      const seen: string[] = [];
      await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.key))) });
      const isTombstoneGone = async () => {
        await nextSegment();
        await write('later', filler);
        seen.length = 0;
        partitions.grant(0, ++token);
        consumer.seek({ topic: rig.topic, partition: 0, offset: '0' });
        await until(() => seen.includes('later'), 'the message after the empty batch');
        await partitions.revoke(0);
        return !seen.includes('gone');
      };
      let token = 0;
      await until(isTombstoneGone, 'the end of the tombstone');
      expect(seen).toContain('first');
      await rig.close();
    }, 120_000);
  },
  { own: 'process' },
);
