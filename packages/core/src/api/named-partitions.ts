/** A set of partitions by its name: what users call, over the part that this process takes in it and what it knows of it. */
import { BehaviorSubject, distinctUntilChanged, switchMap } from 'rxjs';
import type { Observable } from 'rxjs';
import { QuorateError } from '../errors.ts';
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
  readonly #partitionOf: PartitionOf;
  readonly #watch: SetWatch;
  readonly #owning = new BehaviorSubject<Owning | null>(null);
  #count: number;
  /** The other parameters that a later call named last, as a text. */
  #others = '';

  constructor(instance: Instance, name: string, options: PartitionsOptions) {
    this.name = name;
    this.#instance = instance;
    this.#parameters = resolveParameters(options);
    this.#count = this.#parameters.count;
    const { transport } = instance.options;
    this.#partitionOf = options.partitionOf ?? ((key, count) => transport.partitionOf(key, count));
    this.#watch = new SetWatch(instance, name, this.#onCount);
    instance.setWatches.add(this.#watch);
    this.assignment$ = this.#owning.pipe(
      switchMap((owning) => owning?.mine ?? [nothingOwned]),
      distinctUntilChanged(),
    );
  }

  /** A later call's options change nothing, and that is told once until others come. Throws `INVALID_OPTIONS`. */
  compare(options: PartitionsOptions): void {
    const ours = resolveParameters(options);
    const { count, graceMs, settleMs } = this.#parameters;
    const isOfSize = ours.count === count || ours.count === this.count;
    if (isOfSize && ours.graceMs === graceMs && ours.settleMs === settleMs) return;
    const others = JSON.stringify(ours);
    if (others === this.#others) return;
    this.#others = others;
    this.#instance.tell({ type: 'parametersDiffer', name: this.name, ours, theirs: { count: this.count, graceMs, settleMs } });
  }

  get count(): number {
    return this.#count;
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
    const owning = new Owning(this.#instance, { set, parameters, weight, drainTimeoutMs, onDrainTimeout, handler, onCount: this.#onCount });
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
    return this.#partitionOf(key, this.count);
  }

  owner(key: string | Uint8Array): PartitionOwner | undefined {
    const owner = this.ownership?.partitions[this.partitionOf(key)];
    return owner?.node === undefined ? undefined : owner;
  }

  async whileOwned<T>(key: string | Uint8Array, callback: (owned: OwnedPartition) => Promise<T> | T): Promise<T> {
    checkCallback(callback);
    const partition = this.partitionOf(key);
    const run = this.#owning.value?.serving(partition);
    if (!run?.held.valid) {
      const owner = this.ownership?.partitions[partition]?.node;
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

  readonly #onCount = (count: number): void => {
    this.#count = count;
  };
}
