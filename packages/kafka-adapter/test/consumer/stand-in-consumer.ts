/** An owned consumer over a broker in memory: what the broker answers to commits and fetches, and when, is a test's to say. */
import { EventEmitter, once } from 'node:events';
import { pause } from '../../src/back-off.ts';
import type {
  CommittedOffset,
  ConsumerDriver,
  FetchOutcome,
  FetchPosition,
  OffsetToCommit,
  TopicPartition,
} from '../../src/consumer/consumer-driver.ts';
import { KafkaFailure } from '../../src/failure.ts';
import { ownedConsumer } from '../../src/index.ts';
import type { ConsumedMessage, OwnedConsumer, OwnedConsumerEvent, OwnedConsumerOptions } from '../../src/index.ts';
import { StandInPartitions } from './stand-in-partitions.ts';

const broker = 0;
const withinMs = 20_000;

/** Topics of one partition, unless more are said; every log has so many messages, one in each answer. */
export class StandInConsumer {
  readonly partitions = new StandInPartitions();
  readonly consumer: OwnedConsumer;
  readonly events: OwnedConsumerEvent[] = [];
  /** By topic for partition 0, by `topic/partition` for others. */
  readonly commits = new Map<string, CommittedOffset>();
  /** Partitions of each topic, as the broker tells them. */
  readonly counts = new Map<string, number>();
  /** How many commits were asked for. */
  commitsRead = 0;
  /** `topic offset`, as they were asked for. */
  readonly fetches: string[] = [];
  /** Before a commit is taken; a rejection refuses it. */
  onCommit: (commit: OffsetToCommit) => Promise<void> = () => Promise.resolve();
  /** Before an end of the log is told. */
  onEdge: () => Promise<void> = () => Promise.resolve();
  onEvent: (event: OwnedConsumerEvent) => void = () => undefined;
  readonly #end: bigint;
  readonly #changes = new EventEmitter();
  readonly #closing = new AbortController();

  constructor({ end, ...options }: Partial<OwnedConsumerOptions> & { readonly topics: readonly string[]; readonly end: number }) {
    this.#end = BigInt(end);
    for (const topic of options.topics) this.counts.set(topic, 1);
    const onEvent = (event: OwnedConsumerEvent): void => this.note(() => void (this.events.push(event), this.onEvent(event)));
    this.consumer = ownedConsumer(this.partitions, this.#driver(), { groupId: 'billing', ...options, onEvent });
  }

  /** Where handling began: `topic offset origin`, and `topic/partition` for others than 0. */
  get starts(): readonly string[] {
    return this.events.flatMap((event) => (event.type === 'started' ? [`${keyOf(event)} ${event.offset} ${event.from}`] : []));
  }

  commit(topic: string, offset: number, token?: number): void {
    this.put({ topic, partition: 0, offset: BigInt(offset), metadata: token === undefined ? '' : `quorate:${token}` });
  }

  put(commit: CommittedOffset): void {
    this.commits.set(keyOf(commit), commit);
  }

  note(change: () => void): void {
    change();
    this.#changes.emit('change');
  }

  async until(isReached: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(withinMs);
    while (!isReached()) await once(this.#changes, 'change', { signal: deadline });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.consumer.stop();
  }

  #driver(): ConsumerDriver {
    const none = () => Promise.resolve();
    return {
      connect: none,
      leaders: () => Promise.resolve(new Map(Array.from(this.counts, ([topic, count]) => [topic, leadersOf(count)]))),
      fetch: (_broker, { positions, maxWaitMs }) => this.#fetch(positions, maxWaitMs),
      edge: async (_broker, _at, edge) => {
        await this.onEdge();
        return edge === 'latest' ? this.#end : 0n;
      },
      committed: (_groupId, places) => {
        this.commitsRead += places.length;
        return Promise.resolve(places.map((at) => this.commits.get(keyOf(at)) ?? { ...at, offset: undefined, metadata: '' }));
      },
      commit: async (_groupId, offsets) => {
        for (const offset of offsets) await this.onCommit(offset);
        this.note(() => offsets.forEach((offset) => this.commits.set(keyOf(offset), offset)));
      },
      members: () => Promise.resolve([]),
      fence: (transactionalId) => Promise.resolve({ transactionalId, producerId: '1', epoch: 0 }),
      commitFenced: none,
      isThrottled: () => false,
      cut: none,
      close: none,
    };
  }

  async #fetch(positions: readonly FetchPosition[], maxWaitMs: number): Promise<readonly FetchOutcome[]> {
    this.note(() => this.fetches.push(...positions.map((position) => `${keyOf(position)} ${position.offset}`)));
    const outcomes = positions.map((position) => this.#outcome(position));
    // As a broker does where there is nothing new.
    const isIdle = outcomes.every((outcome) => outcome.type === 'messages' && outcome.messages.length === 0);
    if (isIdle) await pause(maxWaitMs, this.#closing.signal);
    return outcomes;
  }

  #outcome({ topic, partition, offset }: FetchPosition): FetchOutcome {
    const at = { topic, partition };
    if (offset < 0n) return { ...at, type: 'failure', failure: new KafkaFailure('outOfRange', 'No such offset') };
    const messages = offset < this.#end ? [messageAt(offset)] : [];
    return { ...at, type: 'messages', messages, nextOffset: offset + BigInt(messages.length), highWatermark: this.#end };
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return partition === 0 ? topic : `${topic}/${partition}`;
}

function leadersOf(count: number): ReadonlyMap<number, number> {
  return new Map(Array.from({ length: count }, (_, partition) => [partition, broker]));
}

function messageAt(offset: bigint): ConsumedMessage {
  return { key: null, value: null, timestamp: '0', attributes: 0, offset: String(offset), headers: {} };
}

/** Closed until it is opened, well or badly. */
export class Gate {
  open = (): void => undefined;
  fail: (error: Error) => void = () => undefined;
  readonly passed = new Promise<void>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });
}
