/** The two topics of a group: their names, their settings, and making sure that one is there. */
import { encodeName, QuorateError } from '@quorate/core/adapter';
import { backOffMs, pause } from './back-off.ts';
import type { TopicAdmin, TopicDescription, TopicSpec } from './driver.ts';
import { deniedError, KafkaFailure, sentence } from './failure.ts';

const unknownBroker = '<broker>';
const readyWithinMs = 20_000;
const retry = { firstMs: 20, longestMs: 500 };

/** What Kafka allows unless told otherwise: 1 MiB and the header of a batch. */
export const batchBytesDefault = 1_048_588;

export interface FramesTopicOptions {
  readonly group: string;
  readonly partitions: number;
  readonly retentionMs: number;
  readonly replicationFactor: number | undefined;
}

/** Frames are worth nothing once they are old, and a lost one is sent again by the protocol: delivery comes before durability. */
export function framesTopic({ group, partitions, retentionMs, replicationFactor }: FramesTopicOptions): TopicSpec {
  return {
    topic: `quorate.${encodeName(group)}.paxos`,
    partitions,
    replicationFactor,
    settings: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMs),
      'retention.bytes': '104857600',
      'segment.ms': String(retentionMs),
      'segment.bytes': '52428800',
      // Clocks of producers decide nothing: neither how long a frame is kept nor whether it is taken.
      'message.timestamp.type': 'LogAppendTime',
      // A broker that recompresses could choose a codec that readers lack.
      'compression.type': 'uncompressed',
      // One live replica is enough to go on, even one that missed some frames.
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'true',
    },
    essentialSettings: ['cleanup.policy', 'retention.ms'],
  };
}

/** Lock events are for others to read; how long they are kept and in how many partitions is the broker's default. */
export function eventsTopic({ group, replicationFactor }: Pick<FramesTopicOptions, 'group' | 'replicationFactor'>): TopicSpec {
  return {
    topic: `quorate.${encodeName(group)}.events`,
    partitions: -1,
    replicationFactor,
    settings: { 'cleanup.policy': 'delete' },
    essentialSettings: ['cleanup.policy'],
  };
}

/**
 * Resolves once the topic has all its partitions, each with a leader.
 *
 * @throws QuorateError `TOPIC_MISSING`, `TRANSPORT_DENIED`, `TRANSPORT_FAILED`, `INVALID_OPTIONS` for an existing topic that is
 * too small; KafkaFailure `connection`.
 */
export async function ensureTopic(admin: TopicAdmin, spec: TopicSpec, signal: AbortSignal): Promise<TopicDescription> {
  const deadlineMs = performance.now() + readyWithinMs;
  let isCreated = false;
  for (let attempt = 0; !signal.aborted; attempt++) {
    let trouble: KafkaFailure;
    try {
      const description = await admin.describe(spec.topic);
      if (description.leaders.size < spec.partitions) throw await tooSmall(admin, spec, description.leaders.size);
      const leaderless = [...description.leaders].filter(([, leader]) => leader < 0).map(([partition]) => partition);
      if (description.leaders.size > 0 && leaderless.length === 0) return description;
      trouble = new KafkaFailure('leader', `Topic ${spec.topic} has no leader for its partitions ${leaderless.join(', ')}`);
    } catch (error) {
      if (!(error instanceof KafkaFailure)) throw error;
      trouble = error;
    }
    if (trouble.kind === 'denied') throw deniedError(spec.topic, trouble);
    if (trouble.kind !== 'missing' && trouble.kind !== 'leader') throw trouble;
    if (trouble.kind === 'missing' && !isCreated) {
      await create(admin, spec);
      isCreated = true;
    }
    if (performance.now() > deadlineMs) throw trouble;
    await pause(backOffMs(attempt, retry), signal);
  }
  throw new KafkaFailure('connection', 'The wait for the topic was given up');
}

/** Repeats work on a topic that was just made: for a moment some brokers do not know it yet, or not that they lead a part of it. */
export async function whileSettling<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + readyWithinMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isPassing = error instanceof KafkaFailure && (error.kind === 'leader' || error.kind === 'missing');
      if (!isPassing || signal.aborted || performance.now() > deadlineMs) throw error;
      await pause(backOffMs(attempt, retry), signal);
    }
  }
}

async function create(admin: TopicAdmin, spec: TopicSpec): Promise<void> {
  try {
    await admin.create(spec);
  } catch (error) {
    if (!(error instanceof KafkaFailure) || error.kind === 'connection') throw error;
    const { topic } = spec;
    const command = createCommand(spec, await admin.address());
    throw new QuorateError(
      'TOPIC_MISSING',
      `Topic ${topic} could not be created: ${sentence(error.message)} The command is: ${command} .`,
      {
        cause: error.cause ?? error,
        details: { topic, command },
      },
    );
  }
}

async function tooSmall(admin: TopicAdmin, { topic, partitions }: TopicSpec, has: number): Promise<QuorateError> {
  const broker = (await admin.address()) ?? unknownBroker;
  const command = `kafka-topics.sh --bootstrap-server ${broker} --alter --topic ${topic} --partitions ${partitions}`;
  const remedy = `lower \`clientInboxes\` in every process, or add them with: ${command} .`;
  const happened = `Topic ${topic} has ${has} partitions and this group needs ${partitions}: ${remedy}`;
  return new QuorateError('INVALID_OPTIONS', happened, { details: { topic, has, partitions, command } });
}

/** What an operator runs to create the topic as Quorate would. */
export function createCommand(spec: TopicSpec, address: string | undefined): string {
  const words = ['kafka-topics.sh', '--bootstrap-server', address ?? unknownBroker, '--create', '--topic', spec.topic];
  if (spec.partitions > 0) words.push('--partitions', String(spec.partitions));
  if (spec.replicationFactor !== undefined && spec.replicationFactor > 0)
    words.push('--replication-factor', String(spec.replicationFactor));
  for (const [name, value] of Object.entries(spec.settings)) words.push('--config', `${name}=${value}`);
  return words.join(' ');
}

/** The topic's limit for one batch of records, or the default where this client may not see it. */
export async function batchBytesMax(admin: Pick<TopicAdmin, 'setting'>, topic: string): Promise<number> {
  const value = Number(await admin.setting(topic, 'max.message.bytes'));
  return Number.isInteger(value) && value > 0 ? value : batchBytesDefault;
}
