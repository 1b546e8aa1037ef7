/**
 * Plain commits: as a client without a group makes them, under a living lease only, with the token in the metadata. What is due in
 * several partitions goes in one request. A request that is delayed on its way past the end of its lease can still move an offset
 * once; where that is not to be, there are fenced commits.
 */
import { QuorateError } from '@quorate/core/adapter';
import type { OwnedPartition } from '@quorate/core/adapter';
import { within } from '../back-off.ts';
import { KafkaFailure } from '../failure.ts';
import { failureOf } from '../kafkajs-failure.ts';
import type { CommittedOffset, ConsumerDriver, OffsetToCommit, TopicPartition } from './consumer-driver.ts';
import { tokenOf } from './hand-over-note.ts';

/** How much longer than the slowest of late a request may take. */
const slack = 2;
const requestMsMin = 100;
/** No more is asked of a lease than this, or a single slow request could keep commits from being made. */
const requestMsMax = 5_000;
/** A request that took long says nothing of what is now. */
const rememberedMs = 30_000;
const rememberedMax = 32;
/** Of a request that is not answered; the commits of all partitions stand behind it. */
const answerWithinMs = 10_000;

export interface CommitOf extends OffsetToCommit {
  readonly owned: OwnedPartition;
}

export interface Committer {
  /** Before the first commit of a grant; the commits of earlier owners are in by then, or will be refused. */
  prepare(owned: OwnedPartition, at: TopicPartition): Promise<void>;
  /** @throws QuorateError `LEASE_LOST`, `STALE_OWNER`; KafkaFailure. */
  commit(request: CommitOf): Promise<void>;
  forget(at: TopicPartition): void;
}

interface Waiting extends CommitOf {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class PlainCommitter implements Committer {
  readonly #driver: ConsumerDriver;
  readonly #groupId: string;
  readonly #lease = new RequestTime();
  #waiting: Waiting[] = [];
  #isSending = false;

  constructor(driver: ConsumerDriver, groupId: string) {
    this.#driver = driver;
    this.#groupId = groupId;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  forget(): void {}

  commit(request: CommitOf): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...request, resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    // What becomes due at the same moment shares the first request.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      await this.#send(entries);
    }
    this.#isSending = false;
  }

  /** Settles all of them; never rejects. */
  async #send(entries: readonly Waiting[]): Promise<void> {
    let open = entries;
    try {
      open = entries.filter((entry) => this.#isLeased(entry));
      if (open.length === 0) return;
      const found = await this.#lease.timed(() => this.#driver.committed(this.#groupId, open));
      open = open.filter((entry) => isNewest(entry, found)).filter((entry) => this.#isLeased(entry));
      if (open.length === 0) return;
      await this.#lease.timed(() => this.#driver.commit(this.#groupId, open.map(offsetOf)));
      for (const { resolve } of open) resolve();
    } catch (error) {
      if (open.length === 1 || failureOf(error).kind === 'connection') {
        for (const { reject } of open) reject(error);
      } else {
        // Not those that were refused before: a commit that its owner takes for not made must not be made after all.
        for (const entry of open) await this.#send([entry]);
      }
    }
  }

  #isLeased({ owned, reject, ...at }: Waiting): boolean {
    if (this.#lease.fits(owned)) return true;
    reject(leaseOver(owned, at));
    return false;
  }
}

/** How long requests take, so that none is begun under a lease that may end before it does. */
export class RequestTime {
  #latest: readonly { readonly atMs: number; readonly tookMs: number }[] = [];

  fits(owned: OwnedPartition): boolean {
    this.#latest = this.#latest.filter(({ atMs }) => performance.now() - atMs < rememberedMs);
    const slowestMs = Math.max(0, ...this.#latest.map(({ tookMs }) => tookMs));
    return owned.valid && owned.remainingMs > Math.min(requestMsMax, Math.max(requestMsMin, slack * slowestMs));
  }

  /** @throws KafkaFailure `connection` where there is no answer. */
  async timed<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    try {
      return await within(answerWithinMs, work(), () => new KafkaFailure('connection', 'The group’s coordinator does not answer'));
    } finally {
      const atMs = performance.now();
      this.#latest = [...this.#latest.slice(1 - rememberedMax), { atMs, tookMs: atMs - startMs }];
    }
  }
}

function isNewest({ owned, reject, ...at }: Waiting, found: readonly CommittedOffset[]): boolean {
  const other = newerTokenIn(found, at, owned.token);
  if (other === undefined) return true;
  reject(staleOwner(at, owned.token, other));
  return false;
}

/** The token of a later owner that has committed here. */
export function newerTokenIn(found: readonly CommittedOffset[], at: TopicPartition, token: number): number | undefined {
  const metadata = found.find(({ topic, partition }) => topic === at.topic && partition === at.partition)?.metadata ?? '';
  const other = tokenOf(metadata);
  return other !== undefined && other > token ? other : undefined;
}

export function staleOwner({ topic, partition }: TopicPartition, token: number, other?: number): QuorateError {
  const newer =
    other === undefined ? 'its transactional producer was fenced by a newer one' : `the owner with token ${other} has committed there`;
  return new QuorateError('STALE_OWNER', `The commit to ${topic} ${partition} under token ${token} was not made: ${newer}.`, {
    details: { topic, partition, token, other },
  });
}

export function leaseOver(owned: OwnedPartition, { topic, partition }: TopicPartition): QuorateError {
  const left = Math.round(owned.remainingMs);
  return new QuorateError('LEASE_LOST', `The commit to ${topic} ${partition} was not made: its lease has ${left} ms left.`, {
    details: { topic, partition, token: owned.token, remainingMs: owned.remainingMs },
  });
}

function offsetOf({ topic, partition, offset, metadata }: CommitOf): OffsetToCommit {
  return { topic, partition, offset, metadata };
}
