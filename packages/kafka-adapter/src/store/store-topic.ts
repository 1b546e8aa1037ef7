/** The topic of a seat's store: a compacted log of one partition that one producer writes, and no other seat shares. */
import { createHash } from 'node:crypto';
import { encodeName } from '@quorate/core/adapter';
import type { TopicSpec } from '../driver.ts';

/** Kafka's limit. */
const topicLengthMax = 249;

/**
 * A topic for each seat rather than a partition: no rule gives names that come and go partitions of their own, whereas two seats on one
 * partition would fence each other off. `docs/decisions/0014`.
 */
export function storeTopicName(group: string, node: string): string {
  const name = `quorate.${encodeName(group)}.store.${encodeName(node)}`;
  if (name.length <= topicLengthMax) return name;
  const hash = createHash('sha256')
    .update(JSON.stringify([group, node]))
    .digest('base64url');
  return `quorate.${encodeName(group).slice(0, 150)}.store._s${hash}`;
}

/** Its id as a producer is that of the topic: whoever begins to write next fences the one before. */
export function storeTopic(topic: string, replicationFactor: number | undefined): TopicSpec {
  return {
    topic,
    partitions: 1,
    replicationFactor,
    settings: {
      'cleanup.policy': 'compact',
      'unclean.leader.election.enable': 'false',
      'compression.type': 'uncompressed',
      // What a snapshot replaced is gone within minutes, not days.
      'segment.ms': '600000',
      'segment.bytes': '33554432',
      'min.cleanable.dirty.ratio': '0.2',
      'delete.retention.ms': '600000',
    },
    essentialSettings: ['cleanup.policy', 'unclean.leader.election.enable', 'min.insync.replicas'],
    insyncReplicasMin: 2,
  };
}
