/** The stream of a group's stores: making sure that it is there and forgets nothing by itself, and reading and purging what is in it. */
import { QuorateError } from '@quorate/core/adapter';
import { forgetfulness, KeptStream } from '../jetstream/kept-stream.ts';
import type { KeptStreamConfig, KeptStreamOptions, StoredMessage } from '../jetstream/kept-stream.ts';

/** The subject is that of all seats together. */
export type SeatStreamOptions = Omit<KeptStreamOptions, 'config'>;

export class SeatStream {
  readonly #stream: KeptStream;
  #messageBytesMax = Infinity;

  constructor(options: SeatStreamOptions) {
    this.#stream = new KeptStream(options);
  }

  get name(): string {
    return this.#stream.name;
  }

  /** Of the stream itself; the server has a limit of its own. */
  get messageBytesMax(): number {
    return this.#messageBytesMax;
  }

  async ensure(): Promise<void> {
    const { config } = await this.#stream.ensure();
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
    return this.#stream.message({ last_by_subj: subject });
  }

  async subjectsOf(filter: string): Promise<readonly string[]> {
    const { state } = await this.#stream.info(filter);
    return Object.keys(state.subjects ?? {});
  }

  async purge(filter: string, which: { readonly seq: number } | { readonly keep: number } | undefined): Promise<void> {
    await this.#stream.purge(filter, which);
  }
}

function troubleWith(config: KeptStreamConfig): string | undefined {
  const { discard, max_msgs, max_bytes, max_msgs_per_subject = -1 } = config;
  const forgets = forgetfulness(config);
  if (forgets !== undefined) return forgets;
  if (max_msgs_per_subject > 0) return 'it drops messages by their number under a subject';
  if (discard !== 'new' && (max_msgs > 0 || max_bytes > 0)) return 'it drops its oldest messages when it is full';
  return undefined;
}
