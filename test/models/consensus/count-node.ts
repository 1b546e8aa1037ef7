/** One process of a group that is founded by count, in whatever incarnation it lives, for the model of that founding. */
import type { Proposer } from '../../../packages/core/src/paxos/ballot.ts';
import { CountFounder } from '../../../packages/core/src/paxos/founding-by-count.ts';
import type { FounderInput, FounderMemory, FounderOutput } from '../../../packages/core/src/paxos/founding.ts';
import type { ArbiterRequest, FoundingEntry } from '../../../packages/core/src/paxos/founding-log.ts';
import type { FoundingRecord, Greeting } from '../../../packages/core/src/paxos/founding-message.ts';

export interface CountActed {
  readonly request: ArbiterRequest | null;
}

const periodMs = 1;
/** Later than any nonce, turn or patience lasts. */
const longMs = 1_000;

/**
 * The shipped founder, with time cut down to what it decides. A tick comes soon (its nonce stays, and it waits for others) or late (its
 * nonce is another, and its patience is over). Nonces are told apart from the present one only, so they need no number.
 */
export class CountNode {
  life = 1;
  incarnation: string;
  run = 1;
  /** Foundings that its store says it took a seat in, in this incarnation. */
  readonly accepted = new Set<string>();
  private founder: CountFounder;
  private memory: FounderMemory = { record: null, complete: false, tokenSecond: 0 };

  constructor(
    private readonly name: string,
    private readonly count: number,
  ) {
    this.incarnation = `${name}#1`;
    this.founder = this.begin();
  }

  /** The founding that it knows to be complete. */
  get founded(): string | null {
    return this.founder.founded?.configuration.founding ?? null;
  }

  get record(): FoundingRecord | null {
    return this.founder.acceptedRecord;
  }

  /** It will take part in whatever group the log names, or has found that the log cannot be trusted. */
  get isIdle(): boolean {
    return this.founder.isIdle;
  }

  get asksSomebody(): boolean {
    return this.nonce !== '';
  }

  get proposals(): number {
    return Number(Reflect.get(this.founder, 'proposals'));
  }

  get self(): Proposer {
    return { node: this.name, incarnation: this.incarnation, run: this.run };
  }

  /** What it answers whoever asks who is there, with their present nonce. */
  greetingTo(asker: CountNode): Greeting | null {
    const { standing, founded: record } = this.founder;
    if (this.founder.isIdle || standing === 'live') return null;
    const known = { voters: { count: this.count }, wallMs: 0, tokenSecond: 0, longestTtlMs: 1 };
    // Those who have not founded are all alike to who asks.
    return { type: 'greeting', nonce: asker.nonce, ...known, standing: standing === 'founded' ? standing : 'unfounded', record };
  }

  hear(from: Proposer, greeting: Greeting): CountActed {
    return this.take({ type: 'message', from, message: greeting, nowMs: 0, wallMs: 0 });
  }

  answered(entries: readonly FoundingEntry[] | null): CountActed {
    return this.take({ type: 'arbiter', answer: entries ? { type: 'log', entries } : { type: 'failed' }, nowMs: 0, wallMs: 0 });
  }

  tick(isLate: boolean): CountActed {
    // Whose patience is over goes on asking, for its nonce was another one.
    if (isLate) {
      Reflect.set(this.founder, 'progressAtMs', -Infinity);
      // Nobody leads in this world.
      this.founder.lookAgain();
    }
    return this.take({ type: 'tick', nowMs: isLate ? longMs : 0, wallMs: 0 });
  }

  wipe(): CountActed {
    this.life += 1;
    this.incarnation = `${this.name}#${this.life}`;
    this.run = 1;
    this.accepted.clear();
    this.memory = { record: null, complete: false, tokenSecond: 0 };
    this.founder = this.begin();
    return { request: null };
  }

  restart(): CountActed {
    this.run += 1;
    this.founder = this.begin();
    return { request: null };
  }

  private begin(): CountFounder {
    const { count, self, memory } = this;
    return new CountFounder({ self, count, isCandidate: true, periodMs, maxSessionTtlMs: 1, firstFounding: true, memory });
  }

  private take(input: FounderInput): CountActed {
    const { persist, arbitrate }: FounderOutput = this.founder.step(input);
    for (const record of persist) {
      if (record.type === 'discarded') return this.wipe();
      if (record.type !== 'founding') continue;
      this.accepted.add(record.record.configuration.founding);
      this.memory = { record: record.record, complete: record.complete, tokenSecond: 0 };
    }
    this.forgetTime();
    return { request: arbitrate };
  }

  private get nonce(): string {
    return String(Reflect.get(this.founder, 'nonce'));
  }

  private forgetTime(): void {
    const { founder } = this;
    const isImpatient = Number(Reflect.get(founder, 'progressAtMs')) < 0;
    const values = { nowMs: 0, dueMs: -Infinity, readDueMs: -Infinity, readAtMs: -Infinity, nonces: 0, nonceAtMs: 0, asked: 0 };
    for (const [field, value] of Object.entries(values)) Reflect.set(founder, field, value);
    Reflect.set(founder, 'progressAtMs', isImpatient ? -Infinity : 0);
    if (Number(Reflect.get(founder, 'enoughSinceMs')) < Infinity) Reflect.set(founder, 'enoughSinceMs', 0);
    if (this.nonce !== '') Reflect.set(founder, 'nonce', `${this.incarnation}.now`);
    const others = Reflect.get(founder, 'others') as object;
    (Reflect.get(others, 'seenAtMs') as Map<string, number>).clear();
    if (Reflect.get(founder, 'isSettled') === true) (Reflect.get(others, 'present') as Map<string, object>).clear();
  }
}
