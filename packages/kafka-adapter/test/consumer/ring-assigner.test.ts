/** The ring as an assigner of plain kafkajs groups: what it gives whom, and that kafkajs and Kafka take it. */
import { AssignerProtocol } from 'kafkajs';
import type { Consumer } from 'kafkajs';
import { describeWithKafka } from '../../../../test/support/brokers.ts';
import { ringAssigner } from '../../src/index.ts';
import type { RingAssignerOptions } from '../../src/index.ts';
import { KafkaRig, numbers, until } from './kafka-rig.ts';

type ByTopic = Record<string, number[]>;

const cluster = { findTopicPartitionMetadata: () => numbers(0, 100).map((partitionId) => ({ partitionId })) };

/** A member that has learnt what it owns, by kafkajs's own reading and writing of the protocol. */
class Member {
  readonly memberId: string;
  readonly assigner: ReturnType<typeof ringAssigner>;
  owned: ByTopic = {};
  #join: ((event: { readonly payload: { readonly memberAssignment: ByTopic } }) => void) | undefined;

  constructor(memberId: string, options: RingAssignerOptions = {}) {
    this.memberId = memberId;
    this.assigner = ringAssigner({ node: memberId, ...options });
    this.assigner.follow({ on: (_event, listener) => (this.#join = listener) });
  }

  get metadata(): Buffer {
    return this.assigner({ cluster }).protocol({ topics: ['orders'] }).metadata;
  }

  take(memberAssignment: Buffer): number {
    const before = new Set(this.owned['orders']);
    this.owned = AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {};
    this.#join?.({ payload: { memberAssignment: this.owned } });
    return (this.owned['orders'] ?? []).filter((partition) => !before.has(partition)).length;
  }
}

/** Answers how many partitions moved. */
async function rebalance(members: readonly Member[]): Promise<number> {
  const [leader] = members;
  const group = members.map(({ memberId, metadata }) => ({ memberId, memberMetadata: metadata }));
  const assigned = (await leader?.assigner({ cluster }).assign({ members: group, topics: ['orders'] })) ?? [];
  const moved = members.map((member) =>
    member.take(assigned.find(({ memberId }) => memberId === member.memberId)?.memberAssignment ?? Buffer.alloc(0)),
  );
  return moved.reduce((sum, one) => sum + one, 0);
}

const loads = (members: readonly Member[]) => members.map(({ owned }) => owned['orders']?.length ?? 0).sort((a, b) => a - b);

describe('the ring assigner', () => {
  test('moves no more than the new member is due (10 members, then 11, 100 partitions)', async () => {
    const members = numbers(0, 10).map((index) => new Member(`pod-${index}`));
    await rebalance(members);
    expect(loads(members)).toEqual(new Array(10).fill(10));
    const grown = [new Member('pod-10'), ...members];
    // Led by the newcomer, who knows only what the others say.
    expect(await rebalance(grown)).toBe(9);
    expect(loads(grown)).toEqual([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10]);
  });

  test('gives by weight (2 members, 100 partitions)', async () => {
    const members = [new Member('small'), new Member('large', { weight: 3 })];
    await rebalance(members);
    expect(loads(members)).toEqual([25, 75]);
  });

  test('takes members for plain ones whose user data it cannot read (3 members)', async () => {
    const plain = AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics: ['orders'],
      userData: Buffer.from('{"weight":-1,"owned":7'),
    });
    const own = new Member('own');
    const members = [
      { memberId: 'own', memberMetadata: own.metadata },
      { memberId: 'a', memberMetadata: plain },
      { memberId: 'b', memberMetadata: Buffer.alloc(3) },
    ];
    const assigned = await own.assigner({ cluster }).assign({ members, topics: ['orders'] });
    const sizes = assigned.map(
      ({ memberAssignment }) => AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment['orders']?.length,
    );
    expect(sizes.sort()).toEqual([33, 33, 34]);
  });

  test('gives every partition to somebody when two processes have one name (2 members)', async () => {
    const members = [new Member('a', { node: 'twin' }), new Member('b', { node: 'twin' })];
    await rebalance(members);
    expect(loads(members)).toEqual([50, 50]);
  });
});

describeWithKafka('the ring assigner in a group', (kafka) => {
  test('is taken by kafkajs and Kafka, and keeps members what they had when one joins (2 members, then 3, 12 partitions)', async () => {
    const rig = new KafkaRig(kafka.brokers);
    await rig.open(12);
    const assignments = new Map<string, readonly number[]>();
    const consumers: Consumer[] = [];
    const join = async (node: string) => {
      const assigner = ringAssigner({ node });
      const consumer = rig.kafka.consumer({ groupId: rig.groupId, partitionAssigners: [assigner] });
      consumers.push(consumer);
      assigner.follow(consumer);
      consumer.on('consumer.group_join', ({ payload }) => assignments.set(node, payload.memberAssignment[rig.topic] ?? []));
      await consumer.connect();
      await consumer.subscribe({ topics: [rig.topic] });
      await consumer.run({ eachMessage: () => Promise.resolve() });
    };
    const isSplit = (sizes: readonly number[]) => () => {
      const have = [...assignments.values()];
      return have.length === sizes.length && new Set(have.flat()).size === 12 && have.every((one, index) => one.length === sizes[index]);
    };
    await join('a');
    await join('b');
    await until(isSplit([6, 6]));
    const before = new Map(assignments);
    await join('c');
    await until(isSplit([4, 4, 4]));
    for (const node of ['a', 'b']) expect(before.get(node)).toEqual(expect.arrayContaining([...(assignments.get(node) ?? [])]));
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
    await rig.close();
  });
});
