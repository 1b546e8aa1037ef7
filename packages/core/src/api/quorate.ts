/** A process's part in a group: its locks, its elections, what can be seen of it, and its end. */
import type { Observable } from 'rxjs';
import type { Engine } from '../runtime/engine.ts';
import { closeInstance } from './closing.ts';
import type { CloseOptions, CloseResult } from './closing.ts';
import { callTimeoutMsDefault, checkTimeout } from './duration.ts';
import { NamedElection } from './election.ts';
import type { Election } from './election.ts';
import type { QuorateEvent } from './events.ts';
import { Instance } from './instance.ts';
import type { ResolvedJoinOptions } from './join-options.ts';
import { NamedLock } from './lock.ts';
import type { Lock } from './lock.ts';
import { membersOf, membersStream } from './members.ts';
import type { Members } from './members.ts';
import type { Metrics } from './metrics.ts';
import { checkName } from './names.ts';
import type { Partitions, PartitionsOptions } from './partitions-contract.ts';
import { NamedPartitions } from './named-partitions.ts';
import { statusOf, statusStream } from './status.ts';
import type { Status } from './status.ts';
import { giveOrder } from './voter-change.ts';
import type { VoterChangeOptions } from './voter-change.ts';

/** What `join` resolves with. One for each process and group; the user's connection is used, never closed. */
export interface Quorate extends AsyncDisposable {
  readonly group: string;
  readonly node: string;
  /** What this process is to the group right now. */
  readonly status: Status;
  /** `status`, now and at each change; completes with the closed one. */
  readonly status$: Observable<Status>;
  /** What happens, one typed union. The first subscriber also gets what came before it, up to 100 events. */
  readonly events$: Observable<QuorateEvent>;
  /** The lock of that name. Cheap: call it wherever the lock is needed. Throws `INVALID_NAME`. */
  lock(name: string): Lock;
  /**
   * The election of that name, the same object for the same name. Throws `INVALID_NAME`, and `LIMIT_REACHED` where this process watches as
   * many locks, elections and sets of partitions as it may (65,536).
   */
  election(name: string): Election;
  /**
   * The set of partitions of that name, the same object for the same name: the options of the first call count, and others are told as
   * `parametersDiffer`, or as `partitionOfDiffers` where it is not the same function. Throws `INVALID_NAME` or `INVALID_OPTIONS`.
   */
  partitions(name: string, options: PartitionsOptions): Partitions;
  /** Who votes and who stands by for a vote, as far as this process knows. */
  readonly members: Members;
  /** `members`, now and at each change; completes with the instance. */
  readonly members$: Observable<Members>;
  /**
   * Gives the standby of that name a vote; resolves once it has it, and at once where it had. Voters are changed one at a time, each
   * change a short pause. Rejects with `NOT_HEARD`, `NOT_CAUGHT_UP` or `NO_QUORUM` at the deadline; with `QUORUM_AT_RISK`,
   * `TOO_FEW_NAMED_VOTERS` or `LIMIT_REACHED` at once; with `CHANGE_UNDER_WAY` where the outcome is not known at the deadline.
   */
  addVoter(node: string, options?: VoterChangeOptions): Promise<void>;
  /** Takes the vote of that node away; it goes on as a standby or a client. Rejects as `addVoter` does. */
  removeVoter(node: string, options?: VoterChangeOptions): Promise<void>;
  /**
   * Gives the vote of `node` to the standby `by` in one change; with the same name twice, to the next incarnation of a voter that is gone.
   * Rejects as `addVoter` does; with `NOT_A_VOTER`; with `SEAT_IN_USE` where that voter lives.
   */
  replaceVoter(node: string, by: string, options?: VoterChangeOptions): Promise<void>;
  /** Has that voter lead the group. Rejects with `NOT_A_VOTER`; with `NOT_HEARD`, `NO_QUORUM` or `CHANGE_UNDER_WAY` at the deadline. */
  transferLeadership(to: string, options?: VoterChangeOptions): Promise<void>;
  /** Counts and durations since `join`. */
  metrics(): Metrics;
  /**
   * Leaves: no new grants (`CLOSED`), the signals of all leases fire, running callbacks are awaited, leases given back, leadership
   * handed over. Past the deadline the leases of callbacks still at work run out by themselves, and the result names them.
   * A transport or storage that is slow to let go is waited for until then too, but a second at least; that, or its failure, is an event
   * `closeFailed`. Idempotent: later calls return the first one's result. Rejects only with `INVALID_OPTIONS`.
   *
   * A callback of `run`, `lead` or `own` must not await or return it: it waits for that callback, so neither ends before the deadline.
   */
  close(options?: CloseOptions): Promise<CloseResult>;
  /** `close()` with its default deadline. */
  [Symbol.asyncDispose](): Promise<void>;
}

export class JoinedQuorate implements Quorate {
  readonly group: string;
  readonly node: string;
  readonly status$: Observable<Status>;
  readonly events$: Observable<QuorateEvent>;
  readonly members$: Observable<Members>;
  readonly #instance: Instance;
  readonly #elections = new Map<string, NamedElection>();
  readonly #partitions = new Map<string, NamedPartitions>();
  #closing: Promise<CloseResult> | null = null;

  constructor(engine: Engine, options: ResolvedJoinOptions) {
    this.#instance = new Instance(engine, options);
    this.group = options.group;
    this.node = options.node;
    this.status$ = statusStream(engine, options, options.electionTimeoutMs);
    this.events$ = this.#instance.feed.events$;
    this.members$ = membersStream(engine, options.electionTimeoutMs);
    const voters = options.count === undefined ? options.voters : engine.status.voters;
    if (voters.length > 0 && voters.length % 2 === 0) this.#instance.tell({ type: 'evenVoters', voters });
  }

  get status(): Status {
    return statusOf(this.#instance.engine.status, this.#instance.options);
  }

  lock(name: string): Lock {
    return new NamedLock(this.#instance, checkName('lock', name));
  }

  election(name: string): Election {
    let election = this.#elections.get(checkName('election', name));
    if (election === undefined) {
      election = new NamedElection(this.#instance, name);
      this.#elections.set(name, election);
    }
    return election;
  }

  partitions(name: string, options: PartitionsOptions): Partitions {
    let partitions = this.#partitions.get(checkName('set of partitions', name));
    if (partitions === undefined) {
      partitions = new NamedPartitions(this.#instance, name, options);
      this.#partitions.set(name, partitions);
    } else partitions.compare(options);
    return partitions;
  }

  get members(): Members {
    return membersOf(this.#instance.engine);
  }

  async addVoter(node: string, options?: VoterChangeOptions): Promise<void> {
    await giveOrder(this.#instance, { type: 'add', node: checkName('node', node) }, options);
  }

  async removeVoter(node: string, options?: VoterChangeOptions): Promise<void> {
    await giveOrder(this.#instance, { type: 'remove', node: checkName('node', node) }, options);
  }

  async replaceVoter(node: string, by: string, options?: VoterChangeOptions): Promise<void> {
    await giveOrder(this.#instance, { type: 'replace', node: checkName('node', node), by: checkName('node', by) }, options);
  }

  async transferLeadership(to: string, options?: VoterChangeOptions): Promise<void> {
    await giveOrder(this.#instance, { type: 'lead', node: checkName('node', to) }, options);
  }

  metrics(): Metrics {
    const { engine, meter, leases, waiting } = this.#instance;
    const acquires = waiting.values().filter((call) => call.onSession !== undefined).length;
    return meter.read(engine.counters, { held: leases.size, waiting: acquires });
  }

  async close(options?: CloseOptions): Promise<CloseResult> {
    const timeoutMs = checkTimeout('timeoutMs', options?.timeoutMs, callTimeoutMsDefault, 0);
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<CloseResult> {
    const instance = this.#instance;
    try {
      const result = await closeInstance(instance, timeoutMs);
      instance.tell({ type: 'closed', lapsed: result.lapsed });
      return result;
    } finally {
      instance.isClosed = true;
      for (const watch of [...instance.watches.values(), ...instance.setWatches]) watch.end();
      instance.feed.complete();
    }
  }
}
