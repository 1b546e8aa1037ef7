/** A topic of a test's own. The client's own wait for leaders fails when the broker answers before it has heard of the topic. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

const attempts = 600;

export async function makeTopic(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false });
  for (let attempt = 1; !(await hasLeaders(admin, topic)); attempt += 1) {
    if (attempt === attempts) throw new Error(`${topic} has no leaders`);
    await pause(50);
  }
}

async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.every(({ leader }) => leader >= 0) ?? false;
  } catch {
    return false;
  }
}
