/**
 * One partition in the hands of this process, from grant to release: find where to begin, run a chain for each topic, and when the
 * end comes take no more, await the running handlers, commit, and leave the position as the note.
 */
import { isQuorateError } from '@quorate/core/adapter';
import type { OwnedPartition } from '@quorate/core/adapter';
import { backOffMs, pause } from '../back-off.ts';
import { failureOf } from '../kafkajs-failure.ts';
import { asConsumerError } from './consumer-error.ts';
import { newerTokenIn, staleOwner } from './committer.ts';
import type { Committer } from './committer.ts';
import type { CommittedOffset, ConsumerDriver, TopicPartition } from './consumer-driver.ts';
import type { OnConsumerEvent } from './consumer-event.ts';
import type { Fetching } from './fetching.ts';
import type { GroupGuard } from './group-guard.ts';
import { isGrown } from './growth.ts';
import type { Growth } from './growth.ts';
import { readNote, startOf, tokenOf, userMetadataIn, writeNote } from './hand-over-note.ts';
import type { HandOverNote, NotedPosition } from './hand-over-note.ts';
import { RetryHere } from './handling.ts';
import { OffsetBook } from './offset-book.ts';
import type { AutoCommit } from './offset-book.ts';
import { PartitionChain } from './partition-chain.ts';
import type { Handling } from './partition-chain.ts';
import { latestOffset } from './offset.ts';
import { isPassing, persist } from './persistence.ts';
import type { Subscription } from './subscription.ts';

const commitAgainMs = 500;
const handlerRetry = { firstMs: 200, longestMs: 10_000 };

/** Where this process had got to in a partition, under which grant. */
export interface Reached {
  readonly token: number;
  readonly positions: ReadonlyMap<string, bigint>;
}

export interface TenureContext {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly driver: ConsumerDriver;
  readonly committer: Committer;
  readonly fetching: Fetching;
  readonly guard: GroupGuard;
  readonly growth: Growth;
  readonly handling: Handling;
  readonly subscription: Subscription;
  readonly auto: AutoCommit | undefined;
  readonly fromBeginning: (topic: string) => boolean;
  /** Partitions that the set has now, and no more than the topics had when the consumer was run. */
  readonly count: () => number;
  readonly onEvent: OnConsumerEvent;
  /** The chains at work, for whoever pauses, seeks or commits. */
  readonly chains: Set<PartitionChain>;
  /** By partition; outlives the restarts of a failed handler. */
  readonly reached: Map<number, Reached>;
}

/** The handler that `own` calls. Rejects as the user's handler does, and with `STALE_OWNER`, once nothing of it runs any more. */
export async function servePartition(owned: OwnedPartition, context: TenureContext): Promise<void> {
  while (!owned.signal.aborted) {
    await context.guard.untilAlone(owned.signal);
    if (owned.signal.aborted) return;
    try {
      await new Tenure(owned, context).run();
    } catch (error) {
      if (!(error instanceof RetryHere)) throw asConsumerError(error, context);
      await pause(backOffMs(error.failures - 1, handlerRetry), owned.signal);
    }
  }
}

type Origin = 'commit' | 'note' | 'earliest' | 'latest' | 'grown' | 'resolved' | 'seek';

class Tenure {
  readonly #owned: OwnedPartition;
  readonly #context: TenureContext;
  /** Fires at revocation, at failure, and when an old deployment turns up. */
  readonly #end = new AbortController();
  readonly #occupied: AbortSignal;
  #chains: readonly PartitionChain[] = [];
  readonly #origins = new Map<string, Origin>();
  /** By topic: the seek that it begins with. A beginning may come to nothing, so the subscription keeps it until then. */
  readonly #sought = new Map<string, bigint>();
  #failure: { readonly error: unknown } | undefined;

  constructor(owned: OwnedPartition, context: TenureContext) {
    this.#owned = owned;
    this.#context = context;
    this.#occupied = context.guard.occupied;
  }

  async run(): Promise<void> {
    const signals = [this.#owned.signal, this.#occupied];
    const end = () => this.#end.abort();
    for (const signal of signals) signal.addEventListener('abort', end);
    if (signals.some(({ aborted }) => aborted)) end();
    try {
      this.#chains = await this.#begin();
      for (const chain of this.#chains) {
        this.#context.chains.add(chain);
        this.#takeSeek(chain);
        this.#context.fetching.add(chain);
        this.#onStarted(chain);
      }
      if (!this.#end.signal.aborted) await new Promise((resolve) => this.#end.signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      await this.#drain();
      for (const signal of signals) signal.removeEventListener('abort', end);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #begin(): Promise<readonly PartitionChain[]> {
    const { topics, committer, fetching, driver, groupId } = this.#context;
    const { partition, token } = this.#owned;
    await fetching.find(partition, this.#end.signal);
    const places = topics.map((topic) => ({ topic, partition }));
    const committed = await this.#persist(async () => {
      await Promise.all(places.map((at) => committer.prepare(this.#owned, at)));
      return driver.committed(groupId, places);
    });
    if (committed === undefined) return [];
    for (const at of places) {
      const newer = newerTokenIn(committed, at, token);
      if (newer !== undefined) throw staleOwner(at, token, newer);
    }
    const note = readNote(this.#owned.previous);
    const begun = await Promise.all(places.map((at) => this.#chainAt(at, committed, note)));
    const chains = begun.filter((chain) => chain !== undefined);
    await Promise.all(chains.map((chain) => this.#claim(chain)));
    return this.#end.signal.aborted ? [] : chains;
  }

  /** Undefined once this is at its end. */
  #persist<T>(work: () => Promise<T>): Promise<T | undefined> {
    return persist(work, { signal: this.#end.signal, onFailure: (error) => this.#report(error) });
  }

  async #chainAt(at: TopicPartition, all: readonly CommittedOffset[], note: HandOverNote | undefined): Promise<PartitionChain | undefined> {
    const committed = all.find(({ topic }) => topic === at.topic) ?? { ...at, offset: undefined, metadata: '' };
    const count = await this.#persist(() => this.#context.growth.begunWith(committed, this.#context.count()));
    if (count === undefined) return undefined;
    const start = await this.#startAt(committed, note, isGrown(at.partition, count));
    if (start === undefined) return undefined;
    const { committer, auto, handling, subscription, fetching } = this.#context;
    const owned = this.#owned;
    const { offset, from } = start;
    this.#origins.set(at.topic, from);
    const book: OffsetBook = new OffsetBook({
      at,
      owned,
      committer,
      auto,
      start: offset,
      committed: committed.offset,
      metadata: userMetadataIn(committed.metadata),
      begunWith: count,
      onFailure: (error) => this.#onCommitFailure(book, at, error),
    });
    return new PartitionChain({
      at,
      owned,
      book,
      handling,
      isPaused: (of) => subscription.isPaused(of),
      onIdle: (chain) => fetching.wake(chain),
      onFailure: (error) => this.#fail(error),
      relocate: (chain) => this.#relocate(chain),
    });
  }

  async #startAt(
    committed: CommittedOffset,
    note: HandOverNote | undefined,
    isNew: boolean,
  ): Promise<{ readonly offset: bigint; readonly from: Origin } | undefined> {
    const { subscription, reached, fromBeginning } = this.#context;
    const at = { topic: committed.topic, partition: committed.partition };
    const sought = subscription.soughtAt(at);
    if (sought !== undefined) this.#sought.set(at.topic, sought);
    if (sought !== undefined && sought >= 0n) return { offset: sought, from: 'seek' };
    if (sought !== undefined) return this.#startAtEdge(at, sought === latestOffset ? 'latest' : 'earliest', 'seek');
    const { token, positions } = reached.get(at.partition) ?? { token: -1, positions: undefined };
    const own = token === this.#owned.token ? positions?.get(at.topic) : undefined;
    // Earlier owners' commits are of the past; one without a token was made since, unless this process had got further.
    const isOfOwner = tokenOf(committed.metadata) !== undefined;
    if (own !== undefined && (isOfOwner || own >= (committed.offset ?? 0n))) return { offset: own, from: 'resolved' };
    const start = startOf(committed, note);
    if (start !== undefined) return start;
    const edge = isNew || fromBeginning(at.topic) ? 'earliest' : 'latest';
    return this.#startAtEdge(at, edge, isNew ? 'grown' : edge);
  }

  async #startAtEdge(at: TopicPartition, edge: 'earliest' | 'latest', from: Origin): Promise<{ offset: bigint; from: Origin } | undefined> {
    try {
      return { offset: await this.#context.fetching.edge(at, edge, this.#end.signal), from };
    } catch (error) {
      if (this.#end.signal.aborted) return undefined;
      throw error;
    }
  }

  /** Below the first offset nothing is left to lose; beyond the last one the topic was cut short or made anew. */
  async #relocate(chain: PartitionChain): Promise<bigint> {
    const { fetching, fromBeginning, onEvent } = this.#context;
    const { topic, partition, position } = chain;
    const earliest = await fetching.edge(chain, 'earliest', this.#end.signal);
    const isBeginning = position !== latestOffset && (position < earliest || fromBeginning(topic));
    const to = isBeginning ? earliest : await fetching.edge(chain, 'latest', this.#end.signal);
    // An end of the log that was asked for is no loss.
    if (position >= 0n) onEvent({ type: 'relocated', topic, partition, from: String(position), to: String(to) });
    return to;
  }

  async #drain(): Promise<void> {
    const { topics, fetching, chains, committer, auto, reached, subscription, onEvent } = this.#context;
    const { partition, token } = this.#owned;
    const mine = this.#chains;
    await Promise.all(mine.map((chain) => chain.stop()));
    for (const chain of mine) {
      fetching.remove(chain);
      chains.delete(chain);
      // An end of the log that was asked for and not found any more; what is sought from now on is newer.
      if (chain.position < 0n) subscription.seek(chain, chain.position);
    }
    await Promise.all(mine.map(({ book }) => book.end()));
    if (!this.#occupied.aborted && auto !== undefined) await Promise.all(mine.map((chain) => this.#commitLast(chain)));
    for (const topic of topics) committer.forget({ topic, partition });
    if (mine.length === 0) return;
    reached.set(partition, { token, positions: new Map(mine.map(({ topic, book }) => [topic, book.resolved])) });
    this.#leaveNote();
    for (const { topic, book } of mine) {
      onEvent({ type: 'finished', topic, partition, token, offset: String(book.position ?? book.resolved), isCommitted: !book.isDirty });
    }
  }

  #leaveNote(): void {
    const positions = new Map<string, NotedPosition>();
    for (const { topic, book } of this.#chains) {
      if (book.position !== undefined) positions.set(topic, { position: book.position, committed: book.committed });
    }
    const note = writeNote({ token: this.#owned.token, positions });
    if (note !== undefined && positions.size > 0) this.#owned.handOver(note);
  }

  #onStarted({ topic, partition, position }: PartitionChain): void {
    const from = this.#origins.get(topic) ?? 'commit';
    this.#context.onEvent({ type: 'started', topic, partition, token: this.#owned.token, offset: String(position), from });
  }

  /** Of the seeks that the subscription keeps, one that came while this began is newer than where it has begun. */
  #takeSeek(chain: PartitionChain): void {
    if (chain.isEnded) return;
    this.#endSeek(chain);
    const { subscription } = this.#context;
    const newer = subscription.soughtAt(chain);
    if (newer === undefined) return;
    subscription.forgetSeek(chain, newer);
    this.#origins.set(chain.topic, 'seek');
    chain.seek(newer);
  }

  #endSeek({ topic, partition, book }: PartitionChain): void {
    const { subscription, reached } = this.#context;
    const sought = this.#sought.get(topic);
    if (sought === undefined) return;
    this.#sought.delete(topic);
    subscription.forgetSeek({ topic, partition }, sought);
    // Where this process had got to is of the past, even if nothing is started here any more.
    const { token, positions = [] } = reached.get(partition) ?? { token: -1 };
    if (token === this.#owned.token) reached.set(partition, { token, positions: new Map([...positions, [topic, book.resolved]]) });
  }

  /**
   * Nothing is handled before the group has taken a commit of this owner: members that no list shows refuse it. And where nothing was
   * committed, an owner that crashes must not leave it to the next one where "latest" is.
   */
  async #claim(chain: PartitionChain): Promise<void> {
    const { book } = chain;
    const { signal } = this.#end;
    while (!signal.aborted && this.#owned.valid) {
      try {
        await book.claim();
        // Whoever owns it next begins there. Where only the user commits, nobody was told of the seek.
        if (!book.isDirty) this.#endSeek(chain);
        return this.#context.guard.trust();
      } catch (error) {
        this.#onCommitError(chain, error);
        // What lasts, a right that is missing for one, is told; it may be of this topic alone.
        if (!this.#isWorthwhile(error)) return;
        await pause(commitAgainMs, signal);
      }
    }
  }

  /** As long as the lease allows; what is not told here is told by the note. */
  async #commitLast(chain: PartitionChain): Promise<void> {
    const never = new AbortController().signal;
    while (chain.book.isDirty && this.#owned.valid) {
      try {
        return await chain.book.commit();
      } catch (error) {
        this.#onCommitError(chain, error);
        if (!isPassing(error)) return;
        await pause(commitAgainMs / 10, never);
      }
    }
  }

  #onCommitFailure(book: OffsetBook, at: TopicPartition, error: unknown): void {
    this.#onCommitError(at, error);
    if (this.#isWorthwhile(error)) void pause(commitAgainMs, this.#end.signal).then(() => this.#end.signal.aborted || book.commitSoon());
  }

  /** Leases are renewed: one that had too little left for a request may have enough again. */
  #isWorthwhile(error: unknown): boolean {
    return isPassing(error) || (isQuorateError(error, 'LEASE_LOST') && this.#owned.valid);
  }

  #onCommitError({ topic, partition }: TopicPartition, error: unknown): void {
    this.#context.onEvent({ type: 'commitFailed', topic, partition, error });
    if (failureOf(error).kind === 'members') this.#context.guard.suspect();
    if (isQuorateError(error, 'STALE_OWNER')) this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#end.abort();
  }

  #report(error: unknown): void {
    this.#context.onEvent({ type: 'fetchFailed', partition: this.#owned.partition, error });
  }
}
