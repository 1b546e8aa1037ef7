/**
 * The consuming side of fencing: whoever has seen a newer token for a resource refuses the older ones. The check that a lock service
 * asks of the resources behind it: the sequencers of Chubby (Burrows, OSDI 2006, §2.4), fencing tokens (Kleppmann 2016).
 *
 * 1. At most `resourcesMax` resources are remembered, each with the newest token seen for it.
 * 2. Where one has to go, it is the one whose newest token is smallest, and that token becomes the floor. The floor never falls.
 * 3. Whatever was seen for a resource that is not remembered is not above the floor.
 * 4. Therefore an unknown resource passes with a token at the floor or above it, and never below it.
 *
 * By rule 4 a message below the floor is dropped though nothing newer may ever have been seen for its resource: that cannot be known any
 * more, and to pass it could let an older token in after a newer one. Tokens rise over the whole group, so it happens only to
 * grants older than the newest token of each of `resourcesMax` other resources; a limit above the number of things that are
 * owned at a time makes it not happen at all. It has a verdict and a count of its own, so that it is seen where it does.
 */
import { QuorateError } from '../errors.ts';
import { TokenHeap } from './token-heap.ts';
import type { Newest } from './token-heap.ts';
import { isResource, isToken } from './token-stamp.ts';
import type { TokenStamp } from './token-stamp.ts';

/**
 * - `fresh`: nothing newer was seen for the resource.
 * - `stale`: something newer was.
 * - `belowFloor`: the resource is not remembered, and the token is older than one that was forgotten.
 * - `unfenced`: resource or token is missing or is none, so that nothing can be said.
 */
export type FenceVerdict = 'fresh' | 'stale' | 'belowFloor' | 'unfenced';

export interface TokenFenceOptions {
  /** How many resources are remembered. Default 65,536, some 10 MB. */
  readonly resourcesMax?: number;
  /** What becomes of messages without a usable resource and token: producers that do not stamp yet. Default `drop`. */
  readonly onUnfenced?: 'drop' | 'pass';
  /** What an earlier fence remembered (`snapshot`), so that a restart lets nothing in that was refused before. */
  readonly seed?: FenceSeed;
}

/** All that a fence remembers, as plain data. */
export interface FenceSeed {
  /** Unknown resources pass from this token on. 0 for none. */
  readonly floor: number;
  readonly newest: readonly (readonly [resource: string, token: number])[];
}

/** How often each verdict was given. */
export type FenceCounts = Readonly<Record<FenceVerdict, number>>;

export const tokenFenceDefaults = { resourcesMax: 65_536, onUnfenced: 'drop' } as const;

export class TokenFence {
  readonly #resourcesMax: number;
  readonly #passesUnfenced: boolean;
  readonly #newest = new Map<string, Newest>();
  readonly #heap = new TokenHeap();
  readonly #counts: Record<FenceVerdict, number> = { fresh: 0, stale: 0, belowFloor: 0, unfenced: 0 };
  #floor = 0;

  /** @throws QuorateError `INVALID_OPTIONS` */
  constructor(options: TokenFenceOptions = {}) {
    const { resourcesMax, onUnfenced } = { ...tokenFenceDefaults, ...withoutUndefined(options) };
    if (!Number.isSafeInteger(resourcesMax) || resourcesMax < 1)
      throw new QuorateError('INVALID_OPTIONS', `\`resourcesMax\` is ${String(resourcesMax)}, not a whole number of at least 1.`);
    if (onUnfenced !== 'drop' && onUnfenced !== 'pass')
      throw new QuorateError('INVALID_OPTIONS', `\`onUnfenced\` is ${JSON.stringify(onUnfenced)}, not 'drop' or 'pass'.`);
    this.#resourcesMax = resourcesMax;
    this.#passesUnfenced = onUnfenced === 'pass';
    if (options.seed !== undefined) this.#take(options.seed);
  }

  /** Judges one message and remembers its token. Anything may be passed in: it came from a broker. */
  judge(resource: unknown, token: unknown): FenceVerdict {
    const verdict = this.#judge(resource, token);
    this.#counts[verdict] += 1;
    return verdict;
  }

  /** Whether a message with this verdict goes on. */
  passes(verdict: FenceVerdict): boolean {
    return verdict === 'fresh' || (verdict === 'unfenced' && this.#passesUnfenced);
  }

  get counts(): FenceCounts {
    return { ...this.#counts };
  }

  /** How many messages did not pass. */
  get dropped(): number {
    const { stale, belowFloor, unfenced } = this.#counts;
    return stale + belowFloor + (this.#passesUnfenced ? 0 : unfenced);
  }

  /** Unknown resources pass from this token on. */
  get floor(): number {
    return this.#floor;
  }

  /** The newest token seen for the resource, where it is remembered. */
  newestOf(resource: string): number | undefined {
    return this.#newest.get(resource)?.token;
  }

  /** For `seed` of the next fence; to be kept with the position in the stream up to which it was judged. */
  snapshot(): FenceSeed {
    return { floor: this.#floor, newest: [...this.#newest.values()].map(({ resource, token }) => [resource, token] as const) };
  }

  #judge(resource: unknown, token: unknown): FenceVerdict {
    if (!isResource(resource) || !isToken(token)) return 'unfenced';
    const known = this.#newest.get(resource);
    if (known === undefined && token < this.#floor) return 'belowFloor';
    if (known !== undefined && token < known.token) return 'stale';
    this.#remember(resource, token, known);
    return 'fresh';
  }

  #remember(resource: string, token: number, known: Newest | undefined): void {
    if (known !== undefined) {
      if (token > known.token) this.#heap.raise(known, token);
      return;
    }
    this.#newest.set(resource, this.#heap.add(resource, token));
    if (this.#heap.size <= this.#resourcesMax) return;
    // It may be the one just come, where all others are newer: its token is then the floor, and it still passes.
    const forgotten = this.#heap.takeSmallest();
    if (forgotten === undefined) return;
    this.#newest.delete(forgotten.resource);
    this.#floor = Math.max(this.#floor, forgotten.token);
  }

  #take({ floor, newest }: FenceSeed): void {
    if (!isToken(floor)) throw new QuorateError('INVALID_OPTIONS', `\`seed.floor\` is ${String(floor)}, not a safe integer of at least 0.`);
    if (!Array.isArray(newest)) throw new QuorateError('INVALID_OPTIONS', '`seed.newest` is not a list.');
    this.#floor = floor;
    // A seed was read back from somewhere, and its type is only what it should be.
    for (const entry of newest as readonly unknown[]) {
      const [resource, token] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
      if (!isResource(resource) || !isToken(token))
        throw new QuorateError('INVALID_OPTIONS', `\`seed.newest\` holds ${JSON.stringify(entry)}, no resource and token.`);
      const known = this.#newest.get(resource);
      if (known === undefined || token > known.token) this.#remember(resource, token, known);
    }
  }
}

/** Says of each message whether it may go on, by what was asked before. */
export interface FreshnessTest {
  (resource: string | undefined, token: number | undefined): boolean;
  /** As `tokenOfKafka` and `tokenOfNats` return it. */
  (stamp: TokenStamp | undefined): boolean;
  /** What it remembers, how often it said what, and `snapshot`. */
  readonly memory: TokenFence;
}

/**
 * `const isFresh = tokenFence(); … if (!isFresh(tokenOfKafka(message))) return;`
 *
 * One resource has one order: messages of a resource must be asked about in the order in which they were published, or what a
 * former owner sent in good time is taken for late. Two cases to know:
 *
 * - Output that is spread over several partitions of the broker is read in no order. The partition then belongs in the resource,
 *   and each is fenced from the new owner's first message in it.
 * - What a broker delivers again after something newer is stale by then. Ask about a message only when it comes first.
 *
 * @throws QuorateError `INVALID_OPTIONS`
 */
export function tokenFence(options: TokenFenceOptions = {}): FreshnessTest {
  const memory = new TokenFence(options);
  const isFresh = (subject: string | TokenStamp | undefined, token?: number): boolean => {
    const stamp = typeof subject === 'object' && subject !== null ? subject : { resource: subject, token };
    return memory.passes(memory.judge(stamp.resource, stamp.token));
  };
  return Object.assign(isFresh, { memory });
}

function withoutUndefined(options: TokenFenceOptions): TokenFenceOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
