/**
 * The clocks of partitions, which only the leader looks at: when changes of membership become one assignment, when a drain's
 * budget is over, and when a lease that no keep-alive covers any more has run out. The safety rule 18; `docs/protocol.md`, "Hand-off".
 */
import type { PartitionChanges } from './partition-changes.ts';
import type { Partition, PartitionSet } from './partition-set.ts';

/** What the steward reads of the replicated state. */
export interface PartitionView {
  sets(): Iterable<PartitionSet>;
  set(name: string): PartitionSet | undefined;
  /** Of the session, while it lives. */
  ttlMsOf(session: number): number;
}

export type PartitionDecision =
  | { readonly type: 'rebalance'; readonly set: string; readonly gone: readonly string[] }
  | { readonly type: 'uncover' | 'free'; readonly set: string; readonly partition: number; readonly token: number };

/** Names that one decision carries: it must fit into a frame. The others follow with the next. */
const goneMax = 64;

interface Ending {
  readonly set: string;
  readonly partition: number;
  readonly token: number;
  readonly next: 'uncover' | 'free';
  readonly dueMs: number;
}

/**
 * 1. From the moment it decides `uncover` its leader's keep-alives do not cover the partition; `free` follows a full TTL after
 *    that decision was applied, or after this leader began.
 * 2. Budgets, settling and grace are counted from when this leader applied what begins them, or from when it began.
 * 3. A set that is unsettled is assigned anew after its settling time, however many changes there were meanwhile.
 */
export class PartitionSteward {
  private readonly settleDueMs = new Map<string, number>();
  private readonly graceDueMs = new Map<string, Map<string, number>>();
  private readonly endings = new Map<string, Ending>();
  /** Decided, and perhaps not applied yet. */
  private readonly uncovering = new Set<number>();
  private readonly uncoveringAt = new Map<string, number>();

  constructor(
    private readonly view: PartitionView,
    nowMs: number,
  ) {
    for (const set of view.sets()) {
      this.lookAtMembers(set, nowMs);
      for (const partition of set.partitions) this.lookAt(set, partition, nowMs);
    }
  }

  /** After each application. */
  onApplied(changes: PartitionChanges, nowMs: number): void {
    for (const [name, { membersChanged, partitions }] of changes) {
      const set = this.view.set(name);
      if (set === undefined) {
        this.forgetSet(name);
        continue;
      }
      if (membersChanged) this.lookAtMembers(set, nowMs);
      for (const index of partitions) {
        const partition = set.partitions[index];
        if (partition === undefined) this.forget(keyOf(name, index));
        else this.lookAt(set, partition, nowMs);
      }
    }
  }

  /** One that is made again under its name begins with nothing to wait for. */
  private forgetSet(name: string): void {
    this.settleDueMs.delete(name);
    this.graceDueMs.delete(name);
    for (const [key, { set }] of this.endings) if (set === name) this.forget(key);
  }

  /** `authorityMs` is the time up to which this leader knows that it led: no lease is over before its end lies under it. */
  due(nowMs: number, authorityMs: number): PartitionDecision[] {
    const decisions: PartitionDecision[] = [];
    for (const [name, dueMs] of this.settleDueMs) {
      if (nowMs < dueMs) continue;
      this.settleDueMs.delete(name);
      decisions.push({ type: 'rebalance', set: name, gone: this.takeGone(name, nowMs) });
    }
    for (const [name, nodes] of this.graceDueMs) {
      for (const dueMs of nodes.values()) {
        if (nowMs < dueMs) continue;
        decisions.push({ type: 'rebalance', set: name, gone: this.takeGone(name, nowMs) });
        break;
      }
    }
    for (const [key, { set, partition, token, next, dueMs }] of this.endings) {
      if ((next === 'free' ? Math.min(nowMs, authorityMs) : nowMs) < dueMs) continue;
      this.endings.delete(key);
      if (next === 'uncover') this.beginUncovering(key, token);
      decisions.push({ type: next, set, partition, token });
    }
    return decisions;
  }

  /** False from the moment it was decided that the token's partition is covered no more. */
  covers(token: number): boolean {
    return !this.uncovering.has(token);
  }

  private lookAtMembers(set: PartitionSet, nowMs: number): void {
    const { name, settleMs, graceMs } = set;
    if (!set.isUnsettled) this.settleDueMs.delete(name);
    else if (!this.settleDueMs.has(name)) this.settleDueMs.set(name, nowMs + settleMs);
    const before = this.graceDueMs.get(name);
    const absent = new Map<string, number>();
    for (const { node, session } of set.members.values()) {
      if (session === 0) absent.set(node, before?.get(node) ?? nowMs + graceMs);
    }
    if (absent.size > 0) this.graceDueMs.set(name, absent);
    else this.graceDueMs.delete(name);
  }

  private lookAt(set: PartitionSet, partition: Partition, nowMs: number): void {
    const { index, token, isRevoked, isCovered, node, session } = partition;
    const key = keyOf(set.name, index);
    const next = isCovered ? 'uncover' : 'free';
    const known = this.endings.get(key);
    this.endUncovering(key, isCovered ? token : 0);
    if (token === 0 || !isRevoked) {
      this.endings.delete(key);
      return;
    }
    if (known?.token === token && known.next === next) return;
    if (isCovered && this.uncovering.has(token)) return;
    const afterMs = isCovered ? (set.members.get(node)?.drainTimeoutMs ?? 0) : this.view.ttlMsOf(session);
    this.endings.set(key, { set: set.name, partition: index, token, next, dueMs: nowMs + afterMs });
  }

  private beginUncovering(key: string, token: number): void {
    this.uncovering.add(token);
    this.uncoveringAt.set(key, token);
  }

  private forget(key: string): void {
    this.endings.delete(key);
    this.endUncovering(key, 0);
  }

  /** What was decided of another token than `standing` is applied, or came to nothing. */
  private endUncovering(key: string, standing: number): void {
    const token = this.uncoveringAt.get(key);
    if (token === undefined || token === standing) return;
    this.uncovering.delete(token);
    this.uncoveringAt.delete(key);
  }

  private takeGone(name: string, nowMs: number): string[] {
    const nodes = this.graceDueMs.get(name);
    const gone: string[] = [];
    for (const [node, dueMs] of nodes ?? []) {
      if (nowMs < dueMs || gone.length === goneMax) continue;
      gone.push(node);
      nodes?.set(node, Infinity);
    }
    return gone;
  }
}

function keyOf(set: string, partition: number): string {
  return `${partition}/${set}`;
}
