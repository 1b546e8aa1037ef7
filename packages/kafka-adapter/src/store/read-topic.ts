/** Reads a store's partition from its first offset to the end that committed transactions have, without any consumer group. */
import { pause } from '../back-off.ts';
import type { KafkaClient } from '../client.ts';
import type { ConsumedMessage } from '../consumer/payload.ts';
import { KafkajsConsumerDriver } from '../consumer/kafkajs-consumer-driver.ts';
import { whileLoading } from '../consumer/persistence.ts';
import { KafkaFailure } from '../failure.ts';

const partition = 0;
const fetchBytesMax = 16_777_216;
const maxWaitMs = 500;
const passingPauseMs = 50;
const attemptsMax = 100;

export interface TopicReading {
  readonly kafka: KafkaClient;
  readonly topic: string;
  readonly onMessage: (message: ConsumedMessage) => void;
}

/** Resolves to the first offset that there was; what is before it has been deleted. */
export async function readTopic({ kafka, topic, onMessage }: TopicReading): Promise<bigint> {
  const driver = new KafkajsConsumerDriver(kafka);
  try {
    await driver.connect();
    const leaderOf = async (): Promise<number> => {
      const leader = (await driver.leaders([topic])).get(topic)?.get(partition) ?? -1;
      if (leader < 0) throw new KafkaFailure('leader', `Topic ${topic} has no leader`);
      return leader;
    };
    const at = { topic, partition };
    let leader = await whileLoading(leaderOf);
    const first = await whileLoading(async () => driver.edge((leader = await leaderOf()), at, 'earliest'));
    const end = await whileLoading(async () => driver.edge((leader = await leaderOf()), at, 'latest'));
    let offset = first;
    let failures = 0;
    while (offset < end) {
      const request = { maxWaitMs, minBytes: 1, maxBytes: fetchBytesMax, partitionBytesMax: fetchBytesMax, positions: [{ ...at, offset }] };
      const [outcome] = await driver.fetch(leader, request);
      if (outcome?.type === 'messages') {
        for (const message of outcome.messages) onMessage(message);
        offset = outcome.nextOffset;
        continue;
      }
      const failure = outcome?.failure ?? new KafkaFailure('leader', `Topic ${topic} was not answered for`);
      if (failure.kind !== 'leader' || (failures += 1) > attemptsMax) throw failure;
      await pause(passingPauseMs, new AbortController().signal);
      leader = await whileLoading(leaderOf);
    }
    return first;
  } finally {
    await driver.close();
  }
}
