/** The stream of a group's stores: making sure that it is there and forgets nothing by itself, and reading and purging what is in it. */
import { isQuorateError, QuorateError } from '@quorate/core/adapter';
import { apiCode } from '../consumer/request-failure.ts';
import type { JetStreamApi } from '../consumer/jetstream-api.ts';

export interface StoredMessage {
  readonly sequence: number;
  readonly data: Uint8Array;
}

interface StreamConfig {
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly storage: string;
  readonly discard: string;
  readonly max_age: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject?: number;
  readonly max_msg_size?: number;
}

interface StreamAnswer {
  readonly config: StreamConfig;
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
}

export interface SeatStreamOptions {
  readonly api: JetStreamApi;
  /** Of all seats together. */
  readonly subjects: string;
  /** Undefined: three, or one where the server stands alone. */
  readonly replicas: number | undefined;
}

export class SeatStream {
  readonly #options: SeatStreamOptions;
  #messageBytesMax = Infinity;

  constructor(options: SeatStreamOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.api.stream;
  }

  /** Of the stream itself; the server has a limit of its own. */
  get messageBytesMax(): number {
    return this.#messageBytesMax;
  }

  async ensure(): Promise<void> {
    const { config } = (await this.#found()) ?? (await this.#create());
    const trouble = troubleWith(config);
    if (trouble !== undefined) {
      throw new QuorateError('INVALID_OPTIONS', `Stream ${this.name} cannot keep what a voter must remember: ${trouble}.`, {
        details: { ...config },
      });
    }
    if ((config.max_msg_size ?? 0) > 0) this.#messageBytesMax = config.max_msg_size ?? Infinity;
  }

  /** By the leader of the stream. Undefined where the subject has none. */
  async lastOf(subject: string): Promise<StoredMessage | undefined> {
    try {
      const { message } = await this.#options.api.ask<{ readonly message: { readonly seq: number; readonly data?: string } }>(
        `STREAM.MSG.GET.${this.name}`,
        { last_by_subj: subject },
      );
      return { sequence: message.seq, data: Buffer.from(message.data ?? '', 'base64') };
    } catch (error) {
      if (isQuorateError(error) && error.details['errorCode'] === apiCode.messageNotFound) return undefined;
      throw error;
    }
  }

  async subjectsOf(filter: string): Promise<readonly string[]> {
    const { state } = await this.#options.api.ask<StreamAnswer>(`STREAM.INFO.${this.name}`, { subjects_filter: filter });
    return Object.keys(state.subjects ?? {});
  }

  async purge(filter: string, which: { readonly seq: number } | { readonly keep: number } | undefined): Promise<void> {
    await this.#options.api.ask<unknown>(`STREAM.PURGE.${this.name}`, { filter, ...which });
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
    const { api, subjects, replicas } = this.#options;
    const create = (num_replicas: number): Promise<StreamAnswer> =>
      api.ask<StreamAnswer>(`STREAM.CREATE.${this.name}`, { ...streamConfig, name: this.name, subjects: [subjects], num_replicas });
    try {
      return await create(replicas ?? 3);
    } catch (error) {
      const code = isQuorateError(error) ? error.details['errorCode'] : undefined;
      // A server alone has nobody to replicate to; in a cluster that lacks servers it is not ours to keep less.
      if (code === apiCode.replicasNotSupported && replicas === undefined) return create(1);
      const other = code === apiCode.streamNameInUse ? await this.#found() : undefined;
      if (other === undefined) throw error;
      return other;
    }
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
};

function troubleWith(config: StreamConfig): string | undefined {
  const { retention, storage, discard, max_age, max_msgs, max_bytes, max_msgs_per_subject = -1 } = config;
  if (retention !== 'limits') return `its retention is ${retention}`;
  if (storage !== 'file') return `it is kept in ${storage}`;
  if (max_age > 0) return 'it drops messages by age';
  if (max_msgs_per_subject > 0) return 'it drops messages by their number under a subject';
  if (discard !== 'new' && (max_msgs > 0 || max_bytes > 0)) return 'it drops its oldest messages when it is full';
  return undefined;
}
