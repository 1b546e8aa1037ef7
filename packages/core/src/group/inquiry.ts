/** How a node that founds nothing learns which group there is: it asks with a fresh nonce, and believes only answers to it. */
import type { Proposer } from '../paxos/ballot.ts';
import { provesFounding } from '../paxos/founding-message.ts';
import type { FoundingRecord, Greeting, Hello } from '../paxos/founding-message.ts';
import type { Voters } from '../paxos/voters.ts';

/** How many periods one nonce serves before a fresh one replaces it. */
const periodsPerNonce = 4;

/**
 * 1. A group is believed in only when a leader with a majority, or a seat that knows completion, answered the present nonce.
 * 2. Once a group is known, only a leader with a majority can name another.
 */
export class Inquiry {
  private nonces = 0;
  private asked = 0;
  private dueMs = -Infinity;
  private readonly answered = new Map<string, Greeting>();

  constructor(
    private readonly self: Proposer,
    private readonly voters: Voters,
    private readonly periodMs: number,
  ) {}

  get nextDeadlineMs(): number {
    return this.dueMs;
  }

  /** Nodes that answered any nonce, and what they said last. */
  get heard(): ReadonlyMap<string, Greeting> {
    return this.answered;
  }

  /** The next question, if it is due. */
  ask(nowMs: number, wallMs: number): Hello | null {
    if (nowMs < this.dueMs) return null;
    this.dueMs = nowMs + this.periodMs;
    if (this.asked % periodsPerNonce === 0) this.nonces += 1;
    this.asked += 1;
    return { type: 'hello', nonce: this.nonce, voters: this.voters, wallMs };
  }

  isAnswer(greeting: Greeting): boolean {
    return greeting.nonce === this.nonce;
  }

  /** The group that an answer proves, or null. */
  onGreeting(from: Proposer, greeting: Greeting, known: FoundingRecord | null): FoundingRecord | null {
    if (!this.isAnswer(greeting)) return null;
    this.answered.set(from.node, greeting);
    if (!greeting.record) return null;
    if (greeting.standing === 'led') return greeting.record;
    return provesFounding(greeting.standing) && !known ? greeting.record : null;
  }

  private get nonce(): string {
    return `${this.self.incarnation}.${this.self.run}.q${this.nonces}`;
  }
}
