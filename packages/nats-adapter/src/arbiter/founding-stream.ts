/** The stream of a group's foundings: made so that nothing is ever taken out of it, and checked at every look. */
import { QuorateError } from '@quorate/core/adapter';
import { forgetfulness, KeptStream, replicasDefault } from '../jetstream/kept-stream.ts';
import type { KeptStreamConfig, KeptStreamOptions } from '../jetstream/kept-stream.ts';

export type FoundingStreamOptions = Omit<KeptStreamOptions, 'config'>;

/**
 * 1. Its messages are numbered from 1 without a gap: any other is not whole, and is an error.
 * 2. Neither age, number, size nor a purge takes a message out of it, and a cluster keeps it on as many servers as were asked for.
 */
export class FoundingStream {
  readonly #options: FoundingStreamOptions;
  readonly #stream: KeptStream;

  constructor(options: FoundingStreamOptions) {
    this.#options = options;
    this.#stream = new KeptStream({ ...options, config: { deny_purge: true } });
  }

  get name(): string {
    return this.#stream.name;
  }

  /** How many messages there are. The stream is made where there is none. */
  async length(): Promise<number> {
    const { config, state, cluster } = await this.#stream.ensure();
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
    const message = await this.#stream.message({ seq: sequence });
    if (message === undefined) throw this.#corrupt(`message ${sequence} was deleted`, { sequence });
    return message.data;
  }

  #corrupt(what: string, details: Readonly<Record<string, unknown>>): QuorateError {
    return new QuorateError('ARBITER_CORRUPT', `Stream ${this.name} is not whole: ${what}.`, {
      details: { stream: this.name, ...details },
    });
  }

  #troubleWith(config: KeptStreamConfig, isClustered: boolean): string | undefined {
    const { max_msgs, max_bytes, max_msgs_per_subject = -1, num_replicas, subjects = [] } = config;
    const { subject, replicas } = this.#options;
    const least = replicas ?? (isClustered ? replicasDefault : 1);
    if (subjects.length !== 1 || subjects[0] !== subject) return `it keeps ${subjects.join(', ') || 'nothing'}, not ${subject} alone`;
    const forgets = forgetfulness(config);
    if (forgets !== undefined) return forgets;
    if (max_msgs > 0 || max_bytes > 0 || max_msgs_per_subject > 0) return 'it has a limit of messages or bytes';
    if (num_replicas < least) return `it has ${num_replicas} replicas, and ${least} are wanted`;
    return undefined;
  }
}
