/**
 * Takes a partition over: which durable its new owner reads from, and the end of all earlier ones. Deletion is the fence: a durable
 * that the server has confirmed as deleted delivers nothing to a pull that still waits on it, and moves for no late acknowledgement.
 */
import type { OwnedPartition } from '@quorate/core/adapter';
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import { refuseIfStale } from './epoch.ts';
import type { EpochNames, NamedEpoch } from './epoch.ts';
import { begunWithIn, begunWithOfOthers, metadataOf } from './growth.ts';
import type { ConsumerConfig, ConsumerInfo, JetStreamApi, StreamInfo } from '../jetstream/jetstream-api.ts';

export interface DurableSettings {
  readonly filterSubject: string;
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
  readonly replicas: number | undefined;
  /** Where the first owner ever begins. */
  readonly from: 'all' | 'new';
  readonly retention: StreamInfo['config']['retention'];
  /** The fewest partitions that this process has seen in the set. */
  readonly count: number;
}

export interface TakenDurable {
  readonly name: string;
  /** True where the last owner handed it over; false where it was made now. */
  readonly isHandedOver: boolean;
  /** True where it begins at the first message because the set has grown by its partition. */
  readonly isGrown: boolean;
  /** How many deliveries it has made so far. */
  readonly consumerSequence: number;
  /** The durables that ended with it. */
  readonly deleted: readonly string[];
}

/** Shorter than any pull of an owner, and the least that the server takes. */
const noPullsNs = 1_000_000;

/**
 * 1. A durable that was handed over is kept: nobody pulls from it, and nothing of it is unfinished.
 * 2. Otherwise a new one begins after the highest floor of all earlier ones. Before a floor is read its durable is closed for pulls,
 *    so that of what its owner may still acknowledge, no more than `max_ack_pending` lies above the floor: that much may be repeated.
 * 3. The new one is there before the earlier are deleted: a stream of retention `interest` drops what nobody waits for.
 * 4. On a stream of retention `workqueue` no two may overlap: the earlier are deleted first. What was published meanwhile stays, as
 *    does all that was not acknowledged, and the new one reads everything that is left.
 * 5. The list is read after the creation. Of two owners that create at the same time the one with the smaller token sees the other and
 *    gives up, or is seen and deleted.
 */
export class PartitionDurables {
  constructor(
    private readonly api: JetStreamApi,
    private readonly names: EpochNames,
    private readonly settings: DurableSettings,
  ) {}

  /**
   * Throws `STALE_OWNER` where an owner with a larger token has been here. `handledUpTo`: the place in the stream up to which this
   * grant's owner has handled everything; undefined the first time that it takes the partition.
   */
  async take(owned: OwnedPartition, handledUpTo: number | undefined): Promise<TakenDurable> {
    const known = await this.#list(owned);
    const handedOver = handledUpTo === undefined ? await this.#handedOver(owned, known) : undefined;
    if (handedOver !== undefined) return handedOver;
    if (this.settings.retention === 'workqueue') return this.#replaceFirst(owned, known);
    return this.#replaceAfter(owned, known, handledUpTo ?? 0);
  }

  /**
   * Whether it can be handed on: nothing is pending but `naks` that cannot change the order, and nobody pulls. What one server was told
   * about the end of a pull, the durable's own server may learn a moment later: `pulled` is worth another look.
   */
  async stateOf(name: string, naks: number): Promise<'atRest' | 'pulled' | 'unfinished'> {
    const info = await this.api.consumerInfo(name);
    if (info === undefined) return 'unfinished';
    const isInOrder = info.num_ack_pending === 0 || (info.num_ack_pending === naks && this.settings.maxAckPending === 1);
    if (!isInOrder) return 'unfinished';
    return info.num_waiting > 0 ? 'pulled' : 'atRest';
  }

  /** Throws `STALE_OWNER` where there is a newer owner; otherwise tells whether the durable is there. */
  async isThere(owned: OwnedPartition, name: string): Promise<boolean> {
    return (await this.#list(owned)).some((epoch) => epoch.name === name);
  }

  async #list(owned: OwnedPartition): Promise<readonly NamedEpoch[]> {
    const epochs = this.names.among(await this.api.consumerNames());
    refuseIfStale(epochs, owned);
    return epochs;
  }

  async #handedOver(owned: OwnedPartition, known: readonly NamedEpoch[]): Promise<TakenDurable | undefined> {
    const { previous } = owned;
    const [last, ...others] = known.toReversed();
    if (last === undefined || last.name !== previous) return undefined;
    const info = await this.api.consumerInfo(last.name);
    if (info === undefined || info.num_waiting > 0 || !this.#isAsConfigured(info)) return undefined;
    // A note outlives a crash. Without this one, the owner after a crash of ours would take the durable for handed over.
    await owned.note('');
    if (begunWithIn(info.config) === undefined && !(await this.#number(info.config))) return undefined;
    await this.#delete(others);
    return {
      name: last.name,
      isHandedOver: true,
      isGrown: false,
      consumerSequence: info.delivered.consumer_seq,
      deleted: others.map(nameOf),
    };
  }

  async #replaceAfter(owned: OwnedPartition, found: readonly NamedEpoch[], handledUpTo: number): Promise<TakenDurable> {
    for (let known = found; ;) {
      const last = await this.#closeAndRead(known);
      const floor = Math.max(last.floor, handledUpTo);
      const own = this.#next(owned, known);
      const isFirst = known.length === 0 && floor === 0;
      const begunWith = last.begunWith ?? (await this.#begunWith());
      const isGrown = isFirst && this.settings.from === 'new' && begunWith <= this.names.partition;
      const first = this.#config(own, isGrown ? 'all' : this.settings.from);
      const config = isFirst ? first : this.#config(own, 'by_start_sequence', floor + 1);
      await this.api.createConsumer({ ...config, metadata: metadataOf(begunWith) });
      const earlier = await this.#listBefore(owned, own);
      if (earlier.every(({ name }) => known.some((one) => one.name === name))) {
        await this.#delete(earlier);
        return { name: own.name, isHandedOver: false, isGrown, consumerSequence: 0, deleted: earlier.map(nameOf) };
      }
      // An owner that should have ended made one more in between; what it finished counts too.
      await this.api.deleteConsumer(own.name);
      known = earlier;
    }
  }

  async #replaceFirst(owned: OwnedPartition, found: readonly NamedEpoch[]): Promise<TakenDurable> {
    const deleted: string[] = [];
    for (let known = found; ; known = await this.#list(owned)) {
      const own = this.#next(owned, known);
      await this.#delete(known);
      deleted.push(...known.map(nameOf));
      try {
        await this.api.createConsumer(this.#config(own, 'all'));
      } catch (error) {
        const isOverlap = isQuorateError(error, 'GROUP_HAS_MEMBERS');
        if (!isOverlap || (await this.#list(owned)).length === 0) throw error;
        continue;
      }
      await this.#listBefore(owned, own);
      return { name: own.name, isHandedOver: false, isGrown: false, consumerSequence: 0, deleted };
    }
  }

  /** What is older than `own`, which is deleted again where something is newer. */
  async #listBefore(owned: OwnedPartition, own: NamedEpoch): Promise<readonly NamedEpoch[]> {
    try {
      return (await this.#list(owned)).filter(({ name }) => name !== own.name);
    } catch (error) {
      if (isQuorateError(error, 'STALE_OWNER')) await this.api.deleteConsumer(own.name);
      throw error;
    }
  }

  /** Says on a durable of an earlier version with how many partitions the consumer began. False where the durable is gone. */
  async #number(config: ConsumerConfig): Promise<boolean> {
    const metadata = { ...config.metadata, ...metadataOf(await this.#begunWith()) };
    return (await this.api.updateConsumer({ ...config, metadata })) !== undefined;
  }

  /** For a durable that is the first or does not say it. Others are asked only where it matters. */
  #begunWith(): Promise<number> {
    const { from, count } = this.settings;
    return from === 'new' ? begunWithOfOthers(this.api, this.names, count) : Promise.resolve(count);
  }

  /** The highest of the floors, 0 where there is none; and with how many partitions the consumer began, where one says so. */
  async #closeAndRead(epochs: readonly NamedEpoch[]): Promise<{ readonly floor: number; readonly begunWith: number | undefined }> {
    let floor = 0;
    let begunWith: number | undefined;
    for (const { name } of epochs) {
      const before = await this.api.consumerInfo(name);
      const closed = before === undefined ? undefined : await this.api.updateConsumer({ ...before.config, max_expires: noPullsNs });
      if (closed === undefined)
        throw new QuorateError('TRANSPORT_FAILED', `The durable ${JSON.stringify(name)} went while its floor was read.`);
      floor = Math.max(floor, closed.ack_floor.stream_seq);
      begunWith ??= begunWithIn(closed.config);
    }
    return { floor, begunWith };
  }

  #next({ token }: OwnedPartition, known: readonly NamedEpoch[]): NamedEpoch {
    const last = known.findLast((epoch) => epoch.token === token);
    return this.names.of({ token, restart: last === undefined ? 0 : last.restart + 1 });
  }

  async #delete(epochs: readonly NamedEpoch[]): Promise<void> {
    await Promise.all(epochs.map(({ name }) => this.api.deleteConsumer(name)));
  }

  #config({ name }: NamedEpoch, deliver: ConsumerConfig['deliver_policy'], startSequence?: number): ConsumerConfig {
    const { filterSubject, ackWaitMs, maxAckPending, replicas } = this.settings;
    return {
      durable_name: name,
      name,
      filter_subject: filterSubject,
      ack_policy: 'explicit',
      ack_wait: ackWaitMs * 1e6,
      max_ack_pending: maxAckPending,
      deliver_policy: deliver,
      ...(startSequence !== undefined && { opt_start_seq: startSequence }),
      ...(replicas !== undefined && { num_replicas: replicas }),
    };
  }

  #isAsConfigured({ config }: ConsumerInfo): boolean {
    const { filterSubject, ackWaitMs, maxAckPending, replicas } = this.settings;
    if ((config.max_expires ?? 0) !== 0 || config.filter_subject !== filterSubject) return false;
    if (config.ack_wait !== ackWaitMs * 1e6 || config.max_ack_pending !== maxAckPending) return false;
    return replicas === undefined || (config.num_replicas ?? 0) === replicas;
  }
}

function nameOf({ name }: NamedEpoch): string {
  return name;
}
