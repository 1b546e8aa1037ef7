/** The worker transport: one node per worker thread of a process, over Node's own `BroadcastChannel`. */
import { types } from 'node:util';
import { BroadcastChannel } from 'node:worker_threads';
import { QuorateError } from '../errors.ts';
import { partitionByFnv1a } from '../ring/key-partition.ts';
import { checkFrameBytesMax, checkTransportOptions } from './check-options.ts';
import { frameTooLarge } from './frame-limit.ts';
import type { Channel, ChannelOptions, ChannelStatus, EventReaderOptions, OutgoingFrame, PublishedEvent, Transport } from './transport.ts';

export interface WorkerTransportOptions {
  /** Keeps apart what must not meet in one process. Default `quorate`. */
  readonly channel?: string;
  /** The largest frame in bytes, at least 4096. Default 1 MiB. */
  readonly frameBytesMax?: number;
}

export const workerTransportDefaults = {
  channel: 'quorate',
  frameBytesMax: 1_048_576,
  timing: { heartbeatMs: 50, electionTimeoutMs: 250, sessionTtlMs: 4_000 },
} as const;

/**
 * Threads see one another as pods on a broker do: one that is terminated says nothing and is simply gone. The transport keeps no
 * thread alive. Its one broker is the process itself, so it is never disconnected.
 */
export function workerTransport(options: WorkerTransportOptions = {}): Transport {
  checkTransportOptions('workerTransport', options);
  const base = options.channel ?? workerTransportDefaults.channel;
  const frameBytesMax = checkFrameBytesMax(options.frameBytesMax ?? workerTransportDefaults.frameBytesMax);
  return {
    name: 'worker',
    timing: workerTransportDefaults.timing,
    partitionOf: partitionByFnv1a,
    async open(channelOptions) {
      throwIfAborted(channelOptions.signal);
      return new WorkerChannel(base, frameBytesMax, channelOptions);
    },
    async readEvents(readerOptions) {
      throwIfAborted(readerOptions.signal);
      return readEvents(base, readerOptions);
    },
  };
}

/**
 * One group has one `BroadcastChannel`, because a thread must join a channel to post on it and would then receive all of it anyway.
 * The frames of a turn travel as one message:
 *
 *   message => [address bytes]*        address => "all" | "voters" | "=" node
 */
class WorkerChannel implements Channel {
  status: ChannelStatus = 'connected';
  readonly #carrier: BroadcastChannel;
  readonly #options: ChannelOptions;
  readonly #base: string;
  readonly #addresses: ReadonlySet<string>;
  #events: BroadcastChannel | undefined;

  constructor(
    base: string,
    readonly frameBytesMax: number,
    options: ChannelOptions,
  ) {
    const { group, node, voters } = options;
    this.#base = base;
    this.#options = options;
    this.#addresses = new Set(voters.includes(node) ? ['all', 'voters', `=${node}`] : ['all', `=${node}`]);
    this.#carrier = openCarrier(base, group, 'frames');
    this.#carrier.onmessage = (message) => this.#onMessage(message.data);
  }

  send(frames: readonly OutgoingFrame[]): void {
    if (this.status === 'closed') return;
    const message: [string, Uint8Array][] = [];
    for (const frame of frames) {
      const { to, bytes } = frame;
      if (bytes.byteLength > this.frameBytesMax) this.#options.onEvent(frameTooLarge(frame, this.frameBytesMax));
      else message.push([to.type === 'node' ? `=${to.node}` : to.type, alone(bytes)]);
    }
    if (message.length > 0) this.#carrier.postMessage(message);
  }

  publishEvents(events: readonly PublishedEvent[]): void {
    if (this.status === 'closed') return;
    this.#events ??= openCarrier(this.#base, this.#options.group, 'events');
    for (const { bytes } of events) this.#events.postMessage(alone(bytes));
  }

  close(): Promise<void> {
    if (this.status === 'closed') return Promise.resolve();
    this.status = 'closed';
    this.#carrier.close();
    this.#events?.close();
    return Promise.resolve();
  }

  /** Any thread can post anything here: what has not the shape is ignored, and what its bytes say is for the codec to judge. */
  #onMessage(message: unknown): void {
    if (!Array.isArray(message)) return;
    for (const entry of message as readonly unknown[]) {
      if (this.status === 'closed') return;
      if (!Array.isArray(entry)) continue;
      const [address, bytes] = entry as readonly unknown[];
      if (typeof address !== 'string' || !this.#addresses.has(address) || !types.isUint8Array(bytes)) continue;
      this.#options.onFrame(bytes);
    }
  }
}

function readEvents(base: string, options: EventReaderOptions): () => Promise<void> {
  const carrier = openCarrier(base, options.group, 'events');
  let isOpen = true;
  carrier.onmessage = ({ data }) => {
    if (isOpen && types.isUint8Array(data)) options.onEvent(data);
  };
  return () => {
    if (isOpen) carrier.close();
    isOpen = false;
    return Promise.resolve();
  };
}

function openCarrier(base: string, group: string, purpose: 'frames' | 'events'): BroadcastChannel {
  const carrier = new BroadcastChannel(JSON.stringify(['quorate', base, group, purpose]));
  carrier.unref();
  return carrier;
}

/** Cloning a view copies the whole buffer under it: a frame cut from a pool would drag the pool along. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new QuorateError('ABORTED', 'Opening the worker transport was aborted.', { cause: signal.reason });
}
