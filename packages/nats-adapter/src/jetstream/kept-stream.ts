/** A stream that the library itself keeps something in: found or made, and read message by message from its leader. */
import { isQuorateError } from '@quorate/core/adapter';
import type { JetStreamApi } from './jetstream-api.ts';
import { apiCode } from './request-failure.ts';

export interface KeptStreamConfig {
  readonly subjects?: readonly string[];
  readonly retention: string;
  readonly storage: string;
  readonly discard: string;
  readonly max_age: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject?: number;
  readonly max_msg_size?: number;
  readonly num_replicas: number;
}

export interface KeptStreamInfo {
  readonly config: KeptStreamConfig;
  readonly state: {
    readonly messages: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly num_deleted?: number;
    /** Where a filter of subjects was given. */
    readonly subjects?: Readonly<Record<string, number>>;
  };
  /** Named on servers that form a cluster. */
  readonly cluster?: { readonly name?: string };
}

export interface KeptStreamOptions {
  readonly api: JetStreamApi;
  /** What it keeps, and nothing else. */
  readonly subject: string;
  /** Undefined: three, or one where the server stands alone. */
  readonly replicas: number | undefined;
  /** On top of what every stream is made with that must forget nothing by itself. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface StoredMessage {
  readonly sequence: number;
  readonly data: Uint8Array;
}

export const replicasDefault = 3;

export class KeptStream {
  readonly #options: KeptStreamOptions;

  constructor(options: KeptStreamOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.api.stream;
  }

  /** As it is now; made where there is none. */
  async ensure(): Promise<KeptStreamInfo> {
    return (await this.#found()) ?? (await this.#create());
  }

  /** With the number of messages under each subject that the filter lets through. */
  async info(subjectsFilter: string): Promise<KeptStreamInfo> {
    return this.#options.api.ask<KeptStreamInfo>(`STREAM.INFO.${this.name}`, { subjects_filter: subjectsFilter });
  }

  /** From the stream's leader. Undefined where there is none. */
  async message(which: { readonly seq: number } | { readonly last_by_subj: string }): Promise<StoredMessage | undefined> {
    type Found = { readonly message: { readonly seq: number; readonly data?: string } };
    const found = await this.#unless(apiCode.messageNotFound, () => this.#options.api.ask<Found>(`STREAM.MSG.GET.${this.name}`, which));
    return found && { sequence: found.message.seq, data: Buffer.from(found.message.data ?? '', 'base64') };
  }

  async purge(filter: string, which: { readonly seq: number } | { readonly keep: number } | undefined): Promise<void> {
    await this.#options.api.ask<unknown>(`STREAM.PURGE.${this.name}`, { filter, ...which });
  }

  async #found(): Promise<KeptStreamInfo | undefined> {
    return this.#unless(apiCode.streamNotFound, () => this.#options.api.ask<KeptStreamInfo>(`STREAM.INFO.${this.name}`));
  }

  async #create(): Promise<KeptStreamInfo> {
    const { api, subject, replicas, config } = this.#options;
    const create = (num_replicas: number): Promise<KeptStreamInfo> =>
      api.ask(`STREAM.CREATE.${this.name}`, { ...lasting, ...config, name: this.name, subjects: [subject], num_replicas });
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

  async #unless<T>(absent: number, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (isQuorateError(error) && error.details['errorCode'] === absent) return undefined;
      throw error;
    }
  }
}

const lasting = {
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

/** Why the stream may forget something by itself. Undefined where it cannot. */
export function forgetfulness({ retention, storage, max_age }: KeptStreamConfig): string | undefined {
  if (retention !== 'limits') return `its retention is ${retention}`;
  if (storage !== 'file') return `it is kept in ${storage}`;
  if (max_age > 0) return 'it drops messages by age';
  return undefined;
}
