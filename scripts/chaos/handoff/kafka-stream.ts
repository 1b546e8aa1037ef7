/** The topics of a run on Kafka: one with all the partitions, and one for outputs. */
import { tokenOfKafka } from '@quorate/kafka-adapter';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { decodeSaid, encode } from './piece.ts';
import type { Piece } from './piece.ts';
import type { HandoffStream } from './stream.ts';
import type { Names } from './worker-carrier.ts';

/** Outputs of one partition of the input go to one of the output. */
export const outputPartitions = 8;

const retry = { retries: 100, maxRetryTime: 1_000 };

export async function kafkaStream(addresses: readonly string[], names: Names): Promise<HandoffStream> {
  const kafka = new Kafka({ clientId: 'run', brokers: [...addresses], logLevel: logLevel.NOTHING, connectionTimeout: 2_000, retry });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, metadataMaxAge: 500, retry });
  const sink = kafka.consumer({ groupId: `${names.group}-sink`, retry });
  await Promise.all([admin.connect(), producer.connect(), sink.connect()]);
  return {
    open: async (count) => {
      const replicationFactor = addresses.length;
      await admin.createTopics({
        waitForLeaders: true,
        topics: [
          { topic: names.input, numPartitions: count, replicationFactor },
          { topic: names.output, numPartitions: outputPartitions, replicationFactor },
        ],
      });
    },
    produce: async (pieces) => {
      const messages = pieces.map((piece) => ({ key: piece.key, value: encode(piece), partition: piece.partition }));
      const stored = await producer.send({ topic: names.input, acks: -1, messages });
      // kafkajs drops without a word what is for a partition that it has not heard of.
      const isStored = ({ partition }: Piece): boolean => stored.some((one) => one.partition === partition);
      if (!pieces.every(isStored)) throw new Error('the producer does not know every partition yet');
    },
    readOutputs: async (onArrived) => {
      const next = new Map<number, bigint>();
      await sink.subscribe({ topics: [names.output], fromBeginning: true });
      await sink.run({
        eachMessage: ({ partition, message }) => {
          const offset = BigInt(message.offset);
          // Read again where the sink's own group was disturbed.
          if (offset < (next.get(partition) ?? 0n)) return Promise.resolve();
          next.set(partition, offset + 1n);
          onArrived({ said: decodeSaid(message.value?.toString() ?? ''), stamp: tokenOfKafka(message) });
          return Promise.resolve();
        },
      });
    },
    grow: async (count) => {
      await admin.createPartitions({ topicPartitions: [{ topic: names.input, count }] });
      return 'noticed';
    },
    startOldConsumer: async () => {
      const old = kafka.consumer({ groupId: names.group, retry });
      await old.subscribe({ topics: [names.input] });
      // It is in the way, and does nothing else: what it handled would be missing elsewhere.
      await old.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
      return () => old.disconnect();
    },
    close: async () => {
      await Promise.allSettled([sink.disconnect(), producer.disconnect(), admin.disconnect()]);
    },
  };
}
