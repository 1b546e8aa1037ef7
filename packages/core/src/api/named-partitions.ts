/** A set of partitions by its name: what users call, over the part that this process takes in it and what it knows of it. */
import { BehaviorSubject, distinctUntilChanged, switchMap } from 'rxjs';
import type { Observable } from 'rxjs';
import { isQuorateError, QuorateError } from '../errors.ts';
import { partitionOp, placing } from '../partition/command.ts';
import type { PartitionOp, PartitionParameters } from '../partition/command.ts';
import { checkDuration } from './duration.ts';
import type { Instance } from './instance.ts';
import { checkName } from './names.ts';
import { checkCallback } from './scoped-call.ts';
import { checkSignal } from './signal.ts';
import { change } from './partition-change.ts';
import type {
  OwnedPartition,
  Ownership,
  OwnOptions,
  PartitionHandler,
  PartitionOf,
  PartitionOwner,
  PartitionParametersInfo,
  Partitions,
  PartitionsChange,
  PartitionsOptions,
  PlannedMove,
} from './partitions-contract.ts';
import { Owning } from './partition-owning.ts';
import { checkCount, checkDrainTimeout, checkPartition, checkWeight, partitionsDefaults, resolveParameters } from './partition-options.ts';
import { firstOwnership, planOf } from './partition-plan.ts';
import { SetWatch } from './partition-watch.ts';
import { stepsOf } from './planned-change.ts';

const nothingOwned: readonly number[] = [];

export class NamedPartitions implements Partitions {
  readonly name: string;
  readonly assignment$: Observable<readonly number[]>;
  readonly #instance: Instance;
  readonly #parameters: PartitionParameters;
  /** As the first call said; the transport's own where it said nothing. */
  readonly #partitionOf: PartitionOf | undefined;
  readonly #watch: SetWatch;
  readonly #owning = new BehaviorSubject<Owning | null>(null);
  /** What the group has; until that is known, what the first call said. */
  #theirs: PartitionParametersInfo;
  /** The other parameters that a later call named last, with those that counted, as a text. */
  #told = '';
  #toldOfPartitionOf = false;

  constructor(instance: Instance, name: string, options: PartitionsOptions) {
    this.name = name;
    this.#instance = instance;
    this.#parameters = resolveParameters(options);
    this.#theirs = this.#parameters;
    this.#partitionOf = options.partitionOf;
    this.#watch = new SetWatch(instance, name, this.#onParameters);
    instance.setWatches.add(this.#watch);
    this.assignment$ = this.#owning.pipe(
      switchMap((owning) => owning?.mine ?? [nothingOwned]),
      distinctUntilChanged(),
    );
  }

  /** A later call's options change nothing, and that is told once until they, or those that count, are others. Throws `INVALID_OPTIONS`. */
  compare(options: PartitionsOptions): void {
    this.#compareParameters(resolveParameters(options));
    if (options.partitionOf === this.#partitionOf || this.#toldOfPartitionOf) return;
    this.#toldOfPartitionOf = true;
    this.#instance.tell({ type: 'partitionOfDiffers', name: this.name });
  }

  get count(): number {
    return this.#theirs.count;
  }

  async own(handler: PartitionHandler, options: OwnOptions = {}): Promise<void> {
    checkCallback(handler);
    const { refusal } = this.#instance;
    if (refusal) throw refusal;
    if (this.#owning.value) throw new QuorateError('INVALID_OPTIONS', `This process takes part in "${this.name}" already.`);
    const signal = checkSignal(options.signal);
    const drainTimeoutMs = checkDuration('drainTimeoutMs', options.drainTimeoutMs ?? partitionsDefaults.drainTimeoutMs);
    const onDrainTimeout = checkDrainTimeout(options.onDrainTimeout ?? partitionsDefaults.onDrainTimeout);
    const weight = checkWeight(options.weight ?? partitionsDefaults.weight);
    if (signal?.aborted === true) return;
    const { name: set } = this;
    const parameters = this.#parameters;
    const onParameters = this.#onParameters;
    const owning = new Owning(this.#instance, { set, parameters, weight, drainTimeoutMs, onDrainTimeout, handler, onParameters });
    const stop = (): void => void owning.stop().catch(() => undefined);
    signal?.addEventListener('abort', stop, { once: true });
    this.#owning.next(owning);
    try {
      await owning.done;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#owning.next(null);
    }
  }

  get mine(): readonly number[] {
    return this.#owning.value?.mine.value ?? nothingOwned;
  }

  get ownership(): Ownership | null {
    return this.#watch.present;
  }

  get ownership$(): Observable<Ownership> {
    return this.#watch.ownership$;
  }

  partitionOf(key: string | Uint8Array): number {
    return this.#partitionOf ? this.#partitionOf(key, this.count) : this.#instance.options.transport.partitionOf(key, this.count);
  }

  owner(key: string | Uint8Array): PartitionOwner | undefined {
    const owner = this.ownership?.partitions[this.partitionOf(key)];
    return owner?.node === undefined ? undefined : owner;
  }

  /** That too many things are watched is no answer to whether this process owns it. */
  #ownerIfKnown(partition: number): string | undefined {
    try {
      return this.ownership?.partitions[partition]?.node;
    } catch (error) {
      if (isQuorateError(error, 'LIMIT_REACHED')) return undefined;
      throw error;
    }
  }

  async whileOwned<T>(key: string | Uint8Array, callback: (owned: OwnedPartition) => Promise<T> | T): Promise<T> {
    checkCallback(callback);
    const partition = this.partitionOf(key);
    const run = this.#owning.value?.serving(partition);
    if (!run?.held.valid) {
      const owner = this.#ownerIfKnown(partition);
      const happened = `This process does not own partition ${partition} of "${this.name}"${owner === undefined ? '' : `; ${owner} does`}.`;
      throw new QuorateError('NOT_OWNER', happened, { details: { partition, owner } });
    }
    const value = await run.track((async () => callback(run.held))());
    const { loss } = run.held;
    if (loss) throw new QuorateError('LEASE_LOST', `The lease on ${run.held.what} ended before the callback did.`, { cause: value });
    return value;
  }

  async plan(planned: PartitionsChange): Promise<readonly PlannedMove[]> {
    const steps = stepsOf(this.name, planned);
    return planOf(this.name, await firstOwnership(this.#instance, this.ownership$), steps);
  }

  pin(partition: number, node: string): Promise<void> {
    return this.#change((seq) => [partitionOp.pin, seq, this.name, checkPartition(this.name, partition), checkName('node', node)]);
  }

  unpin(partition: number): Promise<void> {
    return this.#change((seq) => [partitionOp.pin, seq, this.name, checkPartition(this.name, partition), '']);
  }

  drain(node: string): Promise<void> {
    return this.#change((seq) => [partitionOp.place, seq, this.name, checkName('node', node), placing.drained]);
  }

  exclude(node: string): Promise<void> {
    return this.#change((seq) => [partitionOp.place, seq, this.name, checkName('node', node), placing.excluded]);
  }

  include(node: string): Promise<void> {
    return this.#change((seq) => [partitionOp.place, seq, this.name, checkName('node', node), placing.usual]);
  }

  resize(count: number): Promise<void> {
    return this.#change((seq) => [partitionOp.resize, seq, this.name, checkCount(count)]);
  }

  async #change(build: (seq: number) => PartitionOp): Promise<void> {
    // What is wrong with the arguments is said before anything is asked.
    build(0);
    return change(this.#instance, this.name, build);
  }

  /** A call that says what the first did is no news, nor is the number that it says: a set grows with its topic, which no caller need know. */
  #compareParameters(ours: PartitionParameters): void {
    const first = this.#parameters;
    const theirs = this.#theirs;
    const isAs = (one: PartitionParametersInfo): boolean => ours.graceMs === one.graceMs && ours.settleMs === one.settleMs;
    const isOfFirst = ours.count === first.count;
    if ((isOfFirst && isAs(first)) || ((isOfFirst || ours.count === theirs.count) && isAs(theirs))) return;
    const told = JSON.stringify([ours, theirs]);
    if (told === this.#told) return;
    this.#told = told;
    this.#instance.tell({ type: 'parametersDiffer', name: this.name, ours, theirs: { ...theirs } });
  }

  readonly #onParameters = (theirs: PartitionParametersInfo): void => {
    this.#theirs = theirs;
  };
}
