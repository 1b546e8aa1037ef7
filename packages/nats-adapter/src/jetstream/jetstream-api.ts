/**
 * The JetStream API as consumers, stores and foundings need it: any operation, and a consumer's add, info, names and delete. It is
 * spoken over plain requests, `$JS.API.…`, because that is what both generations of the client have in common: their managers differ
 * in package, class and errors, and this asks for no package beside the one that the connection came from.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import { apiCode, refusedByApi, requestFailed } from './request-failure.ts';
import type { ApiRefusal } from './request-failure.ts';
import type { NatsStreamConnection } from './stream-connection.ts';

export interface ConsumerConfig {
  readonly durable_name: string;
  readonly name: string;
  readonly filter_subject: string;
  readonly ack_policy: 'explicit';
  /** Nanoseconds. */
  readonly ack_wait: number;
  readonly max_ack_pending: number;
  readonly deliver_policy: 'all' | 'new' | 'by_start_sequence';
  readonly opt_start_seq?: number;
  /** The longest pull that is let in, in nanoseconds; none given: any. */
  readonly max_expires?: number;
  /** None given, or 0: as many as the stream has. */
  readonly num_replicas?: number;
  /** Kept by servers from 2.10 on, which add entries of their own. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ConsumerInfo {
  readonly name: string;
  readonly config: ConsumerConfig;
  readonly delivered: { readonly consumer_seq: number; readonly stream_seq: number };
  readonly ack_floor: { readonly consumer_seq: number; readonly stream_seq: number };
  readonly num_ack_pending: number;
  readonly num_waiting: number;
}

export interface StreamInfo {
  readonly config: { readonly retention: 'limits' | 'interest' | 'workqueue' };
}

interface NamesPage {
  readonly total: number;
  readonly consumers: readonly string[] | null;
}

type Answer<T> = (T & { readonly error?: undefined }) | { readonly error: ApiRefusal };

export interface JetStreamApiOptions {
  readonly stream: string;
  /** `$JS.API`, or what the account knows it by. */
  readonly apiPrefix: string;
  /** For one operation, repeated requests while nobody answers included. */
  readonly requestTimeoutMs: number;
}

const retryMs = 100;
/** A request that was lost with its connection is made again after this, not at the end of all patience. */
const attemptMs = 2_000;
const json = new TextDecoder();

export class JetStreamApi {
  readonly stream: string;
  readonly #connection: NatsStreamConnection;
  readonly #options: JetStreamApiOptions;

  constructor(connection: NatsStreamConnection, options: JetStreamApiOptions) {
    this.stream = options.stream;
    this.#connection = connection;
    this.#options = options;
  }

  async streamInfo(): Promise<StreamInfo> {
    return this.ask<StreamInfo>(`STREAM.INFO.${this.stream}`);
  }

  /** All consumers of the stream; the server answers by pages. */
  async consumerNames(): Promise<readonly string[]> {
    const names: string[] = [];
    for (;;) {
      const page = await this.ask<NamesPage>(`CONSUMER.NAMES.${this.stream}`, { offset: names.length });
      const consumers = page.consumers ?? [];
      names.push(...consumers);
      if (consumers.length === 0 || names.length >= page.total) return names;
    }
  }

  /** Undefined where there is no such consumer. */
  async consumerInfo(name: string): Promise<ConsumerInfo | undefined> {
    return this.#askOf<ConsumerInfo>(`CONSUMER.INFO.${this.stream}.${name}`);
  }

  /** Resolves once it is there, on a cluster with a leader of its own. The same request twice is one. */
  async createConsumer(config: ConsumerConfig): Promise<ConsumerInfo> {
    return this.ask<ConsumerInfo>(this.#createSubject(config), { stream_name: this.stream, config, action: 'create' });
  }

  /** Undefined where there is no such consumer. */
  async updateConsumer(config: ConsumerConfig): Promise<ConsumerInfo | undefined> {
    try {
      return await this.#askOf<ConsumerInfo>(this.#createSubject(config), { stream_name: this.stream, config, action: 'update' });
    } catch (error) {
      // Servers tell an update of what is not there by a code of its own, of the kind "bad request".
      if (!isQuorateError(error, 'INVALID_OPTIONS') || (await this.consumerInfo(config.name)) !== undefined) throw error;
      return undefined;
    }
  }

  /** Resolves when the server has confirmed that it is gone; one that was not there is gone as well. */
  async deleteConsumer(name: string): Promise<void> {
    await this.#askOf<unknown>(`CONSUMER.DELETE.${this.stream}.${name}`);
  }

  /** Where messages of a durable are asked for. */
  nextSubject(durable: string): string {
    return `${this.#options.apiPrefix}.CONSUMER.MSG.NEXT.${this.stream}.${durable}`;
  }

  /** Of the newer form, which tells name and filter: an administrator can grant it subject by subject. */
  #createSubject({ name, filter_subject }: ConsumerConfig): string {
    return `CONSUMER.CREATE.${this.stream}.${name}.${filter_subject}`;
  }

  async #askOf<T>(operation: string, body?: unknown): Promise<T | undefined> {
    try {
      return await this.ask<T>(operation, body);
    } catch (error) {
      if (isQuorateError(error) && error.details['errorCode'] === apiCode.consumerNotFound) return undefined;
      throw error;
    }
  }

  /** Any operation of the API; repeated while nobody answers, so that a leader's election or a reconnection is not a failure. */
  async ask<T>(operation: string, body?: unknown): Promise<T> {
    const { apiPrefix, requestTimeoutMs } = this.#options;
    const subject = `${apiPrefix}.${operation}`;
    const deadlineMs = performance.now() + requestTimeoutMs;
    for (;;) {
      try {
        return await this.#askOnce<T>(subject, body, Math.min(attemptMs, Math.max(1, Math.ceil(deadlineMs - performance.now()))));
      } catch (error) {
        if (!isQuorateError(error, 'TRANSPORT_FAILED') || performance.now() + retryMs >= deadlineMs) throw error;
      }
      await delay(retryMs);
    }
  }

  async #askOnce<T>(subject: string, body: unknown, timeoutMs: number): Promise<T> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    let data: Uint8Array;
    try {
      ({ data } = await this.#connection.request(subject, payload, { timeout: timeoutMs }));
    } catch (cause) {
      throw requestFailed(this.#connection, subject, cause);
    }
    const answer = answerOf<T>(subject, data);
    if (answer.error !== undefined) throw refusedByApi(subject, answer.error, this.stream);
    return answer;
  }
}

/** What was answered, a refusal among it. Throws `TRANSPORT_FAILED` for what is no answer of the API. */
export function answerOf<T>(subject: string, data: Uint8Array): Answer<T> {
  try {
    const answer: unknown = JSON.parse(json.decode(data));
    if (isObject(answer) && (!('error' in answer) || isObject(answer.error))) return answer as Answer<T>;
  } catch {
    // Falls through: what cannot be read and what is no object are alike.
  }
  throw new QuorateError('TRANSPORT_FAILED', `The answer to ${JSON.stringify(subject)} is not of the JetStream API.`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
