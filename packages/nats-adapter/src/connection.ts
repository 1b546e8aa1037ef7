/** What Quorate needs of a NATS client, by structure: connections of `nats` 2.29 and of `@nats-io/transport-node` 3 both have it. */

export interface NatsConnection {
  /** The server's last greeting; nothing while a new connection is being made. */
  readonly info?: NatsServerInfo;
  publish(subject: string, payload?: Uint8Array, options?: NatsPublishOptions): void;
  subscribe(subject: string, options?: NatsSubscribeOptions): NatsSubscription;
  /** Settles after a round trip to the server; rejects when the connection breaks meanwhile. */
  flush(): Promise<void>;
  /** Changes of the connection; the two generations tell them in different words. */
  status(): AsyncIterable<unknown>;
  isClosed(): boolean;
  /** Settles when the connection is closed for good. */
  closed(): Promise<void | Error>;
}

export interface NatsServerInfo {
  readonly max_payload: number;
  readonly version?: string;
  /** True where this server has JetStream itself. */
  readonly jetstream?: boolean;
}

export interface NatsPublishOptions {
  reply?: string;
}

export interface NatsSubscribeOptions {
  callback?: (error: Error | null, message: NatsMessage) => void;
}

export interface NatsSubscription {
  unsubscribe(): void;
}

export interface NatsMessage {
  readonly data: Uint8Array;
  readonly reply?: string;
}
