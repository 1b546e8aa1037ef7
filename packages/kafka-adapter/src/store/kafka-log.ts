/**
 * A seat's log in a compacted topic. Keys are positions: when a head has begun the log anew, the entries after it take the keys of those
 * before it, and compaction drops what nobody needs. First the fence, then the end offset, then the reading: the safety rule 20.
 */
import { randomBytes } from 'node:crypto';
import { claimPart, isQuorateError, QuorateError } from '@quorate/core/adapter';
import type { FencedLog, LogWrite } from '@quorate/core/adapter';
import type { KafkaClient } from '../client.ts';
import type { TopicSpec } from '../driver.ts';
import { KafkaFailure, sentence } from '../failure.ts';
import { KafkajsDriver } from '../kafkajs-driver.ts';
import { failureOf } from '../kafkajs-failure.ts';
import { batchBytesMax, ensureTopic, whileSettling } from '../topic.ts';
import { readTopic } from './read-topic.ts';
import { TransactionalWriter } from './transactional-writer.ts';
import type { StoredRecord } from './transactional-writer.ts';

const zombieMs = 4_000;
/** Of a batch and a record beside the value. */
const overheadBytes = 1_024;
const partBytesMost = 917_504;
const nonceBytes = 16;
const renewalKey = 'alive';
const piecePrefix = 'piece ';
const never = new AbortController().signal;

export interface KafkaLogOptions {
  readonly kafka: KafkaClient;
  readonly spec: TopicSpec;
  readonly writeTimeoutMs: number;
}

export class KafkaLog implements FencedLog {
  readonly zombieMs = zombieMs;
  readonly #options: KafkaLogOptions;
  #driver: KafkajsDriver | undefined;
  #writer: TransactionalWriter | undefined;
  #batchBytesMax = 0;
  /** Those of the snapshots that the topic holds; their bytes only until the log is written to. */
  readonly #pieceKeys = new Set<string>();
  #pieces = new Map<string, Uint8Array>();

  constructor(options: KafkaLogOptions) {
    this.#options = options;
  }

  get partBytesMax(): number {
    return Math.max(1, Math.min(partBytesMost, this.#batchBytesMax - overheadBytes));
  }

  async take(): Promise<readonly Uint8Array[]> {
    try {
      await this.#begin();
      return await this.#read();
    } catch (error) {
      throw asStoreError(error, this.#options.spec.topic);
    }
  }

  async append({ parts, position, keeps }: LogWrite): Promise<void> {
    const records = parts.map((part, index) => record(`${position}.${index}`, part));
    const dropped = position === 0 ? [...this.#pieceKeys].filter((key) => !isPieceOf(key, keeps)) : [];
    await this.#write([...records, ...dropped.map((key) => ({ key: Buffer.from(key), value: null }))]);
    for (const key of dropped) this.#pieceKeys.delete(key);
  }

  renew(): Promise<void> {
    return this.#write([record(renewalKey, claimPart(randomBytes(nonceBytes)))]);
  }

  async putPiece(id: string, index: number, bytes: Uint8Array): Promise<void> {
    const key = pieceKey(id, index);
    this.#pieceKeys.add(key);
    await this.#write([record(key, bytes)]);
  }

  pieces(id: string, count: number): Promise<readonly (Uint8Array | undefined)[]> {
    return Promise.resolve(Array.from({ length: count }, (_, index) => this.#pieces.get(pieceKey(id, index))));
  }

  async close(): Promise<void> {
    this.#writer?.end();
    this.#writer = undefined;
    await this.#driver?.close();
    this.#driver = undefined;
  }

  async #begin(): Promise<void> {
    const { kafka, spec, writeTimeoutMs } = this.#options;
    await this.close();
    const driver = (this.#driver = new KafkajsDriver(kafka));
    await driver.connect();
    await ensureTopic(driver, spec, never);
    await checkPolicy(driver, spec.topic);
    this.#batchBytesMax = await batchBytesMax(driver, spec.topic);
    const writer = new TransactionalWriter({ driver, topic: spec.topic, transactionalId: spec.topic, writeTimeoutMs });
    await whileSettling(never, () => writer.begin());
    this.#writer = writer;
  }

  async #read(): Promise<readonly Uint8Array[]> {
    const { kafka, spec } = this.#options;
    this.#pieceKeys.clear();
    this.#pieces = new Map();
    let entries: Uint8Array[] = [];
    const first = await readTopic({
      kafka,
      topic: spec.topic,
      onMessage: ({ key, value }) => {
        const name = key?.toString() ?? '';
        if (name.startsWith(piecePrefix)) return this.#onPiece(name, value);
        if (name === renewalKey || value === null) return;
        // A head begins the log anew; what compaction has left of the time before is of no use.
        if (name === '0.0') entries = [];
        entries.push(value);
      },
    });
    if (first === 0n) return entries;
    const happened = `Topic ${spec.topic} begins at offset ${first}: records of it were deleted, and what a voter must remember with them.`;
    throw new QuorateError('STORAGE_CORRUPT', happened, { details: { topic: spec.topic, first: String(first) } });
  }

  #onPiece(key: string, value: Buffer | null): void {
    if (value === null) {
      this.#pieceKeys.delete(key);
      this.#pieces.delete(key);
    } else {
      this.#pieceKeys.add(key);
      this.#pieces.set(key, value);
    }
  }

  async #write(records: readonly StoredRecord[]): Promise<void> {
    const { topic } = this.#options.spec;
    this.#pieces.clear();
    try {
      if (this.#writer === undefined) throw new KafkaFailure('refused', 'The store is closed');
      await this.#writer.write(batchesOf(records, this.#batchBytesMax - overheadBytes));
    } catch (error) {
      throw asStoreError(error, topic);
    }
  }
}

async function checkPolicy(driver: KafkajsDriver, topic: string): Promise<void> {
  const policy = await driver.setting(topic, 'cleanup.policy');
  if (policy === undefined || policy === 'compact') return;
  const happened = `Topic ${topic} has \`cleanup.policy=${policy}\`, which drops what a voter must remember: it must be \`compact\` alone.`;
  throw new QuorateError('INVALID_OPTIONS', happened, { details: { topic, policy } });
}

function asStoreError(error: unknown, topic: string): unknown {
  const failure = error instanceof KafkaFailure ? error : undefined;
  if (failure === undefined) return isQuorateError(error) ? error : asStoreError(failureOf(error), topic);
  const details = { topic };
  if (failure.kind === 'fenced') {
    const happened = `Another producer has begun to write ${topic}, or the broker gave up a transaction that took too long: this process has the seat no more.`;
    return new QuorateError('STORAGE_IN_USE', happened, { cause: failure, details });
  }
  if (failure.kind !== 'denied') return failure;
  const rights = `Read, Write, Describe and DescribeConfigs on topic ${topic}, Create where Quorate is to create it, and Write and Describe on transactional id ${topic}`;
  return new QuorateError('TRANSPORT_DENIED', `${sentence(failure.message)} Needed: ${rights}.`, {
    cause: failure.cause ?? failure,
    details,
  });
}

function record(key: string, value: Uint8Array): StoredRecord {
  return { key: Buffer.from(key), value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}

function pieceKey(id: string, index: number): string {
  return `${piecePrefix}${id} ${index}`;
}

function isPieceOf(key: string, id: string | undefined): boolean {
  return id !== undefined && key.startsWith(`${piecePrefix}${id} `);
}

/** A batch is as large as the topic allows. */
function batchesOf(records: readonly StoredRecord[], bytesMax: number): readonly (readonly StoredRecord[])[] {
  const batches: StoredRecord[][] = [];
  let bytes = Infinity;
  for (const one of records) {
    const size = one.key.length + (one.value?.length ?? 0) + 32;
    if (bytes + size > bytesMax) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(one);
    bytes += size;
  }
  return batches;
}
