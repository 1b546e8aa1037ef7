/**
 * Consumers of a JetStream stream that own partitions, one owner at a time: Quorate says who owns, the durable says where to go on,
 * and the deletion of the last owner's durable keeps it out when it did not go in good order.
 */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnedPartition, Partitions, PartitionsOptions } from '@quorate/core/adapter';
import { watchConnection } from '../connection-changes.ts';
import type { ConnectionChange } from '../connection-changes.ts';
import type { ConsumerContext } from './consumer-context.ts';
import { DurableReading } from './durable-reading.ts';
import { EpochNames } from './epoch.ts';
import { JetStreamApi } from '../jetstream/jetstream-api.ts';
import type { StreamInfo } from '../jetstream/jetstream-api.ts';
import { refuse, resolveConsumerOptions } from './owned-consumer-options.ts';
import type { MessageHandler, OwnedConsumerOptions, ResolvedConsumerOptions } from './owned-consumer-options.ts';
import { PartitionDurables } from './partition-durable.ts';
import { denied } from '../jetstream/request-failure.ts';
import type { NatsStreamConnection } from '../jetstream/stream-connection.ts';
import { untilLapsed } from './until-lapsed.ts';

/** What is needed of a `Quorate`. */
export interface PartitionsOwner {
  partitions(name: string, options: PartitionsOptions): Partitions;
}

export interface OwnedConsumer {
  /**
   * Takes part until `stop`. The handler sees the messages of a partition one after the other, in the order of the stream, also across
   * a failure, a hand-over and a crash; different partitions run side by side. A message is acknowledged once its handler has resolved:
   * at least once, so write with the token. Rejects with `INVALID_OPTIONS` (a stream that is not there), `TRANSPORT_DENIED`,
   * `LIMIT_REACHED`, `TRANSPORT_FAILED`, `TRANSPORT_CLOSED`, and as `Partitions.own` does.
   */
  run(handler: MessageHandler): Promise<void>;
  /** Gives all partitions up in good order; resolves when `run` has. */
  stop(): Promise<void>;
}

/**
 * `retention: limits`, `interest` and `workqueue`, any number of replicas, `nats` 2.29 or `@nats-io/transport-node` 3. The user needs
 * the rights to `STREAM.INFO`, `CONSUMER.NAMES`, `CONSUMER.INFO`, `CONSUMER.CREATE`, `CONSUMER.DELETE` and `CONSUMER.MSG.NEXT` of the
 * stream, to its `$JS.ACK`, and to an inbox. On a stream of retention `interest` what is published before a partition has had its
 * first owner is dropped by the server. Throws `INVALID_NAME` and `INVALID_OPTIONS`.
 */
export function ownedConsumer(quorate: PartitionsOwner, connection: NatsStreamConnection, options: OwnedConsumerOptions): OwnedConsumer {
  const resolved = resolveConsumerOptions(options);
  const { name, count, graceMs, settleMs } = resolved;
  const partitions = quorate.partitions(name, {
    count,
    ...(graceMs !== undefined && { graceMs }),
    ...(settleMs !== undefined && { settleMs }),
  });
  return new JetStreamConsumer(partitions, connection, resolved);
}

class JetStreamConsumer implements OwnedConsumer {
  readonly #stopping = new AbortController();
  readonly #readings = new Set<DurableReading>();
  /** For the time of one grant: it may be begun anew. */
  readonly #handled = new Map<number, { readonly token: number; readonly upTo: number }>();
  /** The fewest partitions that the set had when this process was granted one. */
  #begunWith = Infinity;
  #running: Promise<void> | undefined;

  constructor(
    private readonly partitions: Partitions,
    private readonly connection: NatsStreamConnection,
    private readonly options: ResolvedConsumerOptions,
  ) {}

  async run(handler: MessageHandler): Promise<void> {
    if (typeof handler !== 'function') refuse('handler', handler, 'a function');
    if (this.#running !== undefined) throw new QuorateError('INVALID_OPTIONS', 'This consumer runs already, or has run.');
    this.#running = this.#run(handler);
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running?.catch(() => undefined);
  }

  async #run(handler: MessageHandler): Promise<void> {
    const { connection, options, partitions } = this;
    const { stream, apiPrefix, requestTimeoutMs, deadLetter, onEvent } = options;
    const api = new JetStreamApi(connection, { stream, apiPrefix, requestTimeoutMs });
    const context: ConsumerContext = { connection, api, options, handler, deadLetter, tell: (event) => onEvent?.(event) };
    const { retention } = (await api.streamInfo()).config;
    if (retention === 'workqueue' && options.from === 'new') refuse('from', options.from, 'possible on a stream of retention `workqueue`');
    // A right that is missing shows now, and not with the first partition.
    await api.consumerNames();
    const unwatch = watchConnection(connection, (change) => this.#onChange(change));
    try {
      const { weight, drainTimeoutMs, onDrainTimeout } = options;
      await partitions.own((owned) => this.#own(context, retention, owned), {
        signal: this.#stopping.signal,
        ...(weight !== undefined && { weight }),
        ...(drainTimeoutMs !== undefined && { drainTimeoutMs }),
        ...(onDrainTimeout !== undefined && { onDrainTimeout }),
      });
    } finally {
      unwatch();
    }
  }

  async #own(context: ConsumerContext, retention: StreamInfo['config']['retention'], owned: OwnedPartition): Promise<void> {
    const { name, filter, ackWaitMs, maxAckPending, replicas, from } = this.options;
    const { partition, token } = owned;
    this.#begunWith = Math.min(this.#begunWith, this.partitions.count);
    const count = this.#begunWith;
    const settings = { filterSubject: filter(partition), ackWaitMs, maxAckPending, replicas, from, retention, count };
    const durables = new PartitionDurables(context.api, new EpochNames(name, partition), settings);
    try {
      for (let isOver = owned.signal.aborted; !isOver;) isOver = await this.#readOne(context, durables, owned);
    } catch (error) {
      context.tell({ type: 'partitionFailed', partition, token, error });
      throw error;
    }
  }

  /** True when this grant is over. */
  async #readOne(context: ConsumerContext, durables: PartitionDurables, owned: OwnedPartition): Promise<boolean> {
    const { partition, token } = owned;
    const before = this.#handled.get(partition);
    const handledBefore = before?.token === token ? before.upTo : undefined;
    this.#handled.set(partition, { token, upTo: handledBefore ?? 0 });
    const taken = await durables.take(owned, handledBefore);
    const { name: durable, isHandedOver, isGrown, deleted } = taken;
    context.tell({ type: 'durableTaken', partition, token, durable, isHandedOver, isGrown, deleted });
    const reading = new DurableReading(context, owned, durables, taken, handledBefore ?? 0);
    this.#readings.add(reading);
    try {
      const end = await reading.read();
      if (end === 'renew') {
        context.tell({ type: 'durableRenewed', partition, token, durable });
        return false;
      }
      const left = end === 'atRest' ? durable : await this.#successor(durables, owned, reading.handledUpTo);
      if (left !== undefined) owned.handOver(left);
      context.tell({ type: 'durableLeft', partition, token, durable: left ?? durable, isHandedOver: left !== undefined });
      return true;
    } finally {
      this.#readings.delete(reading);
      this.#handled.set(partition, { token, upTo: reading.handledUpTo });
    }
  }

  /**
   * A durable that is not at rest, for the next owner to begin with a new one: it is made here, while it is known what was handled. The
   * old one's floor may lag, by messages that were given back, or acknowledgements that a killed server forgot. Undefined where the
   * lease is over or the server does not answer: the next owner then goes by the floor.
   */
  async #successor(durables: PartitionDurables, owned: OwnedPartition, handledUpTo: number): Promise<string | undefined> {
    if (!owned.valid) return undefined;
    try {
      return (await untilLapsed(owned, durables.take(owned, handledUpTo)))?.name;
    } catch {
      return undefined;
    }
  }

  #onChange(change: ConnectionChange): void {
    switch (change.type) {
      case 'connected':
        for (const reading of this.#readings) reading.onReconnected();
        return;
      case 'closed':
        return this.#failAll(new QuorateError('TRANSPORT_CLOSED', 'The NATS connection is closed.', { cause: change.error }));
      case 'denied':
        if (this.#isOurs(change.subject)) this.#failAll(denied(change.operation, change.subject, change.cause));
        return;
      case 'disconnected':
      case 'connecting':
      case 'failed':
    }
  }

  /** Requests are refused to whoever made them; a pull and the subscription of its inbox are refused to nobody. */
  #isOurs(subject: string): boolean {
    const { apiPrefix, stream, inboxPrefix } = this.options;
    return subject.startsWith(`${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.`) || subject.startsWith(`${inboxPrefix}.`);
  }

  #failAll(error: QuorateError): void {
    for (const reading of this.#readings) reading.fail(error);
  }
}
