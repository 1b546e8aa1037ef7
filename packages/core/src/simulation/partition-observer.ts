/** Sees how partitions change hands in the replicated state and at their owners, and says what no rule allows. The safety rule 18. */
import type { Applied } from '../group/group-applied.ts';
import type { GroupState } from '../group/group-state.ts';
import type { Member, MemberOutput } from '../group/member.ts';
import type { GroupBatch } from '../group/member-message.ts';
import { tokensOwned } from '../operation.ts';
import type { Operation } from '../operation.ts';
import { partitionOp } from '../partition/command.ts';
import type { Partition } from '../partition/partition-set.ts';
import { entryKind } from '../session/command.ts';
import { driftBound } from '../time/clock.ts';
import type { Observed } from './observer.ts';
import type { Marks } from './marks.ts';

interface Ownership {
  readonly node: string;
  readonly session: number;
  readonly token: number;
  readonly isCovered: boolean;
  readonly ttlMs: number;
}

interface Holder {
  readonly process: Observed;
  readonly token: number;
}

/** What one founding knows of its partitions, as of the last slot that anybody applied. */
interface KnownPartitions {
  readonly lengths: Map<string, number>;
  readonly owners: Map<string, Ownership>;
  /** Who had it last, whoever has it now. */
  readonly lastNode: Map<string, string>;
  readonly uncovered: Map<number, { readonly atMs: number; readonly stamp: string }>;
}

export interface PartitionObserverOptions {
  /** When the step was taken that is looked at: what its turn wrote may have taken long, and is seen only afterwards. */
  readonly nowMs: () => number;
  readonly driftIsBounded: boolean;
  readonly marks: Marks;
  readonly fail: (promise: string, what: string) => never;
}

/**
 * 1. A partition is granted again only after its owner released it, after the owner's session ended, or after it was freed.
 * 2. It is freed no earlier than one TTL after the group uncovered it.
 * 3. No two processes have a valid lease on one partition at one moment of true time.
 */
export class PartitionObserver {
  /** By `set/partition`: the grant counter when it was last dropped by a resize; what was noted before is gone. */
  readonly droppedAt = new Map<string, number>();
  /** The same, where it may have been kept. */
  readonly perhapsDroppedAt = new Map<string, number>();
  private readonly known = new Map<string, KnownPartitions>();
  private readonly resourceOf = new Map<number, string>();
  private readonly holders = new Map<string, Map<Member, Holder>>();
  private readonly givenBack = new Set<number>();
  private readonly told = new WeakMap<Member, Set<number>>();

  constructor(private readonly options: PartitionObserverOptions) {}

  /** Whoever gives a partition back relies on its lease no more. */
  onRequest(member: Member, op: Operation): void {
    if (op[0] !== partitionOp.release && op[0] !== partitionOp.refuse) return;
    const token = op[4];
    this.givenBack.add(token);
    this.holders.get(this.resourceOf.get(token) ?? '')?.delete(member);
  }

  /** A member goes on with the session of another. */
  goesOn(before: Member, member: Member): void {
    for (const holders of this.holders.values()) {
      const holder = holders.get(before);
      if (holder && holders.delete(before)) holders.set(member, holder);
    }
    const told = this.told.get(before);
    if (told) this.told.set(member, told);
  }

  onStep(process: Observed, member: Member, { states, covered }: MemberOutput): void {
    if (states.length > 0) {
      const told = this.told.get(member) ?? new Set();
      this.told.set(member, told);
      for (const state of states) for (const token of tokensOwned(state)) told.add(token);
    }
    for (const tokens of covered) for (const token of tokens) this.onCovered(process, member, token);
  }

  beforeApplying(state: GroupState, value: GroupBatch): void {
    for (const entry of value[1]) {
      if (entry[0] !== entryKind.use || state.session(entry[1]) === undefined) continue;
      for (const op of entry[3]) if (state.lookup(entry[1], op[1]) === 'unknown') this.markOp(state, entry[1], op);
    }
  }

  /** Returns the tokens under which the slot granted partitions. */
  afterApplying(founding: string, state: GroupState, value: GroupBatch | null, { partitions, ended }: Applied): number[] {
    const tokens: number[] = [];
    if (partitions.size === 0) return tokens;
    const endings = endingsIn(value, new Set(ended.map(({ session }) => session)));
    const known = this.knownOf(founding);
    for (const [name, { partitions: changed }] of partitions) {
      const set = state.tables.partitions.set(name);
      this.noteDropped(known, name, set?.partitions.length ?? 0, state.token);
      for (const index of changed) {
        const resource = `${name}/${index}`;
        const now = set?.partitions[index];
        const before = known.owners.get(resource);
        if (before && before.token !== now?.token) this.onEnded(known, resource, before, endings);
        if (now && now.token !== 0 && now.token !== before?.token) tokens.push(this.onGranted(known, resource, now));
        if (before?.isCovered === true && now?.token === before.token && !now.isCovered) {
          known.uncovered.set(now.token, { atMs: this.options.nowMs(), stamp: state.stamp });
          this.options.marks.reach('partitionUncovered');
        }
        if (now === undefined || now.token === 0) known.owners.delete(resource);
        else known.owners.set(resource, ownershipOf(now, state));
      }
    }
    return tokens;
  }

  private noteDropped(known: KnownPartitions, name: string, length: number, token: number): void {
    for (let index = length; index < (known.lengths.get(name) ?? 0); index += 1) this.droppedAt.set(`${name}/${index}`, token);
    known.lengths.set(name, length);
  }

  private markOp(state: GroupState, session: number, op: Operation): void {
    const { marks } = this.options;
    const table = state.tables.partitions;
    const set = typeof op[2] === 'string' ? table.set(op[2]) : undefined;
    if (set === undefined) return;
    switch (op[0]) {
      case partitionOp.release: {
        const partition = set.partitions[op[3]];
        if (partition?.token === op[4] && !partition.isCovered) marks.reach('releaseCrossedUncover');
        return;
      }
      case partitionOp.refuse:
        if (set.partitions[op[3]]?.token === op[4]) marks.reach('partitionRefused');
        return;
      case partitionOp.join: {
        const node = state.session(session)?.node ?? '';
        const isAwaited = set.partitions.some(({ token, home }) => token === 0 && home === node);
        if (set.members.get(node)?.session === 0 && isAwaited) marks.reach('graceKeptPlace');
        return;
      }
      case partitionOp.resize:
        if (set.partitions.some(({ index, token }) => index >= op[3] && token !== 0)) marks.reach('resizedUnderOwners');
        // Another resize in the same slot may bring them back, empty.
        for (const { index } of set.partitions.slice(op[3])) this.perhapsDroppedAt.set(`${set.name}/${index}`, state.token);
        return;
      default:
        return;
    }
  }

  private onEnded(known: KnownPartitions, resource: string, before: Ownership, endings: Endings): void {
    const { token, session } = before;
    if (endings.sessions.has(session) || endings.given.get(token) === session) return;
    const stamp = endings.freed.get(token);
    if (stamp === undefined) this.options.fail('hand-off', `${resource} was taken from ${before.node} under ${token} by nothing`);
    const uncovered = known.uncovered.get(token);
    if (uncovered === undefined) this.options.fail('hand-off', `${resource} was freed under ${token}, which was covered`);
    const waitedMs = this.options.nowMs() - uncovered.atMs;
    if (this.options.driftIsBounded && waitedMs < before.ttlMs * (1 - driftBound)) {
      this.options.fail('hand-off', `${resource} was freed ${waitedMs.toFixed(1)} ms after it was uncovered, within ${before.ttlMs} ms`);
    }
    this.options.marks.reach('partitionFreed');
    if (stamp !== uncovered.stamp) this.options.marks.reach('freedByAnotherLeader');
  }

  private onGranted(known: KnownPartitions, resource: string, { node, token }: Partition): number {
    if (known.lastNode.get(resource) === node) this.options.marks.reach('regrantedToSameNode');
    known.lastNode.set(resource, node);
    this.resourceOf.set(token, resource);
    return token;
  }

  /** Each time, not only the first: an answer that prolongs what another has by now is as bad as a second grant. */
  private onCovered(process: Observed, member: Member, token: number): void {
    const resource = this.resourceOf.get(token);
    if (resource === undefined) this.options.fail('leases', `a keep-alive of ${process.node} covers ${token}, which was never granted`);
    if (this.told.get(member)?.has(token) !== true) this.options.marks.reach('coveredBeforeTold');
    if (this.givenBack.has(token) || !isCovered(process, member, token)) return;
    const holders = this.holders.get(resource) ?? new Map<Member, Holder>();
    this.holders.set(resource, holders);
    for (const [other, theirs] of holders) {
      if (other === member) continue;
      if (!theirs.process.isAlive || !isCovered(theirs.process, other, theirs.token)) {
        holders.delete(other);
        continue;
      }
      const both = `${process.node} (${token}) and ${theirs.process.node} (${theirs.token})`;
      if (this.options.driftIsBounded) this.options.fail('leases', `${both} have valid leases on ${resource}`);
      this.options.marks.reach('partitionOverlapBeyondDriftBound');
    }
    holders.set(member, { process, token });
  }

  private knownOf(founding: string): KnownPartitions {
    const known = this.known.get(founding) ?? { lengths: new Map(), owners: new Map(), lastNode: new Map(), uncovered: new Map() };
    this.known.set(founding, known);
    return known;
  }
}

interface Endings {
  readonly sessions: ReadonlySet<number>;
  /** Token → the session that gave it back. */
  readonly given: ReadonlyMap<number, number>;
  /** Token → the stamp under which it was freed. */
  readonly freed: ReadonlyMap<number, string>;
}

function endingsIn(value: GroupBatch | null, sessions: ReadonlySet<number>): Endings {
  const given = new Map<number, number>();
  const freed = new Map<number, string>();
  for (const entry of value?.[1] ?? []) {
    if (entry[0] === entryKind.free) freed.set(entry[4], entry[2]);
    if (entry[0] !== entryKind.use) continue;
    for (const op of entry[3]) if (op[0] === partitionOp.release || op[0] === partitionOp.refuse) given.set(op[4], entry[1]);
  }
  return { sessions, given, freed };
}

function ownershipOf({ node, session, token, isCovered: covered }: Partition, state: GroupState): Ownership {
  return { node, session, token, isCovered: covered, ttlMs: state.session(session)?.ttlMs ?? 0 };
}

/** Asked without consequence, by the clocks of the owner at this moment of true time. */
export function isCovered(process: Observed, member: Member, token: number): boolean {
  return member.inspect.holder.coverMs(token, process.now()) > 0;
}
