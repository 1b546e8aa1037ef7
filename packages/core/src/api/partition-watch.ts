/** A set of partitions as the group last told it, kept whole from what each answer adds, and shared by everybody who looks at it. */
import { BehaviorSubject, filter, Observable } from 'rxjs';
import { isPartitionsState } from '../operation.ts';
import { memberMode, partitionWatch, phase } from '../partition/command.ts';
import type { MemberRow, PartitionRow, PartitionsState } from '../partition/command.ts';
import type { Instance } from './instance.ts';
import { Interest } from './interest.ts';
import type { Ownership, PartitionMemberInfo, PartitionOwner, PartitionParametersInfo } from './partitions-contract.ts';
import { errorAfterPause } from './refusal.ts';

/**
 * Calls the listener with what is told of a set: all of it, or what this process owns. Never with what is older than what it was told
 * before, as the full answer of a voter that lags would be; what is told between the two follows it.
 */
export function watchSet({ engine }: Instance, resource: string, listener: (state: PartitionsState) => void): () => void {
  let { founding } = engine;
  let newest = 0;
  return engine.watch(resource, (state) => {
    if (!isPartitionsState(state)) return;
    if (engine.founding !== founding) newest = 0;
    founding = engine.founding;
    if (state.version < newest) return;
    newest = state.version;
    listener(state);
  });
}

/** `null` where the set is not known: before the first answer, while there is no session, or where nobody has made it. */
export class SetWatch {
  readonly ownership$: Observable<Ownership>;
  readonly #states = new BehaviorSubject<Ownership | null>(null);
  readonly #rows = new Map<number, PartitionOwner>();
  readonly #members = new Map<string, PartitionMemberInfo>();
  readonly #pins = new Map<number, string>();
  /** Which partitions were told as of which slot: what comes of one again is the rest of it. */
  readonly #told = new Set<number>();
  #version = 0;
  readonly #interest: Interest;
  #stop: (() => void) | null = null;

  constructor(
    private readonly instance: Instance,
    private readonly set: string,
    private readonly onParameters: (theirs: PartitionParametersInfo) => void,
  ) {
    this.#interest = new Interest(instance.engine.host, () => this.#end());
    this.ownership$ = new Observable<Ownership>((subscriber) => {
      if (instance.isClosed) return subscriber.complete();
      try {
        this.#begin();
      } catch (error) {
        return errorAfterPause(instance, subscriber, error);
      }
      this.#interest.use();
      const subscription = this.#states.pipe(filter((state): state is Ownership => state !== null)).subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        this.#interest.leave();
      };
    });
  }

  /** What is known now; asking keeps the watch for a while. */
  get present(): Ownership | null {
    if (this.instance.isClosed) return null;
    this.#begin();
    this.#interest.look();
    return this.#states.value;
  }

  /** The session is over: what was known may be old. */
  forget(): void {
    this.#rows.clear();
    if (this.#states.value !== null) this.#states.next(null);
  }

  /** Nobody is told anything more. */
  end(): void {
    this.#end();
    this.#states.complete();
  }

  #begin(): void {
    this.#stop ??= watchSet(this.instance, partitionWatch.all + this.set, (state) => this.#onState(state));
  }

  #end(): void {
    this.#interest.end();
    this.#stop?.();
    this.#stop = null;
    this.#rows.clear();
    if (this.#states.value !== null && !this.#states.closed) this.#states.next(null);
  }

  #onState({ isFull, version, count, graceMs, settleMs, members, rows }: PartitionsState): void {
    if (isFull) this.#rows.clear();
    const isRest = !isFull && version === this.#version;
    this.#version = version;
    if (!isRest) this.#told.clear();
    for (const row of rows) this.#onRow(row);
    if (members) {
      if (!isRest) for (const known of [this.#members, this.#pins]) known.clear();
      for (const member of members.rows) this.#members.set(member[0], memberOf(member));
      for (const [partition, node] of members.pins) this.#pins.set(partition, node);
    }
    // Of a large set the answer comes in parts, and nobody is shown half of it.
    if (count === 0) return;
    this.onParameters({ count, graceMs, settleMs });
    if (this.#rows.size < count) return;
    const partitions = Array.from({ length: count }, (_, index) => this.#rows.get(index) ?? unowned(index));
    this.#states.next({ count, partitions, members: [...this.#members.values()], pins: new Map(this.#pins) });
  }

  #onRow(row: PartitionRow): void {
    const [partition] = row;
    const owner = ownerOf(row);
    const known = this.#told.has(partition) ? (this.#rows.get(partition)?.refusedBy ?? []) : [];
    this.#told.add(partition);
    this.#rows.set(partition, known.length === 0 ? owner : { ...owner, refusedBy: [...new Set([...known, ...owner.refusedBy])] });
  }
}

const memberStates: Readonly<Record<number, PartitionMemberInfo['state']>> = {
  [memberMode.present]: 'present',
  [memberMode.drained]: 'drained',
  [memberMode.excluded]: 'excluded',
  [memberMode.absent]: 'absent',
};

const ownerStates: Readonly<Record<number, PartitionOwner['state']>> = {
  [phase.owned]: 'owned',
  [phase.revoking]: 'revoking',
  [phase.overrun]: 'overrun',
};

export function memberOf([node, weight, mode]: MemberRow): PartitionMemberInfo {
  if (mode === memberMode.drained && weight === 0) return { node, weight, state: 'leaving' };
  return { node, weight, state: memberStates[mode] ?? 'absent' };
}

export function ownerOf([partition, standing, node, token, home, , refusedBy = []]: PartitionRow): PartitionOwner {
  return { partition, state: ownerStates[standing] ?? 'unowned', node: nameOrNobody(node), token, home: nameOrNobody(home), refusedBy };
}

function unowned(partition: number): PartitionOwner {
  return { partition, state: 'unowned', node: undefined, token: 0, home: undefined, refusedBy: [] };
}

function nameOrNobody(name: string): string | undefined {
  return name === '' ? undefined : name;
}
