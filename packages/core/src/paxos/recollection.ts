/**
 * What a voter that came back with a memory asks before it acts on it: whether anybody saw its store further than it is now. The safety
 * rule 21; `docs/decisions/0020`.
 */
import type { Proposer } from './ballot.ts';
import { majorityOf } from './configuration.ts';
import type { Configuration, Seat } from './configuration.ts';
import type { Recall, Recalled } from './store-message.ts';

export interface RecollectionOptions {
  readonly self: Seat;
  /** Of this process start alone, even where its run was begun before. */
  readonly nonce: string;
  /** The position that the store had when this run began. */
  readonly found: number;
  readonly periodMs: number;
  /** How long the rest is given once a majority has answered. */
  readonly restMs: number;
}

/** A store that was seen further than it was found. */
export interface StoreLapse {
  readonly found: number;
  readonly seen: number;
  readonly by: string;
}

export type Verdict = { readonly type: 'asking' } | { readonly type: 'sound' } | ({ readonly type: 'wentBack' } & StoreLapse);

/**
 * 1. Only answers to its own nonce count, and only those of voters of the present configuration, whichever they were given in.
 * 2. One answer above what was found settles it: the store went back.
 * 3. It is sound once a majority, itself counted, has answered, and all the others too or `restMs` has passed since. Who knows nothing
 *    answers so, else a group that restarts as a whole would wait for ever.
 */
export class Recollection {
  private readonly answers = new Map<string, number>();
  private majoritySinceMs: number | null = null;
  private dueMs = -Infinity;

  constructor(private readonly options: RecollectionOptions) {}

  /** Whom to ask now: each voter that has not answered, once a period. */
  ask({ voters }: Configuration, nowMs: number): readonly { readonly node: string; readonly message: Recall }[] {
    if (nowMs < this.dueMs) return [];
    const { periodMs, nonce } = this.options;
    this.dueMs = nowMs + periodMs;
    const lacking = this.others(voters).filter(({ incarnation }) => !this.answers.has(incarnation));
    return lacking.map(({ node }) => ({ node, message: { type: 'recall', nonce } }));
  }

  onRecalled({ incarnation }: Proposer, { nonce, position }: Recalled): void {
    if (nonce !== this.options.nonce) return;
    this.answers.set(incarnation, Math.max(position, this.answers.get(incarnation) ?? 0));
  }

  verdict(configuration: Configuration, nowMs: number): Verdict {
    const { found, restMs } = this.options;
    const others = this.others(configuration.voters);
    for (const { node, incarnation } of others) {
      const seen = this.answers.get(incarnation) ?? 0;
      if (seen > found) return { type: 'wentBack', found, seen, by: node };
    }
    const answered = others.filter(({ incarnation }) => this.answers.has(incarnation)).length;
    if (answered + 1 < majorityOf(configuration)) {
      this.majoritySinceMs = null;
      return { type: 'asking' };
    }
    this.majoritySinceMs ??= nowMs;
    return { type: answered === others.length || nowMs - this.majoritySinceMs >= restMs ? 'sound' : 'asking' };
  }

  private others(voters: readonly Seat[]): readonly Seat[] {
    return voters.filter(({ incarnation }) => incarnation !== this.options.self.incarnation);
  }
}
