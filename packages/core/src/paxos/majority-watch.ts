/**
 * Whether the group of a survivor has lost its majority for good: it asks every seat with a fresh nonce, and believes only names that
 * came back as strangers. The safety rule 15; `docs/protocol.md`, "Refounding on request".
 */
import type { Proposer } from './ballot.ts';
import { isVoter, majorityOf } from './configuration.ts';
import type { Configuration, Seat } from './configuration.ts';
import { provesFounding } from './founding-message.ts';
import type { Greeting } from './founding-message.ts';

export interface MajorityWatchOptions {
  readonly self: Proposer;
  /** How often it asks. */
  readonly periodMs: number;
  /** Whoever hears a leader lately asks nobody. */
  readonly leaderlessMs: number;
}

/** A seat whose name answered, but not in the life that has the seat. */
export interface LostSeat extends Seat {
  /** The incarnation under which the name came back. */
  readonly now: string;
}

export interface MajorityLoss {
  /** The last one that the survivor knows of. */
  readonly configuration: Configuration;
  readonly lost: readonly LostSeat[];
}

export type MajorityWatchInput =
  | { readonly type: 'tick'; readonly hasLeader: boolean; readonly nowMs: number }
  | { readonly type: 'greeting'; readonly from: Proposer; readonly greeting: Greeting }
  /** The configuration that this seat came to. */
  | { readonly type: 'configuration'; readonly configuration: Configuration };

export interface MajorityWatchOutput {
  /** To be asked now: whoever has a seat in the last known configuration. */
  readonly ask: { readonly nonce: string; readonly nodes: readonly string[] } | null;
  /** The verdict changed. */
  readonly verdict: 'lost' | 'taken back' | null;
}

/** So many periods a nonce serves, so that slow answers still count; then it is judged by what came, and renewed. */
const periodsPerNonce = 4;
const nothing: MajorityWatchOutput = { ask: null, verdict: null };

/**
 * 1. A seat is gone only if its name answered the present nonce under another incarnation, and not under that of the seat. Silence is no
 *    evidence, nor is an answer to an earlier nonce.
 * 2. What counts is the last known configuration, with everybody who has a seat in it; a later one is learned from the answers first.
 * 3. Who has no seat in it concludes nothing; who has one counts itself as living.
 * 4. The verdict is taken back by a seat that answers after all, by a leader, and by a later configuration.
 */
export class MajorityWatch {
  private nonce = '';
  private nonces = 0;
  private asked = 0;
  private ledAtMs: number | null = null;
  private dueMs = -Infinity;
  /** By name: the incarnations under which it answered the present nonce. */
  private readonly answers = new Map<string, Set<string>>();
  private found: MajorityLoss | null = null;

  constructor(
    private readonly options: MajorityWatchOptions,
    private known: Configuration,
  ) {}

  step(input: MajorityWatchInput): MajorityWatchOutput {
    const had = this.found !== null;
    const ask = this.take(input);
    const has = this.found !== null;
    if (ask === null && had === has) return nothing;
    return { ask, verdict: had === has ? null : has ? 'lost' : 'taken back' };
  }

  /** The verdict, while it holds. */
  get loss(): MajorityLoss | null {
    return this.found;
  }

  get configuration(): Configuration {
    return this.known;
  }

  private take(input: MajorityWatchInput): MajorityWatchOutput['ask'] {
    if (input.type === 'tick') return this.onTick(input);
    if (input.type === 'greeting') this.onGreeting(input.from, input.greeting);
    else this.learn(input.configuration);
    return null;
  }

  private onTick({ hasLeader, nowMs }: Extract<MajorityWatchInput, { type: 'tick' }>): MajorityWatchOutput['ask'] {
    this.ledAtMs = hasLeader ? nowMs : (this.ledAtMs ?? nowMs);
    if (hasLeader) this.forget();
    const { leaderlessMs, periodMs, self } = this.options;
    if (nowMs - this.ledAtMs < leaderlessMs || nowMs < this.dueMs) return null;
    this.dueMs = nowMs + periodMs;
    if (this.asked % periodsPerNonce === 0) this.nextRound();
    this.asked += 1;
    return { nonce: this.nonce, nodes: this.known.voters.map(({ node }) => node).filter((node) => node !== self.node) };
  }

  private nextRound(): void {
    const { self } = this.options;
    if (this.nonce !== '') this.judge();
    this.nonces += 1;
    this.nonce = `${self.incarnation}.${self.run}.m${this.nonces}`;
    this.answers.clear();
  }

  private judge(): void {
    const { known, options } = this;
    if (!isVoter(known, options.self)) return;
    const lost = known.voters.flatMap((seat): readonly LostSeat[] => {
      const now = seat.node === options.self.node ? undefined : this.strangerOf(seat);
      return now === undefined ? [] : [{ ...seat, now }];
    });
    // What was proven once is not undone by silence.
    if (known.voters.length - lost.length < majorityOf(known)) this.found = { configuration: known, lost };
  }

  private strangerOf({ node, incarnation }: Seat): string | undefined {
    const answers = this.answers.get(node);
    return answers === undefined || answers.has(incarnation) ? undefined : [...answers].at(-1);
  }

  private onGreeting(from: Proposer, { nonce, standing, record }: Greeting): void {
    if (this.nonce === '' || nonce !== this.nonce) return;
    const answers = this.answers.get(from.node) ?? new Set();
    this.answers.set(from.node, answers.add(from.incarnation));
    if (this.found && isVoter(this.found.configuration, from)) this.found = null;
    if (record && provesFounding(standing)) this.learn(record.configuration);
  }

  /** What was heard of the seats of an earlier configuration says too little of this one. */
  private learn(configuration: Configuration): void {
    if (configuration.founding !== this.known.founding || configuration.id <= this.known.id) return;
    this.known = configuration;
    this.forget();
  }

  private forget(): void {
    this.nonce = '';
    this.asked = 0;
    this.answers.clear();
    this.found = null;
  }
}
