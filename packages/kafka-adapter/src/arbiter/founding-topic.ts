/** The topic of a group's foundings: one partition, to which nothing is done but that records are added at its end. */
import { encodeName, QuorateError } from '@quorate/core/adapter';
import type { TopicAdmin, TopicSpec } from '../driver.ts';

export function foundingTopic(group: string, replicationFactor: number | undefined): TopicSpec {
  return {
    topic: `quorate.${encodeName(group)}.founding`,
    partitions: 1,
    replicationFactor,
    settings: {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'unclean.leader.election.enable': 'false',
      'compression.type': 'uncompressed',
    },
    essentialSettings: ['cleanup.policy', 'retention.ms', 'retention.bytes', 'unclean.leader.election.enable', 'min.insync.replicas'],
    insyncReplicasMin: 2,
  };
}

const needed: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'unclean.leader.election.enable': 'false',
};

/** Throws `INVALID_OPTIONS` for a topic that may lose what it holds, as far as this client may see how it is set. */
export async function checkFoundingTopic(driver: Pick<TopicAdmin, 'setting' | 'describe' | 'address'>, topic: string): Promise<void> {
  const { leaders } = await driver.describe(topic);
  if (leaders.size !== 1) throw unsafe(topic, `it has ${leaders.size} partitions, and needs one`);
  for (const [name, wanted] of Object.entries(needed)) {
    const value = await driver.setting(topic, name);
    if (value === undefined || value === wanted) continue;
    const broker = (await driver.address()) ?? '<broker>';
    const command = `kafka-configs.sh --bootstrap-server ${broker} --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${wanted}`;
    throw unsafe(topic, `it has \`${name}=${value}\` and needs ${wanted}; set it with: ${command} `);
  }
}

function unsafe(topic: string, what: string): QuorateError {
  const happened = `Topic ${topic} cannot keep which founding counts: ${what}.`;
  return new QuorateError('INVALID_OPTIONS', happened, { details: { topic } });
}
