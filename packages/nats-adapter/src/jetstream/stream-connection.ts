/** What consumers need of a NATS client beyond the transport's part, by structure: connections of both generations have it. */
import type { NatsConnection, NatsMessage, NatsPublishOptions, NatsSubscribeOptions, NatsSubscription } from '../connection.ts';
import type { NatsHeaders } from '../token-header.ts';

/** A connection of `nats` 2.29 or of `@nats-io/transport-node` 3. It is used, never drained or closed. */
export interface NatsStreamConnection extends NatsConnection {
  publish(subject: string, payload?: Uint8Array | string, options?: NatsPublishOptions): void;
  subscribe(subject: string, options?: NatsStreamSubscribeOptions): NatsStreamSubscription;
  /** Rejects when nobody listens, when nobody answers in time, and when the server refuses the subject. */
  request(subject: string, payload?: Uint8Array | string, options?: NatsRequestOptions): Promise<NatsStreamMessage>;
}

export interface NatsRequestOptions {
  /** Milliseconds. */
  timeout: number;
}

export interface NatsStreamSubscribeOptions extends Omit<NatsSubscribeOptions, 'callback'> {
  callback?: (error: Error | null, message: NatsStreamMessage) => void;
}

export interface NatsStreamSubscription extends NatsSubscription {
  /** Unsubscribes, and resolves when all that the server had sent before has been delivered. */
  drain(): Promise<void>;
}

export interface NatsStreamMessage extends NatsMessage {
  readonly subject: string;
  readonly headers?: NatsReceivedHeaders;
}

export interface NatsReceivedHeaders extends NatsHeaders {
  /** Of a message without content that the server sent by itself; 0 otherwise. */
  readonly code: number;
  readonly description: string;
  get(name: string): string;
  has(name: string): boolean;
}
