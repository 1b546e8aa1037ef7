/** The in-memory transport: every node of the process on one bus. For tests, benches and `soloQuorate`. */
import { QuorateError } from '../errors.ts';
import { partitionByFnv1a } from '../ring/key-partition.ts';
import { abortable } from './abortable.ts';
import { checkFrameBytesMax, checkTransportOptions } from './check-options.ts';
import { frameTooLarge } from './frame-limit.ts';
import { Bus, memoryBus } from './memory-bus.ts';
import type { Member, MemoryBus, Reader } from './memory-bus.ts';
import type {
  Channel,
  ChannelOptions,
  ChannelStatus,
  EventReaderOptions,
  OutgoingFrame,
  PublishedEvent,
  TimingHints,
  Transport,
} from './transport.ts';

export interface MemoryTransportOptions {
  /** Transports that share a bus see one another. A bus of its own by default: nodes that share the transport still do. */
  readonly bus?: MemoryBus;
  /** The largest frame in bytes, at least 4096. Default 1 MiB. */
  readonly frameBytesMax?: number;
  readonly timing?: TimingHints;
}

export const memoryTransportDefaults = {
  frameBytesMax: 1_048_576,
  timing: { heartbeatMs: 50, electionTimeoutMs: 250, sessionTtlMs: 4_000 },
} as const;

export function memoryTransport(options: MemoryTransportOptions = {}): Transport {
  checkTransportOptions('memoryTransport', options);
  const bus = options.bus ?? memoryBus();
  // `MemoryBus` is what tests may do to a bus; only the one made by `memoryBus` also carries frames.
  if (!(bus instanceof Bus)) throw new QuorateError('INVALID_OPTIONS', '`bus` is not the result of `memoryBus()`.');
  const frameBytesMax = checkFrameBytesMax(options.frameBytesMax ?? memoryTransportDefaults.frameBytesMax);
  return {
    name: 'memory',
    timing: options.timing ?? memoryTransportDefaults.timing,
    partitionOf: partitionByFnv1a,
    open: (channelOptions) => openChannel(bus, frameBytesMax, channelOptions),
    arbiter: ({ group }) => bus.arbiterOf(group),
    readEvents: (readerOptions) => readEvents(bus, readerOptions),
  };
}

async function openChannel(bus: Bus, frameBytesMax: number, options: ChannelOptions): Promise<Channel> {
  const { node, signal, onEvent } = options;
  if (bus.statusOf(node) === 'disconnected') {
    onEvent({ type: 'warning', code: 'TRANSPORT_FAILED', message: 'The in-memory bus is down.' });
  }
  await abortable(
    bus.reachable(node, () => signal?.aborted === true),
    signal,
    'Opening the in-memory transport',
  );
  const channel = new MemoryChannel(bus, frameBytesMax, options);
  bus.add(channel);
  return channel;
}

class MemoryChannel implements Channel, Member {
  readonly group: string;
  readonly node: string;
  readonly isVoter: boolean;
  readonly onFrame: (bytes: Uint8Array) => void;
  status: ChannelStatus = 'connected';
  readonly #options: ChannelOptions;
  #isOpen = true;

  constructor(
    readonly bus: Bus,
    readonly frameBytesMax: number,
    options: ChannelOptions,
  ) {
    this.group = options.group;
    this.node = options.node;
    this.isVoter = options.voters.includes(options.node);
    this.onFrame = options.onFrame;
    this.#options = options;
  }

  send(frames: readonly OutgoingFrame[]): void {
    if (!this.#isOpen || this.bus.statusOf(this.node) !== 'connected') return;
    for (const frame of frames) {
      if (frame.bytes.byteLength > this.frameBytesMax) this.#options.onEvent(frameTooLarge(frame, this.frameBytesMax));
      else this.bus.send(this, frame);
    }
  }

  publishEvents(events: readonly PublishedEvent[]): void {
    if (!this.#isOpen || this.bus.statusOf(this.node) !== 'connected') return;
    for (const { bytes } of events) this.bus.publishEvent(this.group, bytes);
  }

  onLink(status: ChannelStatus): void {
    if (!this.#isOpen || status === this.status) return;
    this.status = status;
    if (status === 'closed') this.#leave();
    this.#options.onStatus(status);
  }

  close(): Promise<void> {
    this.status = 'closed';
    this.#leave();
    return Promise.resolve();
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.bus.remove(this);
  }
}

async function readEvents(bus: Bus, options: EventReaderOptions): Promise<() => Promise<void>> {
  const { signal } = options;
  await abortable(
    bus.reachable(undefined, () => signal?.aborted === true),
    signal,
    'Opening the in-memory transport',
  );
  let status: ChannelStatus = 'connected';
  const reader: Reader = {
    group: options.group,
    onEvent: options.onEvent,
    onLink: (next) => {
      if (next === status) return;
      status = next;
      options.onStatus(next);
    },
  };
  bus.addReader(reader);
  return () => {
    bus.removeReader(reader);
    return Promise.resolve();
  };
}
