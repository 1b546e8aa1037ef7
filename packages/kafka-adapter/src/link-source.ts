/** Where links come from: one client read one way. A channel or reader has a source of its own and closes it whole. */
import type { KafkaClient } from './client.ts';
import type { ProducedRecord, TopicSpec } from './driver.ts';
import { FetchingLink } from './fetching-link.ts';
import { GroupLink } from './group-link.ts';
import { KafkajsDriver } from './kafkajs-driver.ts';
import type { Link, LinkListener } from './link.ts';

export interface LinkOptions extends LinkListener {
  readonly spec: TopicSpec;
  /** Chooses what to read once the partitions are known. */
  readonly read: (partitions: readonly number[]) => readonly number[];
  /** A record that readers ignore, written wherever we read to learn whether we may and can write. */
  readonly probe?: ProducedRecord;
}

export interface LinkSource {
  /** The link is closed again where it cannot be opened. */
  open(options: LinkOptions): Promise<Link>;
  close(): Promise<void>;
}

export interface LinkSourceOptions {
  readonly reading: 'handle' | 'group';
  readonly inFlightMax: number;
}

export function linkSource(kafka: KafkaClient, { reading, inFlightMax }: LinkSourceOptions): LinkSource {
  const links = new Set<Link>();
  const openLink = async (link: Link): Promise<Link> => {
    links.add(link);
    await link.open();
    return link;
  };
  const closeLinks = async (): Promise<void> => {
    await Promise.all([...links].map((link) => link.close()));
  };
  if (reading === 'group') {
    return { open: (options) => openLink(new GroupLink({ kafka, inFlightMax, ...options })), close: closeLinks };
  }
  const driver = new KafkajsDriver(kafka);
  let connecting: Promise<void> | undefined;
  return {
    open: async (options) => {
      connecting ??= driver.connect();
      await connecting;
      return openLink(new FetchingLink({ driver, inFlightMax, ...options }));
    },
    close: async () => {
      await closeLinks();
      await driver.close();
    },
  };
}
