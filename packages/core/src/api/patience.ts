/** How long `join` waits: until its deadline or the caller's abort, over several steps, with one explanation at the end. */
import { QuorateError } from '../errors.ts';
import type { Host, TimerHandle } from '../time/host.ts';
import type { ChannelEvent } from '../transport/transport.ts';
import { startTimer } from './duration.ts';
import type { ResolvedJoinOptions } from './join-options.ts';

type PatienceOptions = Pick<ResolvedJoinOptions, 'timeoutMs' | 'signal' | 'voters' | 'node' | 'transport'>;

export class Patience {
  /** What the deadline's error says; the step under way knows best. */
  explain: () => QuorateError;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #giveUp = new AbortController();
  readonly #host: Host;
  readonly #timer: TimerHandle | undefined;
  readonly #over: Promise<never>;
  #reject: (error: QuorateError) => void = () => undefined;
  #report: ChannelEvent | undefined;

  constructor(host: Host, options: PatienceOptions) {
    const { timeoutMs, signal } = options;
    this.#host = host;
    this.explain = () => this.#notOpened(options);
    this.#over = new Promise<never>((_resolve, reject) => (this.#reject = reject));
    // It may come to an end while nobody waits.
    this.#over.catch(() => undefined);
    this.#callerSignal = signal;
    this.#timer = startTimer(host, timeoutMs, () => this.#stop(this.explain()));
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborts with the patience. */
  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** Settles as `work` does, unless the patience ends first; then `onLate` is given what `work` still comes to. */
  async wait<T>(work: Promise<T>, onLate?: (late: T) => Promise<unknown>): Promise<T> {
    let isLate = true;
    try {
      const value = await Promise.race([this.#over, work]);
      isLate = false;
      return value;
    } finally {
      if (isLate) work.then(onLate).catch(() => undefined);
    }
  }

  /** What the transport says while it opens; the last of it counts. */
  readonly onOpening = (report: ChannelEvent): void => {
    this.#report = report;
  };

  end(): void {
    this.#host.stopTimer(this.#timer);
    this.#callerSignal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#stop(new QuorateError('ABORTED', 'Joining was aborted.', { cause: this.#callerSignal?.reason }));
  };

  #notOpened({ timeoutMs, voters, node, transport }: PatienceOptions): QuorateError {
    const { message, cause } = this.#report ?? {};
    const said = message === undefined ? '' : ` It says: ${message}`;
    const happened = `The transport "${transport.name}" did not open within ${timeoutMs} ms, and no voter could be asked.${said}`;
    const missing = voters.filter((voter) => voter !== node);
    const details = { heard: [], missing, transport: transport.name, ...(message !== undefined && { transportError: message }) };
    return new QuorateError('JOIN_TIMEOUT', happened, { cause, details });
  }

  #stop(error: QuorateError): void {
    this.#reject(error);
    this.#giveUp.abort(error);
  }
}
