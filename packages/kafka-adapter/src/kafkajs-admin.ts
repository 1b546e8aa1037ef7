/** Topics by the admin client of kafkajs: a connection of its own, made when first needed. */
import type { KafkaAdmin, KafkaClient } from './client.ts';
import type { TopicAdmin, TopicDescription, TopicSpec } from './driver.ts';
import { failureOf, hasType, translated } from './kafkajs-failure.ts';

/** "Topic" among the types of resources whose configuration can be described. */
const topicResource = 2;
const replicasMax = 3;

export class KafkajsAdmin implements TopicAdmin {
  readonly #kafka: KafkaClient;
  #connecting: Promise<KafkaAdmin> | undefined;

  constructor(kafka: KafkaClient) {
    this.#kafka = kafka;
  }

  async describe(topic: string): Promise<TopicDescription> {
    const admin = await this.#connected();
    const { topics } = await translated(admin.fetchTopicMetadata({ topics: [topic] }));
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    return { leaders: new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader])) };
  }

  async setting(topic: string, name: string): Promise<string | undefined> {
    const admin = await this.#connected();
    const request = { includeSynonyms: false, resources: [{ type: topicResource, name: topic, configNames: [name] }] };
    return settingIn(admin.describeConfigs(request), name);
  }

  async create(given: TopicSpec): Promise<void> {
    const admin = await this.#connected();
    const replicationFactor = given.replicationFactor ?? (await replicasFor(admin));
    const spec = withInsyncReplicas(given, replicationFactor);
    try {
      await createOnce(admin, spec, { replicationFactor, names: Object.keys(spec.settings) });
    } catch (error) {
      // Managed clusters forbid some settings. None but the essential ones changes what the topic is good for.
      if (!hasType(error, 'INVALID_CONFIG', 'POLICY_VIOLATION', 'INVALID_REPLICATION_FACTOR')) throw failureOf(error);
      const { replicationFactor: asked = -1 } = spec;
      await translated(createOnce(admin, spec, { replicationFactor: asked, names: spec.essentialSettings }));
    }
  }

  async address(): Promise<string | undefined> {
    try {
      const [first] = (await (await this.#connected()).describeCluster()).brokers;
      return first && `${first.host}:${first.port}`;
    } catch {
      return undefined;
    }
  }

  async deleteGroup(groupId: string): Promise<void> {
    const admin = await this.#connected();
    await translated(admin.deleteGroups([groupId]));
  }

  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    const admin = await connecting?.catch(() => undefined);
    await admin?.disconnect().catch(() => undefined);
  }

  #connected(): Promise<KafkaAdmin> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async #connect(): Promise<KafkaAdmin> {
    const admin = this.#kafka.admin();
    try {
      await translated(admin.connect());
      return admin;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }
}

/** The value of a setting in an answer to "describe configs"; undefined where the right to see it is missing. */
export async function settingIn(
  answer: Promise<{ resources: { configEntries: { configName: string; configValue: string }[] }[] }>,
  name: string,
): Promise<string | undefined> {
  try {
    const { resources } = await translated(answer);
    return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
  } catch (error) {
    if (failureOf(error).kind === 'connection') throw error;
    return undefined;
  }
}

/** A copy on three brokers, where there are three: frames may be lost, but the group is to outlive a broker. */
async function replicasFor(admin: KafkaAdmin): Promise<number> {
  const { brokers } = await translated(admin.describeCluster());
  return Math.min(replicasMax, Math.max(1, brokers.length));
}

function withInsyncReplicas(spec: TopicSpec, replicationFactor: number): TopicSpec {
  const { insyncReplicasMin = 0, settings } = spec;
  if (insyncReplicasMin === 0 || replicationFactor <= insyncReplicasMin) return spec;
  return { ...spec, settings: { ...settings, 'min.insync.replicas': String(insyncReplicasMin) } };
}

interface Creation {
  readonly replicationFactor: number;
  readonly names: readonly string[];
}

async function createOnce(admin: KafkaAdmin, spec: TopicSpec, { replicationFactor, names }: Creation): Promise<void> {
  const configEntries = names.map((name) => ({ name, value: spec.settings[name] ?? '' }));
  const topic = { topic: spec.topic, numPartitions: spec.partitions, replicationFactor, configEntries };
  try {
    await admin.createTopics({ waitForLeaders: false, topics: [topic] });
  } catch (error) {
    if (!hasType(error, 'TOPIC_ALREADY_EXISTS')) throw error;
  }
}
