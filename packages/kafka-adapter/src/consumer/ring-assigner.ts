/**
 * Better balance, not exclusive: Quorate's assignment as a `partitionAssigners` entry of a plain kafkajs consumer group. Sticky, since
 * each member says in its user data what it had, and weighted. Who rebalances, and the moments in which two members handle one
 * partition, are the group's as before; `ownedConsumer` is for those who cannot have them.
 */
import { randomUUID } from 'node:crypto';
import { assign, encodeName, QuorateError } from '@quorate/core/adapter';
import { readSubscription, writeAssignment, writeSubscription } from './group-protocol.ts';

export interface RingAssignerOptions {
  /** This member's share beside the others'. Default 1; any finite number > 0. */
  readonly weight?: number;
  /** This member's name, the same after a restart: the pod's, for example. Default: a random one. */
  readonly node?: string;
}

interface Cluster {
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[];
}

interface Member {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

export interface RingAssigner {
  (given: { readonly cluster: unknown }): {
    readonly name: string;
    readonly version: number;
    assign(group: { readonly members: Member[]; readonly topics: string[] }): Promise<{ memberId: string; memberAssignment: Buffer }[]>;
    protocol(subscription: { readonly topics: string[] }): { name: string; metadata: Buffer };
  };
  /** Remembers what the consumer is given, so that it can say so at the next rebalance. To be called before `run`. */
  follow(consumer: FollowedConsumer): void;
}

export interface FollowedConsumer {
  on(event: 'consumer.group_join', listener: (event: { readonly payload: { readonly memberAssignment: ByTopic } }) => void): unknown;
}

type ByTopic = Readonly<Record<string, readonly number[]>>;

interface Candidate {
  readonly memberId: string;
  readonly node: string;
  readonly weight: number;
  readonly topics: readonly string[];
  readonly owned: ReadonlyMap<string, readonly number[]>;
}

const name = 'QuorateRing';

/** @throws QuorateError `INVALID_OPTIONS` */
export function ringAssigner({ weight = 1, node = randomUUID() }: RingAssignerOptions = {}): RingAssigner {
  if (!(weight > 0 && Number.isFinite(weight))) throw new QuorateError('INVALID_OPTIONS', `\`weight\` is ${weight}, not a number above 0.`);
  let owned: ByTopic = {};
  return Object.assign(
    ({ cluster }: { readonly cluster: unknown }) => ({
      name,
      version: 0,
      assign: ({ members, topics }: { readonly members: Member[]; readonly topics: string[] }) =>
        Promise.resolve(assignMembers(members, topics, cluster as Cluster)),
      protocol: ({ topics }: { readonly topics: string[] }) => ({
        name,
        metadata: writeSubscription({ topics, userData: Buffer.from(JSON.stringify({ node, weight, owned })) }),
      }),
    }),
    {
      follow: (consumer: FollowedConsumer) => {
        consumer.on('consumer.group_join', ({ payload }) => (owned = payload.memberAssignment));
      },
    },
  );
}

/** What each member is to have, as the coordinator hands it on. `topics` are those of the leader, for members that name none. */
export function assignMembers(
  members: readonly Member[],
  topics: readonly string[],
  cluster: Cluster,
): { memberId: string; memberAssignment: Buffer }[] {
  const candidates = members.map((member) => candidateOf(member, topics));
  // Maps throughout, for a topic may be named as what every object has: `constructor`, `__proto__`.
  const shares = new Map(candidates.map(({ memberId }) => [memberId, new Map<string, number[]>()]));
  const byName = new Map(named(candidates).map((candidate) => [candidate.node, candidate]));
  for (const topic of new Set(candidates.flatMap(({ topics }) => topics))) {
    const members = [...byName.values()].filter(({ topics }) => topics.includes(topic));
    const count = cluster.findTopicPartitionMetadata(topic).length;
    const current = new Array<string | undefined>(count).fill(undefined);
    for (const { node, owned } of members) for (const partition of owned.get(topic) ?? []) if (partition < count) current[partition] = node;
    const next = assign({ count, current, set: topic, members: members.map(({ node, weight }) => ({ name: node, weight })) });
    for (const [partition, node] of next.entries()) {
      const share = shares.get(byName.get(node ?? '')?.memberId ?? '');
      share?.set(topic, [...(share.get(topic) ?? []), partition]);
    }
  }
  return Array.from(shares, ([memberId, share]) => ({ memberId, memberAssignment: writeAssignment(share) }));
}

/** Two processes that were given one name are told apart by their members' ids. What no name of a node may be becomes one. */
function named(candidates: readonly Candidate[]): readonly Candidate[] {
  const counts = new Map<string, number>();
  for (const { node } of candidates) counts.set(node, (counts.get(node) ?? 0) + 1);
  return candidates.map((candidate) => ({
    ...candidate,
    node: encodeName(counts.get(candidate.node) === 1 ? candidate.node : candidate.memberId),
  }));
}

/** What others send is taken for what it says where it says something, and for a plain member otherwise. */
function candidateOf({ memberId, memberMetadata }: Member, topics: readonly string[]): Candidate {
  const subscribed = readSubscription(memberMetadata);
  const said = saidIn(subscribed?.userData);
  return {
    memberId,
    node: typeof said.node === 'string' && said.node !== '' ? said.node : memberId,
    weight: typeof said.weight === 'number' && said.weight > 0 && Number.isFinite(said.weight) ? said.weight : 1,
    topics: subscribed?.topics ?? topics,
    owned: ownedIn(said.owned),
  };
}

function saidIn(userData: Buffer | undefined): { readonly node?: unknown; readonly weight?: unknown; readonly owned?: unknown } {
  try {
    const said: unknown = JSON.parse(String(userData ?? '{}'));
    return typeof said === 'object' && said !== null ? said : {};
  } catch {
    return {};
  }
}

function ownedIn(given: unknown): Candidate['owned'] {
  if (typeof given !== 'object' || given === null) return new Map();
  return new Map(
    Object.entries(given).map(([topic, partitions]: [string, unknown]) => [
      topic,
      Array.isArray(partitions) ? partitions.filter((one): one is number => Number.isInteger(one) && one >= 0) : [],
    ]),
  );
}
