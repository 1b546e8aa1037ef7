/** This process's part in a set: it joins with each session, starts and stops handlers as the group says, and leaves in order. */
import { BehaviorSubject } from 'rxjs';
import { QuorateError } from '../errors.ts';
import { partitionOp, partitionResult, partitionWatch, phase } from '../partition/command.ts';
import type { JoinOp, PartitionParameters, PartitionRow, PartitionsState } from '../partition/command.ts';
import type { RequestOutcome } from '../runtime/engine.ts';
import type { TimerHandle } from '../time/host.ts';
import type { Instance, SetOwner } from './instance.ts';
import type { PartitionHandler, PartitionParametersInfo } from './partitions-contract.ts';
import { HeldPartition } from './held-partition.ts';
import { PartitionRun } from './partition-run.ts';
import type { RunListener } from './partition-run.ts';
import { watchSet } from './partition-watch.ts';

export interface OwningOptions {
  readonly set: string;
  readonly parameters: PartitionParameters;
  readonly weight: number;
  readonly drainTimeoutMs: number;
  readonly onDrainTimeout: 'fence' | 'exit';
  readonly handler: PartitionHandler;
  /** Told of the group's parameters. */
  readonly onParameters: (theirs: PartitionParametersInfo) => void;
}

/** How long a partition whose handler kept failing is not taken back. */
const coolDownMs = 60_000;

/**
 * 1. A handler starts only under a lease that a keep-alive covers.
 * 2. It ends once it was told to stop and everything that it had is given back or lost; then its promise settles.
 */
export class Owning implements SetOwner, RunListener {
  /** Ascending; what is on its way out is not in it. */
  readonly mine = new BehaviorSubject<readonly number[]>([]);
  readonly done: Promise<void>;
  readonly #runs = new Map<number, PartitionRun>();
  /** Granted, and waiting for the keep-alive that covers them. */
  readonly #awaiting = new Map<number, PartitionRow>();
  /** Tokens of what goes back before anything was begun under it. */
  readonly #returning = new Set<number>();
  /** The newest token of each partition under which this process is done: word of it may still be on its way. */
  readonly #ended = new Map<number, number>();
  /** Tokens of grants that a handler of an earlier one keeps from beginning, while that is waited for. */
  readonly #blocked = new Set<number>();
  readonly #timers = new Set<TimerHandle>();
  readonly #stopWatching: (() => void)[] = [];
  #resolve: () => void = () => undefined;
  #reject: (error: QuorateError) => void = () => undefined;
  #phase: 'owning' | 'leaving' | 'over' = 'owning';
  #hasLeft = false;
  /** Of a session: what a process asks for need not be chosen in the order of its asking. */
  #joining: number | null = null;
  #failure: QuorateError | null = null;
  #number = 0;
  #toldOfParameters = false;

  constructor(
    private readonly instance: Instance,
    private readonly options: OwningOptions,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    instance.owners.add(this);
    this.#number = instance.enlist({ fail: (error) => this.#onRefused(error), onSession: () => this.#join() });
    const { engine } = instance;
    this.#stopWatching.push(
      watchSet(instance, partitionWatch.own + options.set, (state) => this.#onState(state)),
      engine.onCovered((tokens) => this.#onCovered(tokens)),
    );
    this.#join();
  }

  get name(): string {
    return this.options.set;
  }

  /** The run that serves the partition now. */
  serving(partition: number): PartitionRun | undefined {
    for (const run of this.#runs.values()) if (run.held.partition === partition && run.isServing) return run;
    return undefined;
  }

  /** Gives everything up in order: each partition once the group has found its next owner, or at once with `error`. */
  stop(error?: QuorateError): Promise<void> {
    if (this.#phase === 'owning') {
      this.#phase = 'leaving';
      this.#leave();
    }
    if (error) for (const run of this.#runs.values()) this.#revoke(run, error);
    return this.done;
  }

  /** What would lapse if this process ended now. */
  get unsettled(): readonly string[] {
    return [...this.#runs.values()].map(({ held }) => `${this.options.set}/${held.partition}`);
  }

  onSessionLost(error: QuorateError): void {
    this.#awaiting.clear();
    for (const run of this.#runs.values()) run.lose(error);
    if (this.#phase === 'leaving') this.#hasLeft = true;
    const { bereft } = this.instance;
    if (bereft) this.fail(bereft);
    else this.#maybeEnd();
  }

  /** A lost majority says nothing of a session that lives, and its verdict may be taken back before that ends. */
  #onRefused(error: QuorateError): void {
    if (error.code !== 'MAJORITY_LOST' || this.instance.engine.session === null) this.fail(error);
  }

  /** No session can be had any more. */
  fail(error: QuorateError): void {
    if (this.#phase === 'over') return;
    if (error.code === 'CLOSED') return void this.stop(error);
    for (const run of this.#runs.values()) run.lose(error);
    this.#phase = 'leaving';
    this.#hasLeft = true;
    this.#failure = error;
    this.#maybeEnd();
  }

  // RunListener.

  onFailed({ held }: PartitionRun, error: unknown, failures: number, retryMs: number | null): void {
    const { partition, token } = held;
    this.instance.tell({ type: 'partitionFailed', name: this.name, partition, token, error, failures, retryMs });
  }

  onEnded(run: PartitionRun, how: 'released' | 'refused' | 'lost'): void {
    const { partition, token } = run.held;
    this.#runs.delete(token);
    this.#markEnded(partition, token);
    if (how !== 'lost') this.instance.tell({ type: 'partitionReleased', name: this.name, partition, token });
    if (how === 'refused') this.#coolDown(partition);
    this.#changed();
    const next = this.#awaiting.get(partition);
    if (next) this.#beginCovered(next);
    this.#maybeEnd();
  }

  onLost({ held }: PartitionRun, error: QuorateError, isOverrun: boolean): void {
    const { partition, token } = held;
    if (isOverrun) this.#tellOverrun(held);
    this.instance.meter.losses += 1;
    this.instance.tell({ type: 'partitionLost', name: this.name, partition, token, error });
    this.#changed();
    if (isOverrun) this.#maybeExit();
  }

  // What the group says.

  #onState({ isFull, rows, count, graceMs, settleMs }: PartitionsState): void {
    this.#compareParameters({ count, graceMs, settleMs });
    if (count > 0) this.options.onParameters({ count, graceMs, settleMs });
    if (isFull) this.#forgetAllBut(new Set(rows.map(([, , , token]) => token)));
    for (const row of rows) this.#onRow(row);
  }

  /** A full answer lists what this process owns; of a large set, more of it follows, and is granted again then. */
  #forgetAllBut(tokens: ReadonlySet<number>): void {
    for (const [partition, [, , , token]] of this.#awaiting) if (!tokens.has(token)) this.#awaiting.delete(partition);
  }

  #onRow(row: PartitionRow): void {
    const [partition, standing, , token] = row;
    for (const run of this.#runs.values()) {
      if (run.held.partition !== partition || run.held.token === token || run.isGivingBack) continue;
      run.lose(new QuorateError('LEASE_LOST', `The group counts this process no longer as the owner of ${run.held.what}.`));
    }
    this.#awaiting.delete(partition);
    if (token === 0) return;
    const run = this.#runs.get(token);
    if (run) {
      if (standing !== phase.owned) this.#revoke(run, revoked(run));
      return;
    }
    if (this.#returning.has(token) || token <= (this.#ended.get(partition) ?? 0)) return;
    // Nothing was begun under it, so there is nothing to drain.
    if (standing !== phase.owned || (this.#phase !== 'owning' && this.#joining === null)) return void this.#return(row);
    this.#awaiting.set(partition, row);
    this.#beginCovered(row);
  }

  /** What was covered and is no longer is on its way out, whether or not the group's word of it has come. */
  #onCovered(tokens: ReadonlySet<number>): void {
    for (const row of [...this.#awaiting.values()]) this.#beginCovered(row);
    for (const [token, run] of this.#runs) if (!tokens.has(token) && run.isServing) this.#revoke(run, revoked(run));
  }

  #beginCovered(row: PartitionRow): void {
    const [partition, , , token] = row;
    if (this.#phase !== 'owning') return;
    if (this.instance.engine.coverMs(token) <= 0) return;
    // What was lost may still be worked on in this very process: that can be waited for.
    const former = [...this.#runs.values()].find((run) => run.held.partition === partition);
    if (former) return this.#waitFor(former, row);
    this.#awaiting.delete(partition);
    const held = this.#held(row);
    if (!held) return;
    const run = new PartitionRun(this.instance, held, this.options.handler, this);
    this.#runs.set(token, run);
    this.instance.tell({ type: 'partitionGranted', name: this.name, partition, token });
    this.#changed();
    void run.begin();
  }

  /** No longer than for a drain: the group sees a partition that is owned and covered, and would leave it here for ever. Promise 6. */
  #waitFor(former: PartitionRun, row: PartitionRow): void {
    const [partition, , , token] = row;
    if (this.#blocked.has(token)) return;
    this.#blocked.add(token);
    this.#startTimer(this.options.drainTimeoutMs, () => {
      this.#blocked.delete(token);
      if (former.isAtWork && this.#awaiting.get(partition)?.[3] === token) void this.#passOn(former, row);
    });
  }

  /** Others may have it while this process cannot work on it. An `accept` that is chosen before the refusal would count for nothing. */
  async #passOn(former: PartitionRun, row: PartitionRow): Promise<void> {
    const [partition] = row;
    const { session } = this.instance.engine;
    this.#awaiting.delete(partition);
    const refused = this.#return(row, 'refuse');
    this.#tellOverrun(former.held);
    this.#maybeExit();
    await Promise.all([refused, former.ended]);
    this.#accept(partition, session);
  }

  #tellOverrun({ partition, token }: HeldPartition): void {
    this.instance.meter.drainOverruns += 1;
    this.instance.tell({ type: 'drainOverrun', name: this.name, partition, token });
  }

  #maybeExit(): void {
    if (this.options.onDrainTimeout === 'exit') this.instance.engine.host.exit();
  }

  /** Whoever takes part again must not begin on what is about to be taken away. */
  async #return(row: PartitionRow, how: 'giveBack' | 'refuse' = 'giveBack'): Promise<void> {
    const [partition, , , token] = row;
    this.#returning.add(token);
    await this.#held(row)?.[how]();
    this.#returning.delete(token);
    this.#markEnded(partition, token);
    this.#maybeEnd();
  }

  #markEnded(partition: number, token: number): void {
    this.#ended.set(partition, Math.max(token, this.#ended.get(partition) ?? 0));
  }

  #held([partition, , , token, , note]: PartitionRow): HeldPartition | null {
    const { session } = this.instance.engine;
    return session === null ? null : new HeldPartition(this.instance, { set: this.name, partition, token, session, note });
  }

  #revoke(run: PartitionRun, error: QuorateError): void {
    if (run.isRevoked) return;
    const { partition, token } = run.held;
    this.instance.tell({ type: 'partitionRevoked', name: this.name, partition, token });
    run.revoke(error);
    this.#changed();
  }

  // Joining and leaving.

  #join(): void {
    if (this.#phase !== 'owning') return this.#maybeEnd();
    const { session } = this.instance.engine;
    if (session === null) return;
    const { set, weight, drainTimeoutMs, parameters } = this.options;
    const { count, graceMs, settleMs } = parameters;
    this.#joining = session;
    const build = (seq: number): JoinOp => [partitionOp.join, seq, set, weight, drainTimeoutMs, count, graceMs, settleMs];
    this.instance.request(
      session,
      build,
      (outcome) => this.#onJoined(outcome, session),
      (error) => this.fail(error),
    );
  }

  /** That of an earlier session may end late, where it had to wait for room in the mailbox. */
  #onJoined(outcome: RequestOutcome, session: number): void {
    if (this.#joining === session) this.#joining = null;
    if (this.#phase === 'leaving') this.#leave();
    if (outcome.type === 'sessionLost' || outcome.result[1] === partitionResult.done) return;
    const happened = `The group cannot keep the set of partitions "${this.name}".`;
    this.fail(
      new QuorateError(outcome.result[1] === partitionResult.limit ? 'LIMIT_REACHED' : 'UNSUPPORTED', happened, {
        details: { limit: 'sets' },
      }),
    );
  }

  /**
   * Once it has joined: a join that is chosen after it would last. And before it gives back what it did not begin: that the group would
   * grant again at once to a member that stays.
   */
  #leave(): void {
    if (this.#joining !== null) return;
    const { session } = this.instance.engine;
    const left = (): void => {
      this.#hasLeft = true;
      this.#maybeEnd();
    };
    if (session === null) return left();
    this.instance.request(session, (seq) => [partitionOp.leave, seq, this.name], left, left);
    for (const row of this.#awaiting.values()) void this.#return(row);
    this.#awaiting.clear();
  }

  #maybeEnd(): void {
    if (this.#phase !== 'leaving' || !this.#hasLeft || this.#runs.size + this.#returning.size > 0) return;
    this.#phase = 'over';
    this.instance.owners.delete(this);
    this.instance.waiting.delete(this.#number);
    for (const stop of this.#stopWatching) stop();
    for (const timer of this.#timers) this.instance.engine.host.stopTimer(timer);
    this.mine.complete();
    if (this.#failure) this.#reject(this.#failure);
    else this.#resolve();
  }

  /** The failing handler may have met its match by then, or its cause is gone. */
  #coolDown(partition: number): void {
    const { session } = this.instance.engine;
    this.#startTimer(coolDownMs, () => this.#accept(partition, session));
  }

  /** A refusal ends with the session in which it was made. */
  #accept(partition: number, session: number | null): void {
    if (session === null || this.instance.engine.session !== session) return;
    this.instance.request(session, (seq) => [partitionOp.accept, seq, this.name, partition], ignore, ignore);
  }

  #startTimer(delayMs: number, onDue: () => void): void {
    const timer = this.instance.engine.host.startIdleTimer(() => {
      this.#timers.delete(timer);
      onDue();
    }, delayMs);
    this.#timers.add(timer);
  }

  #compareParameters(theirs: PartitionParametersInfo): void {
    const { count, graceMs, settleMs } = this.options.parameters;
    if (this.#toldOfParameters || theirs.count === 0) return;
    if (theirs.count === count && theirs.graceMs === graceMs && theirs.settleMs === settleMs) return;
    this.#toldOfParameters = true;
    this.instance.tell({ type: 'parametersDiffer', name: this.name, ours: { count, graceMs, settleMs }, theirs });
  }

  #changed(): void {
    const serving = [...this.#runs.values()].filter((run) => run.isServing);
    const mine = serving.map(({ held }) => held.partition).sort((a, b) => a - b);
    const before = this.mine.value;
    if (mine.length !== before.length || mine.some((partition, index) => partition !== before[index])) this.mine.next(mine);
  }
}

function revoked({ held }: PartitionRun): QuorateError {
  return new QuorateError('PARTITION_REVOKED', `The group wants ${held.what} back.`);
}

const ignore = (): void => undefined;
