/** A link: some partitions of one topic read from their ends on, and any written to. It recovers by itself for as long as it is open. */
import type { ChannelEvent } from '@quorate/core/adapter';
import type { KafkaRecord } from './client.ts';
import type { ProducedRecord } from './driver.ts';

export interface Link {
  readonly isConnected: boolean;
  /** Of the topic; empty before `open`. */
  readonly partitions: readonly number[];
  /** The topic's limit for the records of one partition in one request; the broker's default before `open`. */
  readonly batchBytesMax: number;
  /** Resolves once every record written by others from now on will arrive, and what is written here will leave. */
  open(): Promise<void>;
  /** Records arrive from now on; those written since `open` resolved first. */
  start(): void;
  /** Never throws and never waits; what cannot be sent is dropped. */
  write(entries: readonly Entry[]): void;
  /** Resolves when what was written has left or been dropped, or at the deadline. */
  drain(timeoutMs: number): Promise<void>;
  /** Nothing is called any more once this has been called. */
  close(): Promise<void>;
}

export interface Entry {
  readonly partition: number;
  readonly record: ProducedRecord;
}

export interface LinkListener {
  onRecord(partition: number, record: KafkaRecord): void;
  /** At each change after `open` resolved. */
  onConnected(isConnected: boolean, cause?: Error): void;
  onEvent(event: ChannelEvent): void;
}
