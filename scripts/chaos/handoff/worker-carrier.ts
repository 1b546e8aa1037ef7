/** What a worker needs of its broker: frames for the group, messages with an owner, and a place for its outputs. */
import type { Partitions, PartitionsOptions } from '@quorate/core';
import type { TokenStamp, Transport } from '@quorate/core/adapter';
import type { BrokerName } from '../timing.ts';
import type { Piece, Said } from './piece.ts';

export interface PartitionsSource {
  partitions(name: string, options: PartitionsOptions): Partitions;
}

export interface Names {
  /** Stream or topic. */
  readonly input: string;
  readonly output: string;
  /** The consumer group, and the set of partitions. */
  readonly group: string;
}

export interface CarrierSettings {
  readonly broker: BrokerName;
  /** `host:port`. */
  readonly addresses: readonly string[];
  readonly name: string;
  readonly names: Names;
  readonly count: number;
  readonly drainTimeoutMs: number;
  readonly sessionTtlMs: number;
}

export interface Consuming {
  readonly source: PartitionsSource;
  readonly handle: (piece: Piece, token: number) => Promise<void>;
  readonly onEvent: (event: { readonly type: string; readonly error?: unknown }) => void;
}

/** For what users have today, where nobody hands out tokens. */
export interface PlainConsuming {
  readonly handle: (piece: Piece) => Promise<void>;
  /** What the client was assigned; where the broker deals messages out one by one, nothing ever is. */
  readonly onAssigned: (partitions: readonly number[]) => void;
}

export interface WorkerCarrier {
  readonly transport: Transport;
  /** Takes part until the group's instance is closed. */
  consume(consuming: Consuming): Promise<void>;
  consumePlainly(consuming: PlainConsuming): Promise<void>;
  /** Resolves once the broker has it. */
  publish(said: Said, stamp?: TokenStamp): Promise<void>;
  close(): Promise<void>;
}
