/** Reading the lock events of a group from now on, without being a member of it and without a consumer group. */
import type { EventReaderOptions } from '@quorate/core/adapter';
import { asQuorateError } from './failure.ts';
import type { LinkSource } from './link-source.ts';
import type { ResolvedOptions } from './options.ts';
import { eventsTopic } from './topic.ts';

export async function readEvents(
  source: LinkSource,
  options: ResolvedOptions,
  readerOptions: EventReaderOptions,
): Promise<() => Promise<void>> {
  const { group, onEvent, onStatus } = readerOptions;
  const spec = eventsTopic({ group, replicationFactor: options.replicationFactor });
  let closing: Promise<void> | undefined;
  try {
    const link = await source.open({
      spec,
      read: (partitions) => partitions,
      onRecord: (_partition, { value }) => {
        if (closing === undefined && value !== null) onEvent(value);
      },
      onConnected: (isConnected, cause) => {
        if (closing === undefined) onStatus(isConnected ? 'connected' : 'disconnected', cause);
      },
      onEvent: () => undefined,
    });
    setImmediate(() => {
      if (closing === undefined) link.start();
    });
  } catch (error) {
    throw asQuorateError(error, spec.topic);
  }
  return () => (closing ??= source.close());
}
