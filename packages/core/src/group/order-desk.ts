/** Orders about who votes and who leads, on the side of whoever gives them: told to the leader there is, again and again, until it says the last word. */
import type { Ballot } from '../paxos/ballot.ts';
import { orderAnswers } from '../paxos/voter-order.ts';
import type { OrderAnswer, OrderAnswered, OrderGiven, VoterOrder } from '../paxos/voter-order.ts';

export interface OrderEvent {
  readonly type: 'voterOrder';
  readonly id: number;
  readonly order: VoterOrder;
  /** How it stands with it; `noLeader` where there is nobody to ask. */
  readonly standing: OrderAnswer | 'noLeader';
}

interface Pending {
  readonly order: VoterOrder;
  dueMs: number;
  standing: OrderEvent['standing'] | '';
}

/**
 * 1. An order says what is to be, so that it means the same however often it is given.
 * 2. Every change of how it stands with it is told once. After a final answer nothing is asked any more.
 */
export class OrderDesk {
  private readonly pending = new Map<number, Pending>();

  constructor(private readonly periodMs: number) {}

  get nextDeadlineMs(): number {
    let dueMs = Infinity;
    for (const pending of this.pending.values()) dueMs = Math.min(dueMs, pending.dueMs);
    return dueMs;
  }

  give(id: number, order: VoterOrder | null): void {
    if (order) this.pending.set(id, { order, dueMs: -Infinity, standing: '' });
    else this.pending.delete(id);
  }

  /** What is to be asked of the leader now. */
  due(leader: Ballot | null, nowMs: number): { readonly asks: readonly OrderGiven[]; readonly events: readonly OrderEvent[] } {
    const asks: OrderGiven[] = [];
    const events: OrderEvent[] = [];
    for (const [id, pending] of this.pending) {
      if (nowMs < pending.dueMs) continue;
      pending.dueMs = nowMs + this.periodMs;
      if (leader) asks.push({ type: 'orderGiven', ballot: leader, id, order: pending.order });
      else events.push(...this.onStanding(id, pending, 'noLeader'));
    }
    return { asks, events };
  }

  onAnswered({ id, answer }: Pick<OrderAnswered, 'id' | 'answer'>): readonly OrderEvent[] {
    const pending = this.pending.get(id);
    if (!pending) return [];
    if (orderAnswers[answer] === 'final') this.pending.delete(id);
    return this.onStanding(id, pending, answer);
  }

  private onStanding(id: number, pending: Pending, standing: OrderEvent['standing']): readonly OrderEvent[] {
    if (pending.standing === standing) return [];
    pending.standing = standing;
    return [{ type: 'voterOrder', id, order: pending.order, standing }];
  }
}
