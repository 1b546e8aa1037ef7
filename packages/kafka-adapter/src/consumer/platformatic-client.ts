/**
 * The parts of `@platformatic/kafka` 1.35 that owned consumers use, by structure: its connections, and its requests by name and
 * version. Nothing of it is imported.
 */

/** `import * as platformatic from '@platformatic/kafka'`. */
export interface PlatformaticModule {
  readonly Consumer: new (options: PlatformaticOptions & { readonly groupId: string; readonly retries: number }) => PlatformaticConnections;
}

/** As every client of it takes them: brokers, TLS, SASL, and so on. */
export interface PlatformaticOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: string[];
}

export interface PlatformaticConnections {
  metadata(options: { topics: string[]; forceUpdate: boolean; autocreateTopics: boolean }): Promise<{
    readonly topics: ReadonlyMap<
      string,
      { readonly id: string; readonly partitions: readonly ({ readonly leader: number } | undefined)[] }
    >;
  }>;
  listApis(): Promise<readonly { readonly name: string; readonly minVersion: number; readonly maxVersion: number }[]>;
  connectToBrokers(nodeIds: number[]): Promise<ReadonlyMap<number, PlatformaticConnection>>;
  close(force: boolean): Promise<void>;
}

export interface PlatformaticConnection {
  close(): Promise<void>;
}

/** The requests, their arguments in order, and what is read of their answers. */
export interface PlatformaticRequests {
  Fetch: {
    args: [
      maxWaitMs: number,
      minBytes: number,
      maxBytes: number,
      isolation: number,
      session: number,
      epoch: number,
      topics: FetchTopic[],
      forgotten: [],
      rack: string,
    ];
    answer: { readonly errorCode: number; readonly responses: readonly FetchedTopic[] };
  };
  ListOffsets: {
    args: [
      replica: number,
      isolation: number,
      topics: { name: string; partitions: { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[] }[],
    ];
    answer: { readonly topics: readonly { readonly partitions: readonly { readonly offset: bigint }[] }[] };
  };
  OffsetFetch: {
    args: [
      groups: { groupId: string; memberId: null; memberEpoch: number; topics: { name: string; partitionIndexes: number[] }[] }[],
      requireStable: boolean,
    ];
    answer: { readonly groups: readonly { readonly topics: readonly OffsetsOfTopic[] }[] };
  };
  OffsetCommit: { args: [groupId: string, generation: number, memberId: string, instance: null, topics: CommitTopic[]]; answer: unknown };
  DescribeGroups: {
    args: [groups: string[], operations: boolean];
    answer: { readonly groups: readonly { readonly members: readonly { readonly clientId: string; readonly clientHost: string }[] }[] };
  };
  FindCoordinator: {
    args: [keyType: number, keys: string[]];
    answer: { readonly coordinators: readonly { readonly nodeId: number }[] };
  };
  InitProducerId: {
    args: [transactionalId: string, timeoutMs: number, producerId: bigint, epoch: number];
    answer: { readonly producerId: bigint; readonly producerEpoch: number };
  };
  AddOffsetsToTxn: { args: [transactionalId: string, producerId: bigint, epoch: number, groupId: string]; answer: unknown };
  TxnOffsetCommit: {
    args: [
      transactionalId: string,
      groupId: string,
      producerId: bigint,
      epoch: number,
      generation: number,
      memberId: string,
      instance: null,
      topics: CommitTopic[],
    ];
    answer: unknown;
  };
  EndTxn: { args: [transactionalId: string, producerId: bigint, epoch: number, isCommitted: boolean]; answer: unknown };
}

export interface FetchTopic {
  readonly topicId: string;
  readonly partitions: {
    partition: number;
    currentLeaderEpoch: number;
    fetchOffset: bigint;
    lastFetchedEpoch: number;
    partitionMaxBytes: number;
  }[];
}

export interface CommitTopic {
  readonly name: string;
  readonly partitions: { partitionIndex: number; committedOffset: bigint; committedLeaderEpoch: number; committedMetadata: string }[];
}

export interface OffsetsOfTopic {
  readonly name: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: bigint; readonly metadata: string | null }[];
}

export interface FetchedTopic {
  readonly topicId: string;
  readonly partitions: readonly PlatformaticFetched[];
}

export interface PlatformaticFetched {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  readonly records?: readonly PlatformaticBatch[];
}

export interface PlatformaticBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly records: readonly {
    readonly attributes: number;
    readonly timestampDelta: bigint;
    readonly offsetDelta: number;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
  }[];
}
