/** A worker on Kafka: a consumer whose partitions have one owner at a time, or a consumer group of kafkajs as users have it today. */
import { connect as connectSocket } from 'node:net';
import { kafkaTransport, ownedConsumer, stampKafka } from '@quorate/kafka-adapter';
import { Kafka, logLevel, PartitionAssigners, Partitioners } from 'kafkajs';
import type { Consumer } from 'kafkajs';
import { outputPartitions } from './kafka-stream.ts';
import { decodePiece, encode } from './piece.ts';
import type { Piece } from './piece.ts';
import type { CarrierSettings, Consuming, PlainConsuming, WorkerCarrier } from './worker-carrier.ts';

/** How soon the run is to see what in production may take a minute. */
const lookIntervalMs = 1_500;
const commitIntervalMs = 200;
const concurrently = 16;

export async function kafkaWorker(settings: CarrierSettings): Promise<WorkerCarrier> {
  const { addresses, name, names, drainTimeoutMs, sessionTtlMs } = settings;
  const kafka = new Kafka({
    clientId: name,
    brokers: [...addresses],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    socketFactory: ({ host, port, onConnect }) => connectSocket({ host, port }, onConnect).setNoDelay(true),
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 100, maxRetryTime: 1_000 } });
  await producer.connect();

  const consume = async ({ source, handle, onEvent }: Consuming): Promise<void> => {
    const consumer = ownedConsumer(source, kafka, {
      groupId: names.group,
      topics: [names.input],
      drainTimeoutMs,
      metadataMaxAgeMs: lookIntervalMs,
      groupCheckIntervalMs: lookIntervalMs,
      onEvent,
    });
    await consumer.run({
      autoCommitInterval: commitIntervalMs,
      eachMessage: ({ message, token }) => handle(pieceOf(message.value), token),
    });
  };

  const plain: Consumer[] = [];
  const consumePlainly = async ({ handle, onAssigned }: PlainConsuming): Promise<void> => {
    const consumer = kafka.consumer({
      groupId: names.group,
      partitionAssigners: [PartitionAssigners.roundRobin],
      sessionTimeout: sessionTtlMs,
      heartbeatInterval: 1_000,
      rebalanceTimeout: sessionTtlMs,
    });
    plain.push(consumer);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => onAssigned(payload.memberAssignment[names.input] ?? []));
    consumer.on(consumer.events.REBALANCING, () => onAssigned([]));
    await consumer.subscribe({ topics: [names.input], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: commitIntervalMs,
      partitionsConsumedConcurrently: concurrently,
      eachMessage: ({ message }) => handle(pieceOf(message.value)),
    });
  };

  return {
    transport: kafkaTransport(kafka),
    consume,
    consumePlainly,
    publish: async (said, stamp) => {
      // The outputs of one partition have one order.
      const message = { key: String(said.partition), value: encode(said), partition: said.partition % outputPartitions };
      await producer.send({ topic: names.output, acks: -1, messages: [stamp === undefined ? message : stampKafka(message, stamp)] });
    },
    close: async () => {
      for (const consumer of plain) await consumer.disconnect();
      await producer.disconnect();
    },
  };
}

function pieceOf(value: Buffer | null): Piece {
  return decodePiece(value?.toString() ?? '');
}
