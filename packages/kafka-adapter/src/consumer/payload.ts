/**
 * What a handler is called with: the payloads of kafkajs by structure, with the fencing token and a signal beside them. A handler
 * written for `kafka.consumer()` fits as it is.
 */

export interface MessageHeaders {
  [name: string]: Buffer | string | (Buffer | string)[] | undefined;
}

export interface ConsumedMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since 1970 as a decimal number. */
  readonly timestamp: string;
  readonly attributes: number;
  /** A decimal number. */
  readonly offset: string;
  readonly headers: MessageHeaders;
}

export interface ConsumedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: ConsumedMessage[];
  isEmpty(): boolean;
  firstOffset(): string | null;
  lastOffset(): string;
  offsetLag(): string;
  offsetLagLow(): string;
}

/** What makes a payload exclusive; the same in both kinds. */
export interface Ownership {
  /** The fencing token of the grant under which this is handled: stamp it on whatever is written outside. */
  readonly token: number;
  /** What the token is compared under, `set/partition`; `stampKafka` puts both on what is produced. */
  readonly resource: string;
  /** Fires when the partition is to be given up: finish what is under way, or stop at once where the reason is a lost lease. */
  readonly signal: AbortSignal;
}

interface Controls {
  /** Does nothing and resolves at once: the session of Quorate keeps the partition, however long a handler takes. */
  heartbeat(): Promise<void>;
  /** Takes no more of this partition until the function that it returns is called. */
  pause(): () => void;
}

export interface OwnedMessagePayload extends Ownership, Controls {
  readonly topic: string;
  readonly partition: number;
  readonly message: ConsumedMessage;
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly offset: string;
}

export interface TopicOffsets {
  topic: string;
  partitions: { partition: number; offset: string }[];
}

export interface OffsetsByTopic {
  topics: TopicOffsets[];
}

export interface OwnedBatchPayload extends Ownership, Controls {
  readonly batch: ConsumedBatch;
  /** Marks everything up to this offset as done. */
  resolveOffset(offset: string): void;
  /** Commits the given offsets (the next ones to read), or what is resolved where the interval or the threshold says it is time. */
  commitOffsetsIfNecessary(offsets?: OffsetsByTopic): Promise<void>;
  uncommittedOffsets(): OffsetsByTopic;
  /** False once the partition is to be given up or the consumer is being stopped. */
  isRunning(): boolean;
  /** True once the rest of the batch is not to be handled here: after a seek, or when the lease is over. */
  isStale(): boolean;
}

export type EachMessage = (payload: OwnedMessagePayload) => Promise<void>;
export type EachBatch = (payload: OwnedBatchPayload) => Promise<void>;

export function batchOf(
  { topic, partition }: { readonly topic: string; readonly partition: number },
  {
    messages,
    nextOffset,
    highWatermark,
  }: { readonly messages: readonly ConsumedMessage[]; readonly nextOffset: bigint; readonly highWatermark: bigint },
): ConsumedBatch {
  const first = messages[0]?.offset ?? null;
  const lagAfter = (offset: bigint): string => String(highWatermark - 1n - offset);
  return {
    topic,
    partition,
    highWatermark: String(highWatermark),
    messages: [...messages],
    isEmpty: () => messages.length === 0,
    firstOffset: () => first,
    lastOffset: () => String(nextOffset - 1n),
    offsetLag: () => lagAfter(nextOffset - 1n),
    offsetLagLow: () => (first === null ? '0' : lagAfter(BigInt(first))),
  };
}
