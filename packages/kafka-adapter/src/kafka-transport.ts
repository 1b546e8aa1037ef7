/** The Kafka transport: a user's kafkajs client as a carrier of frames. */
import { abortable, checkTransportOptions, QuorateError } from '@quorate/core/adapter';
import type { Transport } from '@quorate/core/adapter';
import { openChannel } from './channel.ts';
import { KafkaArbiter } from './arbiter/kafka-arbiter.ts';
import type { KafkaClient } from './client.ts';
import { readEvents } from './event-reader.ts';
import { takeHandle } from './kafkajs-cluster.ts';
import { linkSource } from './link-source.ts';
import type { LinkSource } from './link-source.ts';
import { partitionByMurmur2 } from './murmur2.ts';
import { groupTiming, handleTiming, resolveKafkaTransportOptions } from './options.ts';
import type { KafkaTransportOptions, ResolvedOptions } from './options.ts';

/**
 * Carries Quorate over `new Kafka({ … })` of kafkajs 2.2. The client stays the user's: connections are made beside its own and
 * closed again with each channel.
 *
 * @throws QuorateError `INVALID_OPTIONS`
 */
export function kafkaTransport(kafka: KafkaClient, options: KafkaTransportOptions = {}): Transport {
  checkTransportOptions('kafkaTransport', options);
  const resolved = resolveKafkaTransportOptions(options);
  checkClient(kafka);
  const reading = readingOf(kafka, resolved);
  const source = () => linkSource(kafka, { reading, inFlightMax: resolved.inFlightMax });
  return {
    name: 'kafka',
    timing: { ...(reading === 'handle' ? handleTiming : groupTiming), ...resolved.timing },
    partitionOf: partitionByMurmur2,
    open: (channelOptions) => owning(source(), channelOptions.signal, (own) => openChannel(own, resolved, channelOptions)),
    arbiter: ({ group }) => new KafkaArbiter({ kafka, group, replicationFactor: resolved.replicationFactor }),
    readEvents: (readerOptions) => owning(source(), readerOptions.signal, (own) => readEvents(own, resolved, readerOptions)),
  };
}

/** What is opened owns the source from then on; where opening fails or is given up, the source is closed here. */
async function owning<T>(source: LinkSource, signal: AbortSignal | undefined, open: (source: LinkSource) => Promise<T>): Promise<T> {
  try {
    if (signal?.aborted === true) throw new QuorateError('ABORTED', 'Opening the Kafka transport was aborted.', { cause: signal.reason });
    return await abortable(open(source), signal, 'Opening the Kafka transport');
  } catch (error) {
    // Not awaited: connections that are still being made hold it up, and the caller has its answer.
    source.close().catch(() => undefined);
    throw error;
  }
}

function readingOf(kafka: KafkaClient, { read }: ResolvedOptions): 'handle' | 'group' {
  if (read === 'group') return 'group';
  if (takeHandle(kafka) !== undefined) return 'handle';
  if (read === 'auto') return 'group';
  throw new QuorateError('INVALID_OPTIONS', "`read` is 'handle', but this client gives no cluster to a partition assigner.");
}

function checkClient(kafka: unknown): void {
  const isClient =
    typeof kafka === 'object' &&
    kafka !== null &&
    ['consumer', 'producer', 'admin'].every((name) => typeof Reflect.get(kafka, name) === 'function');
  if (!isClient)
    throw new QuorateError(
      'INVALID_OPTIONS',
      'The first argument is not a `Kafka` of kafkajs: it lacks `consumer`, `producer` or `admin`.',
    );
}
