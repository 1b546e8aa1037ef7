/** A handler that takes long over one piece, without standing still: its process goes on meanwhile, and keeps its session alive. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Standing } from '../stop-point.ts';

export interface Occupied extends Standing {
  readonly partition: number;
}

interface Order {
  readonly longestMs: number;
  readonly onReached: (occupied: Occupied) => void;
}

export class Occupation {
  private ordered: Order | undefined;
  private going = new AbortController();

  /** Resolves once a piece is kept. */
  order(longestMs: number): Promise<Occupied> {
    this.going = new AbortController();
    return new Promise((onReached) => {
      this.ordered = { longestMs, onReached };
    });
  }

  letGo(): void {
    this.ordered = undefined;
    this.going.abort();
  }

  /** What every handler passes. */
  async pass(occupied: Occupied): Promise<void> {
    const order = this.ordered;
    if (!order) return;
    this.ordered = undefined;
    order.onReached(occupied);
    await sleep(order.longestMs, undefined, { signal: this.going.signal }).catch(() => undefined);
  }
}
