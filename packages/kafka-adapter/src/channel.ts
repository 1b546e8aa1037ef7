/** A channel over Kafka: frames become records of the group's topic, and records become frames again. */
import { randomBytes } from 'node:crypto';
import { frameTooLarge } from '@quorate/core/adapter';
import type { Channel, ChannelOptions, ChannelStatus, OutgoingFrame, PublishedEvent } from '@quorate/core/adapter';
import type { KafkaRecord } from './client.ts';
import { EventPublisher } from './event-publisher.ts';
import { asQuorateError } from './failure.ts';
import { Layout, partitionCount } from './layout.ts';
import type { Entry, Link } from './link.ts';
import type { LinkSource } from './link-source.ts';
import type { ResolvedOptions } from './options.ts';
import { batchOverheadBytes, recordOverheadBytes } from './produce-lane.ts';
import { channelIdLength, channelOf, recordKeyBytesMax, RecordKeys, senderOf } from './record-key.ts';
import { framesTopic } from './topic.ts';

/** What was sent last, a farewell for one, gets this long to leave. */
const drainTimeoutMs = 500;
/** Channels of others that were seen; more than these are looked at again. */
const sendersMax = 10_000;

export async function openChannel(source: LinkSource, options: ResolvedOptions, channelOptions: ChannelOptions): Promise<Channel> {
  const { clientInboxes, retentionMs, replicationFactor } = options;
  const { group, node, voters } = channelOptions;
  const spec = framesTopic({ group, partitions: partitionCount(clientInboxes), retentionMs, replicationFactor });
  const layout = new Layout({ voters, clientInboxes, writer: node });
  const inbox = layout.inboxOf(node);
  const keys = new RecordKeys({ channel: randomBytes(channelIdLength), node, inbox });
  const events = new EventPublisher(source, { group, replicationFactor, onEvent: channelOptions.onEvent });
  const channel = new KafkaChannel({ source, layout, keys, events, channelOptions });
  try {
    const link = await source.open({
      spec,
      read: () => layout.readBy(node),
      probe: { key: keys.keyFor({ type: 'node', node }), value: null },
      onRecord: (_partition, record) => channel.take(record),
      onConnected: (isConnected, cause) => channel.setConnected(isConnected, cause),
      onEvent: (event) => channel.report(event),
    });
    channel.begin(link);
  } catch (error) {
    throw asQuorateError(error, spec.topic);
  }
  return channel;
}

interface KafkaChannelParts {
  readonly source: LinkSource;
  readonly layout: Layout;
  readonly keys: RecordKeys;
  readonly events: EventPublisher;
  readonly channelOptions: ChannelOptions;
}

class KafkaChannel implements Channel {
  status: ChannelStatus = 'connected';
  frameBytesMax = 0;
  readonly #parts: KafkaChannelParts;
  readonly #senders = new Set<string>();
  #link: Link | undefined;
  #foreign = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: KafkaChannelParts) {
    this.#parts = parts;
  }

  /** Frames come from the next turn on, when the caller of `open` has its channel. */
  begin(link: Link): void {
    this.#link = link;
    this.frameBytesMax = link.batchBytesMax - batchOverheadBytes - recordOverheadBytes - recordKeyBytesMax;
    setImmediate(() => {
      if (this.#closing === undefined) link.start();
    });
  }

  send(frames: readonly OutgoingFrame[]): void {
    if (this.#closing !== undefined) return;
    const { layout, keys, channelOptions } = this.#parts;
    const entries: Entry[] = [];
    for (const frame of frames) {
      if (frame.bytes.byteLength > this.frameBytesMax) {
        channelOptions.onEvent(frameTooLarge(frame, this.frameBytesMax));
        continue;
      }
      const record = { key: keys.keyFor(frame.to), value: asBuffer(frame.bytes) };
      for (const partition of layout.partitionsFor(frame.to)) entries.push({ partition, record });
    }
    this.#link?.write(entries);
  }

  publishEvents(events: readonly PublishedEvent[]): void {
    if (this.#closing === undefined) this.#parts.events.publish(events);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  take({ key, value }: KafkaRecord): void {
    if (this.#closing !== undefined) return;
    const { keys, channelOptions } = this.#parts;
    const reading = keys.read(key);
    if (reading === 'foreign' || key === null) return this.#onForeign();
    // A record without a value is somebody's probe.
    if (reading !== 'here' || value === null) return;
    this.#meet(key);
    channelOptions.onFrame(value);
  }

  setConnected(isConnected: boolean, cause?: Error): void {
    if (this.#closing !== undefined) return;
    const status = isConnected ? 'connected' : 'disconnected';
    if (status === this.status) return;
    this.status = status;
    this.#parts.channelOptions.onStatus(status, cause);
  }

  report(event: Parameters<ChannelOptions['onEvent']>[0]): void {
    if (this.#closing === undefined) this.#parts.channelOptions.onEvent(event);
  }

  /** Notes where the writer reads, once for each channel. */
  #meet(key: Buffer): void {
    const channel = channelOf(key);
    if (this.#senders.has(channel)) return;
    if (this.#senders.size >= sendersMax) this.#senders.clear();
    this.#senders.add(channel);
    const { node, inbox } = senderOf(key);
    this.#parts.layout.learn(node, inbox);
  }

  /** Said of the 1st, 10th, 100th, … */
  #onForeign(): void {
    this.#foreign++;
    if (!Number.isInteger(Math.log10(this.#foreign))) return;
    const message = `Something that is not Quorate writes to its topic: ${this.#foreign} records were ignored so far.`;
    this.report({ type: 'warning', code: 'FOREIGN_RECORD', message });
  }

  async #close(): Promise<void> {
    this.status = 'closed';
    const { source, events } = this.#parts;
    await Promise.all([this.#link?.drain(drainTimeoutMs), events.close(drainTimeoutMs)]);
    await source.close();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
