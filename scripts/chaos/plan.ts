/**
 * What will be done to each episode, drawn from a seed: the same seed gives the same plan. Whom a nemesis meets is said by role,
 * because who leads is known only when it strikes.
 */
import { seededRandom } from '../../packages/core/src/time/random.ts';
import type { Random } from '../../packages/core/src/time/random.ts';
import type { ChaosTiming } from './timing.ts';

export type Role = 'leader' | 'follower' | 'client';

export interface Target {
  readonly role: Role;
  /** Which of those who have the role. */
  readonly index: number;
}

/** `atMs` counts from the start of the episode's work, `forMs` from then on. */
interface Timed {
  readonly atMs: number;
  readonly forMs: number;
}

export type Nemesis = Timed &
  (
    | { readonly type: 'kill'; readonly target: Target }
    /** Killed while it holds a lock. */
    | { readonly type: 'killHolder'; readonly target: Target }
    | { readonly type: 'pause'; readonly target: Target }
    /** Stopped between its check of the lease and its write. */
    | { readonly type: 'pauseHolder'; readonly target: Target }
    | { readonly type: 'block'; readonly target: Target }
    /** Its event loop blocked between its check of the lease and its write. */
    | { readonly type: 'blockHolder'; readonly target: Target }
    | { readonly type: 'cut'; readonly target: Target }
    | { readonly type: 'cutToBroker'; readonly target: Target }
    | { readonly type: 'cutToProcess'; readonly target: Target }
    /** What it is told comes late, while it is heard no more: an answer then says less than it seems to. */
    | { readonly type: 'lateAnswers'; readonly target: Target }
    | { readonly type: 'slow'; readonly target: Target; readonly delayMs: number; readonly bytesPerSecond: number }
    | { readonly type: 'drop'; readonly target: Target }
    | { readonly type: 'refuse'; readonly target: Target }
    | { readonly type: 'killBroker'; readonly member: number }
    | { readonly type: 'killBrokers' }
  );

export type NemesisType = Nemesis['type'];

export interface EpisodePlan {
  readonly number: number;
  /** In the order in which they strike. */
  readonly nemeses: readonly Nemesis[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly episodes: number;
  readonly seconds: number;
  readonly cluster: 1 | 3;
  readonly timing: ChaosTiming;
}

/** The first strikes after this: contention should be there to be hurt. */
const quietMs = 500;
const othersMin = 2;
const othersMax = 5;

export function planOf(options: PlanOptions): EpisodePlan[] {
  return Array.from({ length: options.episodes }, (_, index) => planEpisode(index + 1, options));
}

/** An episode is planned from its number and the seed alone, so a longer run begins as a shorter one does. */
function planEpisode(number: number, options: PlanOptions): EpisodePlan {
  const random = seededRandom((Math.imul(options.seed, 1_000_003) + number) >>> 0);
  const draw = new Draw(random, options);
  const nemeses = [draw.staleWriter()];
  const others = othersMin + random.below(othersMax - othersMin + 1);
  while (nemeses.length < 1 + others) {
    const next = draw.nemesis();
    // A voter that lost its memory never votes again: a second one would leave the group without a majority for good.
    if (killsVoter(next) && nemeses.some(killsVoter)) continue;
    nemeses.push(next);
  }
  return { number, nemeses: nemeses.sort((a, b) => a.atMs - b.atMs) };
}

export function killsVoter(nemesis: Nemesis): boolean {
  return (nemesis.type === 'kill' || nemesis.type === 'killHolder') && nemesis.target.role !== 'client';
}

class Draw {
  private readonly endMs: number;

  constructor(
    private readonly random: Random,
    private readonly options: PlanOptions,
  ) {
    this.endMs = options.seconds * 1_000;
  }

  /** Every episode has one: without it a run could not tell that its store refuses anything. */
  staleWriter(): Nemesis {
    const type = this.random.below(2) === 0 ? 'pauseHolder' : 'blockHolder';
    const atMs = quietMs + this.random.below(1_000);
    return { type, target: this.target(['leader', 'follower', 'client', 'client']), atMs, forMs: this.options.timing.stallMs };
  }

  nemesis(): Nemesis {
    const { sessionTtlMs, stallMs } = this.options.timing;
    const target = this.target(['leader', 'leader', 'follower', 'client']);
    switch (this.random.below(17)) {
      case 0:
      case 1:
        return { type: 'kill', target, ...this.within(200, 3_000) };
      case 2:
        return { type: 'killHolder', target, ...this.within(200, 3_000) };
      case 3:
      case 4:
        return { type: 'killHolder', target: this.target(['client']), ...this.within(200, 3_000) };
      case 5:
        return { type: 'pause', target, ...this.within(100, stallMs) };
      case 6:
        return { type: 'block', target, ...this.within(100, stallMs) };
      case 7:
        return { type: 'cut', target, ...this.within(300, 1.5 * sessionTtlMs) };
      case 8:
        return { type: 'cutToBroker', target, ...this.within(300, 1.5 * sessionTtlMs) };
      case 9:
        return { type: 'cutToProcess', target, ...this.within(300, 1.5 * sessionTtlMs) };
      case 10: {
        const delayMs = 5 + this.random.below(200);
        return { type: 'slow', target, delayMs, bytesPerSecond: 20_000 + this.random.below(200_000), ...this.within(500, sessionTtlMs) };
      }
      case 11:
        return { type: 'drop', target, ...this.within(0, 1) };
      case 12:
        return { type: 'refuse', target, ...this.within(200, sessionTtlMs) };
      case 13:
        return { type: 'lateAnswers', target, ...this.within(1.8 * sessionTtlMs, 2.2 * sessionTtlMs) };
      case 14:
      case 15:
        return { type: 'killBroker', member: this.random.below(this.options.cluster), ...this.within(200, 2_000) };
      default:
        return { type: 'killBrokers', ...this.within(200, 1_500) };
    }
  }

  private target(roles: readonly Role[]): Target {
    return { role: roles[this.random.below(roles.length)] ?? 'client', index: this.random.below(2) };
  }

  /** It ends with the episode at the latest. */
  private within(shortestMs: number, longestMs: number): Timed {
    const atMs = quietMs + this.random.below(Math.max(1, this.endMs - quietMs - 500));
    const forMs = shortestMs + this.random.below(Math.ceil(longestMs - shortestMs) + 1);
    return { atMs, forMs: Math.min(forMs, this.endMs - atMs) };
  }
}
