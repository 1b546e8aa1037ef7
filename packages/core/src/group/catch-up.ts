/** Asking others for what one lacks of the log: one question at a time, and the next as soon as an answer brought something. */
import type { Fetch, Slot } from '../paxos/message.ts';
import type { MemberSend } from './member-message.ts';

/**
 * 1. Only applied slots are asked for and told, so that it does not matter in which configuration either side is.
 * 2. An unanswered question is repeated after a period: what makes us ask may come many times over.
 */
export class CatchUp {
  private dueMs = -Infinity;

  constructor(private readonly retryMs: number) {}

  /** The question for everything from `from` on, if it is due. */
  ask(node: string, from: Slot, nowMs: number, to: Slot = Number.MAX_SAFE_INTEGER): MemberSend[] {
    if (nowMs < this.dueMs) return [];
    this.dueMs = nowMs + this.retryMs;
    const message: Fetch = { type: 'fetch', from, to };
    return [{ to: { type: 'node', node }, message }];
  }

  /** Something came: there may be more. */
  answered(): void {
    this.dueMs = -Infinity;
  }
}
