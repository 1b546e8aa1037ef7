/** Partitions under a test's command: what is granted, revoked and lost, and when, is the test's to say. One process's view. */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnedPartition, OwnOptions, PartitionHandler } from '@quorate/core/adapter';
import type { PartitionsSource } from '../../src/index.ts';

type Partitions = ReturnType<PartitionsSource['partitions']>;

const restartMs = 10;
const failuresMax = 5;

interface Grant {
  readonly owned: OwnedPartition;
  readonly controller: AbortController;
  readonly settled: Promise<void>;
  note: string | undefined;
  leftMs: number;
}

export class StandInPartitions implements PartitionsSource {
  readonly failures: unknown[] = [];
  /** Told after each failure of a handler. */
  onFailure: () => void = () => undefined;
  readonly resizes: number[] = [];
  /** What the set was asked for with. */
  options: Parameters<PartitionsSource['partitions']>[1] | undefined;
  readonly #grants = new Map<number, Grant>();
  #handler: PartitionHandler | undefined;
  #count = 0;

  partitions(_name: string, options: Parameters<PartitionsSource['partitions']>[1]): Partitions {
    this.options = options;
    this.#count = Math.max(this.#count, options.count);
    const own = (handler: PartitionHandler, options: OwnOptions = {}) => this.#own(handler, options);
    const resize = (to: number) => {
      this.resizes.push(to);
      this.#count = to;
      return Promise.resolve();
    };
    const size = () => this.#count;
    // Only what an owned consumer calls; the rest of the contract is not this stand-in's.
    return {
      own,
      resize,
      get count() {
        return size();
      },
    } as Partial<Partitions> as Partitions;
  }

  grant(partition: number, token: number, previous?: string): void {
    const controller = new AbortController();
    const set = (note: string) => (grant.note = note);
    const owned: OwnedPartition = {
      partition,
      resource: `stand-in/${partition}`,
      token,
      previous,
      signal: controller.signal,
      get valid() {
        return grant.leftMs > 0;
      },
      get remainingMs() {
        return grant.leftMs;
      },
      note: (value) => {
        set(value);
        return Promise.resolve();
      },
      handOver: set,
    };
    const settled = Promise.resolve().then(() => this.#run(owned));
    const grant: Grant = { owned, controller, settled, note: undefined, leftMs: Infinity };
    this.#grants.set(partition, grant);
  }

  /** In good order; resolves with the note once the handler has settled. */
  async revoke(partition: number): Promise<string | undefined> {
    const grant = this.#taken(partition);
    grant.controller.abort(new QuorateError('ABORTED', 'Revoked.'));
    await grant.settled;
    return grant.note;
  }

  /** The lease ends without a word; resolves once the handler has settled. */
  lose(partition: number): Promise<void> {
    const grant = this.#taken(partition);
    grant.leftMs = 0;
    grant.controller.abort(new QuorateError('LEASE_LOST', 'Lost.'));
    return grant.settled;
  }

  /** The lease holds, and is never good for longer than that. */
  shorten(partition: number, leftMs: number): void {
    const grant = this.#grants.get(partition);
    if (grant !== undefined) grant.leftMs = leftMs;
  }

  #taken(partition: number): Grant {
    const grant = this.#grants.get(partition);
    if (grant === undefined) throw new Error(`partition ${partition} is not granted`);
    this.#grants.delete(partition);
    return grant;
  }

  async #own(handler: PartitionHandler, { signal }: OwnOptions): Promise<void> {
    this.#handler = handler;
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.all([...this.#grants.keys()].map((partition) => this.revoke(partition)));
  }

  /** As the contract of `own` says: a failure is followed by a restart under the same token. */
  async #run(owned: OwnedPartition): Promise<void> {
    for (let failures = 0; failures < failuresMax && !owned.signal.aborted && owned.valid; failures++) {
      try {
        await this.#handler?.(owned);
        if (owned.signal.aborted) return;
      } catch (error) {
        this.failures.push(error);
        this.onFailure();
      }
      await new Promise((resolve) => setTimeout(resolve, restartMs));
    }
  }
}
