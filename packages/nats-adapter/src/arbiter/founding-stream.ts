/** The stream of a group's foundings: made so that nothing is ever taken out of it, and checked at every look. */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import type { JetStreamApi } from '../consumer/jetstream-api.ts';
import { apiCode } from '../consumer/request-failure.ts';

interface StreamConfig {
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly storage: string;
  readonly max_age: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject?: number;
  readonly num_replicas: number;
}

interface StreamAnswer {
  readonly config: StreamConfig;
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number; readonly num_deleted?: number };
  /** Named on servers that form a cluster. */
  readonly cluster?: { readonly name?: string };
}

export interface FoundingStreamOptions {
  readonly api: JetStreamApi;
  readonly subject: string;
  /** Undefined: three, or one where the server stands alone. */
  readonly replicas: number | undefined;
}

const replicasDefault = 3;

/**
 * 1. Its messages are numbered from 1 without a gap: any other is not whole, and is an error.
 * 2. Neither age, number, size nor a purge takes a message out of it, and a cluster keeps it on as many servers as were asked for.
 */
export class FoundingStream {
  readonly #options: FoundingStreamOptions;

  constructor(options: FoundingStreamOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.api.stream;
  }

  /** How many messages there are. The stream is made where there is none. */
  async length(): Promise<number> {
    const { config, state, cluster } = (await this.#found()) ?? (await this.#create());
    const trouble = this.#troubleWith(config, cluster?.name !== undefined);
    if (trouble !== undefined) {
      const happened = `Stream ${this.name} cannot keep which founding counts: ${trouble}.`;
      throw new QuorateError('INVALID_OPTIONS', happened, { details: { ...config } });
    }
    const { messages, first_seq, last_seq, num_deleted = 0 } = state;
    if (messages === last_seq && num_deleted === 0 && (messages === 0 || first_seq === 1)) return messages;
    throw this.#corrupt(`it holds ${messages} messages, and ${last_seq} were written`, { ...state });
  }

  /** By the stream's leader. */
  async message(sequence: number): Promise<Uint8Array> {
    try {
      const { message } = await this.#options.api.ask<{ readonly message: { readonly data?: string } }>(`STREAM.MSG.GET.${this.name}`, {
        seq: sequence,
      });
      return Buffer.from(message.data ?? '', 'base64');
    } catch (error) {
      if (isQuorateError(error) && error.details['errorCode'] === apiCode.messageNotFound)
        throw this.#corrupt(`message ${sequence} was deleted`, { sequence });
      throw error;
    }
  }

  #corrupt(what: string, details: Readonly<Record<string, unknown>>): QuorateError {
    return new QuorateError('ARBITER_CORRUPT', `Stream ${this.name} is not whole: ${what}.`, {
      details: { stream: this.name, ...details },
    });
  }

  async #found(): Promise<StreamAnswer | undefined> {
    try {
      return await this.#options.api.ask<StreamAnswer>(`STREAM.INFO.${this.name}`);
    } catch (error) {
      if (isQuorateError(error) && error.details['errorCode'] === apiCode.streamNotFound) return undefined;
      throw error;
    }
  }

  async #create(): Promise<StreamAnswer> {
    const { api, subject, replicas } = this.#options;
    const create = (num_replicas: number): Promise<StreamAnswer> =>
      api.ask<StreamAnswer>(`STREAM.CREATE.${this.name}`, { ...streamConfig, name: this.name, subjects: [subject], num_replicas });
    try {
      return await create(replicas ?? replicasDefault);
    } catch (error) {
      const code = isQuorateError(error) ? error.details['errorCode'] : undefined;
      // A server alone has nobody to replicate to; in a cluster that lacks servers it is not ours to keep less.
      if (code === apiCode.replicasNotSupported && replicas === undefined) return create(1);
      const other = code === apiCode.streamNameInUse ? await this.#found() : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  #troubleWith(config: StreamConfig, isClustered: boolean): string | undefined {
    const { retention, storage, max_age, max_msgs, max_bytes, max_msgs_per_subject = -1, num_replicas, subjects = [] } = config;
    const { subject, replicas } = this.#options;
    const least = replicas ?? (isClustered ? replicasDefault : 1);
    if (subjects.length !== 1 || subjects[0] !== subject) return `it keeps ${subjects.join(', ') || 'nothing'}, not ${subject} alone`;
    if (retention !== 'limits') return `its retention is ${retention}`;
    if (storage !== 'file') return `it is kept in ${storage}`;
    if (max_age > 0) return 'it drops messages by age';
    if (max_msgs > 0 || max_bytes > 0 || max_msgs_per_subject > 0) return 'it has a limit of messages or bytes';
    if (num_replicas < least) return `it has ${num_replicas} replicas, and ${least} are wanted`;
    return undefined;
  }
}

const streamConfig = {
  retention: 'limits',
  storage: 'file',
  discard: 'new',
  max_age: 0,
  max_msgs: -1,
  max_bytes: -1,
  max_msgs_per_subject: -1,
  max_consumers: -1,
  deny_delete: true,
  deny_purge: true,
};
