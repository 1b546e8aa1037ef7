/**
 * Places the partitions that some members may not get: each by the cheapest chain of exchanges that makes room for it. Successive shortest
 * paths of a minimum-cost flow (Ahuja, Magnanti and Orlin, "Network Flows", §9.7), from members to members over the partitions they hold.
 */
import { levelOf } from './quota.ts';
import type { Share } from './quota.ts';

export interface Exchange {
  readonly shares: readonly Share[];
  /** Partitions of each member, all told. Changed here. */
  readonly loads: Int32Array;
  /** The member that each partition goes to, or −1. Changed here. */
  readonly next: Int32Array;
  /** The member that had each partition and could keep it, or −1. */
  readonly before: Int32Array;
  /** Partitions that must stay where they were put. */
  readonly fixed: ReadonlyMap<number, unknown>;
  /** The members that may not have a partition. */
  readonly refused: ReadonlyMap<number, ReadonlySet<number>>;
}

/** The same without exchanges, for when there are too many: each goes to its owner, or to whoever has the least for his share. */
export function placeByLoad({ shares, loads, next, before, refused }: Exchange, partitions: readonly number[]): void {
  for (const partition of partitions) {
    const barred = refused.get(partition);
    let taker = -1;
    let least = Infinity;
    for (const [member, share] of shares.entries()) {
      if (barred?.has(member) === true) continue;
      const level = levelOf(share, (loads[member] ?? 0) + 1);
      if (level < least || (level === least && before[partition] === member)) {
        taker = member;
        least = level;
      }
    }
    loads[taker] = (loads[taker] ?? 0) + 1;
    next[partition] = taker;
  }
}

/** `next` must be the cheapest assignment of what it holds; it then is with these partitions too. Each must have a member that may hold it. */
export function placeByExchange(exchange: Exchange, partitions: readonly number[]): void {
  const { shares, loads, next, before, refused } = exchange;
  const members = shares.length;
  const graph = new MoveGraph(exchange);
  const moves = new Float64Array(members);
  const from = new Int32Array(members);

  for (const partition of partitions) {
    for (let member = 0; member < members; member++) {
      const isHome = before[partition] === member;
      moves[member] = refused.get(partition)?.has(member) === true ? Infinity : isHome ? 0 : 1;
      from[member] = -1;
    }
    graph.relax(moves, from);

    let end = -1;
    let endLevel = Infinity;
    for (const [member, share] of shares.entries()) {
      if (moves[member] === Infinity) continue;
      const level = levelOf(share, (loads[member] ?? 0) + 1);
      if (level > endLevel || (level === endLevel && (moves[member] ?? 0) >= (moves[end] ?? 0))) continue;
      end = member;
      endLevel = level;
    }

    loads[end] = (loads[end] ?? 0) + 1;
    // Backwards along the chain: each member on it passes one partition on and takes the one that is passed to it.
    let taker = end;
    for (let giver = from[taker] ?? -1; giver !== -1; giver = from[taker] ?? -1) {
      const passed = graph.partitionFor(giver, taker);
      next[passed] = taker;
      taker = giver;
    }
    next[partition] = taker;
    for (let member = end; member !== -1; member = from[member] ?? -1) graph.refresh(member);
  }
}

const none = -1;

/** For each pair of members the partition that passes from one to the other at the least cost: −1 if it goes home, 1 if it leaves home, else 0. */
class MoveGraph {
  private readonly members: number;
  private readonly best: Int32Array;
  private readonly costs: Int8Array;

  constructor(private readonly exchange: Exchange) {
    this.members = exchange.shares.length;
    this.best = new Int32Array(this.members * this.members);
    this.costs = new Int8Array(this.best.length);
    for (let member = 0; member < this.members; member++) this.refresh(member);
  }

  partitionFor(giver: number, taker: number): number {
    return this.best[giver * this.members + taker] ?? none;
  }

  /** To be called when what a member holds has changed. */
  refresh(giver: number): void {
    const { next, before, fixed, refused } = this.exchange;
    const { members } = this;
    this.best.fill(none, giver * members, (giver + 1) * members);
    for (let partition = 0; partition < next.length; partition++) {
      if (next[partition] !== giver || fixed.has(partition)) continue;
      const barred = refused.get(partition);
      const home = before[partition] ?? none;
      for (let taker = 0; taker < members; taker++) {
        if (taker === giver || barred?.has(taker) === true) continue;
        const edge = giver * members + taker;
        const cost = home === giver ? 1 : home === taker ? -1 : 0;
        if (this.best[edge] !== none && (this.costs[edge] ?? 0) <= cost) continue;
        this.best[edge] = partition;
        this.costs[edge] = cost;
      }
    }
  }

  /** Bellman and Ford: the fewest moves by which room for one more comes to each member, and through whom. */
  relax(moves: Float64Array, from: Int32Array): void {
    const { members, best, costs } = this;
    // A chain of the fewest moves passes through each member at most once.
    for (let round = 0, changed = true; changed && round < members; round++) {
      changed = false;
      for (let giver = 0; giver < members; giver++) {
        const base = moves[giver] ?? Infinity;
        if (base === Infinity) continue;
        for (let taker = 0; taker < members; taker++) {
          const edge = giver * members + taker;
          if (best[edge] === none || base + (costs[edge] ?? 0) >= (moves[taker] ?? 0)) continue;
          moves[taker] = base + (costs[edge] ?? 0);
          from[taker] = giver;
          changed = true;
        }
      }
    }
  }
}
