/** Places for the conformance suite of stores in Kafka: processes that die at a write of theirs, and topics that were tampered with. */
import { randomUUID } from 'node:crypto';
import type { Damage, DyingStorage, Storage, StoragePlace } from '@quorate/core/adapter';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { kafkaStorage } from '../../src/index.ts';
import { readTopic } from '../../src/store/read-topic.ts';
import { storeTopicName } from '../../src/store/store-topic.ts';
import { GatedKafka } from './gated-kafka.ts';

const node = 'a';
const recordsKind = 3;

interface Process {
  readonly gate: GatedKafka;
  readonly storage: Storage;
}

export function kafkaOf(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

export function storePlace(brokers: readonly string[]): StoragePlace {
  let group = `seat ${randomUUID()}`;
  const processes: Process[] = [];
  const open = (): Process => {
    const gate = new GatedKafka(kafkaOf(brokers));
    const process = { gate, storage: kafkaStorage(gate.client, { group, node }) };
    processes.push(process);
    return process;
  };
  const kill = async (storage: Storage): Promise<void> => {
    const gate = processes.find((one) => one.storage === storage)?.gate;
    gate?.kill();
    await gate?.disconnect();
  };
  return {
    open: () => open().storage,
    kill,
    openDying: (writes) => dying(open(), writes),
    damage: async (kind) => {
      const to = `seat ${randomUUID()}`;
      await copyDamaged(brokers, { from: group, to }, kind);
      group = to;
    },
    close: async () => {
      for (const { gate } of processes) await gate.disconnect();
    },
  };
}

function dying({ gate, storage }: Process, writes: number): DyingStorage {
  const result = {
    load: async (mint: () => string) => {
      const loaded = await storage.load(mint);
      gate.writesLeft = writes;
      return loaded;
    },
    append: storage.append.bind(storage),
    compact: storage.compact.bind(storage),
    discard: storage.discard.bind(storage),
    get hasDied() {
      return gate.hasDied;
    },
    death: gate.death,
  };
  return result;
}

/** A topic with the same log, but for one record in the middle. */
async function copyDamaged(
  brokers: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
  kind: Damage,
): Promise<void> {
  const log: { key: Buffer; value: Buffer | null }[] = [];
  const kafka = kafkaOf(brokers);
  await readTopic({
    kafka,
    topic: storeTopicName(from, node),
    onMessage: ({ key, value }) => void log.push({ key: key ?? Buffer.alloc(0), value }),
  });
  const at = log.findIndex(({ value }, index) => index >= log.length / 2 && value?.[1] === recordsKind);
  const entry = Buffer.from(log[at]?.value ?? []);
  if (kind === 'laterVersion') entry[0] = 2;
  else entry[entry.length - 1] = (entry.at(-1) ?? 0) ^ 1;
  log.splice(at, 1, ...(kind === 'missingRecord' ? [] : [{ key: log[at]?.key ?? Buffer.alloc(0), value: entry }]));
  const [admin, producer] = [kafka.admin(), kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })];
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = storeTopicName(to, node);
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
  });
  await producer.send({ topic, messages: log });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
}
