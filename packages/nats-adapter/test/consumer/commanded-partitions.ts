/** Partitions whose grants, revocations and lapses a test commands: the group's part of a hand-over without a group. */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnedPartition, PartitionHandler, Partitions } from '@quorate/core/adapter';
import { EMPTY, NEVER } from 'rxjs';

/** What a real group keeps between owners: tokens rise, and a note stays until it is written again. */
export class CommandedGroup {
  readonly notes = new Map<number, string>();
  #token = 100;

  nextToken(): number {
    this.#token += 1;
    return this.#token;
  }

  member(): CommandedMember {
    return new CommandedMember(this);
  }
}

export class Grant implements OwnedPartition {
  readonly token: number;
  readonly resource: string;
  readonly previous: string | undefined;
  readonly #abort = new AbortController();
  readonly #group: CommandedGroup;
  /** Resolves with what the handler threw, if it did, once it has settled. */
  readonly settled: Promise<unknown>;
  #valid = true;
  #handOver: string | undefined;

  constructor(
    group: CommandedGroup,
    readonly partition: number,
    handler: PartitionHandler,
    token = group.nextToken(),
  ) {
    this.#group = group;
    this.token = token;
    this.resource = `workers/${partition}`;
    this.previous = group.notes.get(partition);
    this.settled = Promise.resolve()
      .then(() => handler(this))
      .then(
        () => undefined,
        (error: unknown) => error ?? new Error('threw nothing'),
      );
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get valid(): boolean {
    return this.#valid;
  }

  get remainingMs(): number {
    return this.#valid ? 10_000 : 0;
  }

  async note(value: string): Promise<void> {
    await Promise.resolve();
    if (!this.#valid) throw new QuorateError('NOT_HELD', 'The partition is not held.');
    this.#keep(value);
  }

  handOver(value: string): void {
    this.#handOver = value;
  }

  /** The group wants it back; resolves when it was given back in good order. */
  async revoke(): Promise<void> {
    this.#abort.abort(new QuorateError('PARTITION_REVOKED', 'The partition is revoked.'));
    const error = await this.settled;
    if (error !== undefined) throw error;
    if (this.#valid && this.#handOver !== undefined) this.#keep(this.#handOver);
    this.#valid = false;
  }

  /** The lease ran out, and its owner knows. */
  lapse(): void {
    this.#valid = false;
    this.#abort.abort(new QuorateError('LEASE_LOST', 'The lease ran out.'));
  }

  #keep(value: string): void {
    if (value === '') this.#group.notes.delete(this.partition);
    else this.#group.notes.set(this.partition, value);
  }
}

export class CommandedMember {
  /** Of the set, as this member sees it. */
  count = 0;
  #handler: PartitionHandler | undefined;
  readonly #grants = new Set<Grant>();

  constructor(private readonly group: CommandedGroup) {}

  /** As a grant of the real thing; a token of the past where one is given. */
  grant(partition: number, token?: number): Grant {
    if (this.#handler === undefined) throw new Error('this member does not take part yet');
    const grant = new Grant(this.group, partition, this.#handler, token);
    this.#grants.add(grant);
    return grant;
  }

  partitions(name: string, options: { readonly count: number }): Partitions {
    this.count = options.count;
    const size = () => this.count;
    const notHere = (): never => {
      throw new Error('not commanded');
    };
    return {
      name,
      get count() {
        return size();
      },
      mine: [],
      assignment$: EMPTY,
      ownership: null,
      ownership$: NEVER,
      own: async (handler, options) => {
        this.#handler = handler;
        const signal = options?.signal;
        await new Promise<void>((resolve) => {
          if (signal?.aborted) resolve();
          signal?.addEventListener('abort', () => resolve());
        });
        await Promise.all([...this.#grants].filter(({ valid }) => valid).map((grant) => grant.revoke().catch(() => undefined)));
      },
      partitionOf: notHere,
      owner: notHere,
      whileOwned: notHere,
      plan: notHere,
      pin: notHere,
      unpin: notHere,
      drain: notHere,
      exclude: notHere,
      include: notHere,
      resize: notHere,
    };
  }

  /** Resolves once `own` was called. */
  get takesPart(): boolean {
    return this.#handler !== undefined;
  }
}
