/**
 * The transport port: frames to everyone, to the voters or to one node; at most once, unordered, possibly twice.
 * Nothing more is assumed of any broker. Every transport passes `transportConformance` (`conformance.ts`).
 */

import type { Arbiter, ArbiterOptions } from '../arbiter/arbiter.ts';

/** Where a frame goes. `node` reaches every process that opened the group under that name. */
export type Destination = { readonly type: 'all' } | { readonly type: 'voters' } | { readonly type: 'node'; readonly node: string };

export interface OutgoingFrame {
  readonly to: Destination;
  /** At least one byte. Handed over: nobody writes to them after `send`. */
  readonly bytes: Uint8Array;
}

/** What suits a transport; users override by `timing`. All in milliseconds. */
export interface TimingHints {
  readonly heartbeatMs: number;
  /** The shortest silence after which a voter canvasses; the longest is twice that. */
  readonly electionTimeoutMs: number;
  readonly sessionTtlMs: number;
}

export type ChannelStatus = 'connected' | 'disconnected' | 'closed';

/**
 * What a transport reports beside its status; each becomes an event of the instance. An `error` with a code with which `open` rejects
 * says what is wrong with the connection: while that is broken, it is shown as the reason.
 */
export interface ChannelEvent {
  readonly type: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

export interface ChannelOptions {
  /** Any Unicode text; the transport encodes it. */
  readonly group: string;
  readonly node: string;
  /** The configured voters, sorted. Empty where any node may come to be one: then none is addressed as such. */
  readonly voters: readonly string[];
  /**
   * Called once for each frame that arrives, in whatever order; must not throw. Never called within `send`, before `open` has
   * resolved, or after `close` was called. The bytes may be kept but not written to: receivers in one process may share them.
   */
  readonly onFrame: (bytes: Uint8Array) => void;
  /** Called at each change after `open` resolved, but not for one's own `close`. `error` says why where the transport knows. */
  readonly onStatus: (status: ChannelStatus, error?: Error) => void;
  /** Also while it opens: what stands in the way then is told at the deadline of whoever waits. */
  readonly onEvent: (event: ChannelEvent) => void;
  /** Aborting gives up an `open` under way. */
  readonly signal?: AbortSignal;
}

/** A connection's part that serves one group. */
export interface Channel {
  /** The largest frame in bytes, at least 4096 when it opens; may change after a reconnect. */
  readonly frameBytesMax: number;
  readonly status: ChannelStatus;
  /**
   * Sends the frames of one turn. Never throws and never waits: what cannot be sent (disconnected, closed) is dropped,
   * for the protocol resends. A frame over `frameBytesMax` is dropped with an event `FRAME_TOO_LARGE`. What a channel sends
   * never comes back to itself, whatever the destination; another channel under the same node name does receive it.
   */
  send(frames: readonly OutgoingFrame[]): void;
  /**
   * Publishes lock events, where the carrier has room for them; at most once. `name` is the resource, `bytes` a JSON text.
   */
  publishEvents(events: readonly PublishedEvent[]): void;
  /** How many of the lock events that it was given did not leave, as far as it knows. Only grows. */
  readonly eventsDropped?: number;
  /** Stops receiving and frees what the channel took; never closes the user's connection. Idempotent. */
  close(): Promise<void>;
}

export interface PublishedEvent {
  /** `lock` or `election`. */
  readonly kind: string;
  /** The user's name of the lock or election; the transport encodes it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface EventReaderOptions {
  readonly group: string;
  readonly onEvent: (bytes: Uint8Array) => void;
  readonly onStatus: (status: ChannelStatus, error?: Error) => void;
  readonly signal?: AbortSignal;
}

export interface Transport {
  /** `memory`, `worker`, `nats`, `kafka`, … */
  readonly name: string;
  readonly timing: TimingHints;
  /**
   * Resolves once frames flow in both directions. Rejects with a `QuorateError`: `TRANSPORT_FAILED`, `TRANSPORT_DENIED`,
   * `TRANSPORT_CLOSED`, `TOPIC_MISSING`, or `ABORTED`.
   */
  open(options: ChannelOptions): Promise<Channel>;
  /**
   * The broker's own placing of a key: a whole number from 0 to `count - 1`, where text counts as its bytes in UTF-8. Partitions are
   * owned by it, so it must agree with the producers in every language. Throws `INVALID_OPTIONS` for a count below 1.
   */
  partitionOf(key: string | Uint8Array, count: number): number;
  /**
   * A log of the broker's in which the first record counts, for groups whose voters have no names that are known before. Absent where the
   * carrier has nothing like it. Throws `INVALID_OPTIONS`.
   */
  arbiter?(options: ArbiterOptions): Arbiter;
  /** Reads the lock events of a group without being a member of it. Resolves with a function that stops. */
  readEvents(options: EventReaderOptions): Promise<() => Promise<void>>;
}
