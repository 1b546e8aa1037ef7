/** What a founder knows of foundings before its own, and hands on. The safety rules 12, 13 and 15; `docs/protocol.md`, "Founding". */
import type { Inheritance } from './founder-io.ts';
import type { FoundingRecord, Greeting } from './founding-message.ts';

/**
 * 1. It only grows: of the last founding that was told of it keeps the name, and of all of them the most that any granted.
 * 2. A record that begins below it is never accepted.
 */
export class Legacy {
  private kept: Inheritance | undefined;

  constructor(private present: Inheritance | undefined) {
    this.kept = present;
  }

  get inheritance(): Inheritance | undefined {
    return this.present;
  }

  know(told: Inheritance): void {
    const known = this.present ?? told;
    const { founding } = told.tokenSecond > known.tokenSecond ? told : known;
    const longestTtlMs = Math.max(known.longestTtlMs, told.longestTtlMs);
    this.present = { founding, longestTtlMs, tokenSecond: Math.max(known.tokenSecond, told.tokenSecond) };
  }

  /** `own`: the record that this founder accepted. What another has only accepted may have come to nothing. */
  onGreeting({ standing, record, replaces, tokenSecond, longestTtlMs }: Greeting, own: FoundingRecord | null): void {
    const named = standing === 'accepted' ? null : record;
    const founding = named?.configuration.founding ?? replaces;
    if (founding === undefined || founding === own?.configuration.founding) return;
    const { tokenSecond: first = 0, maxSessionTtlMs = 0 } = named ?? {};
    this.know({ founding, tokenSecond: Math.max(tokenSecond, first), longestTtlMs: Math.max(longestTtlMs, maxSessionTtlMs) });
  }

  /** Whoever accepts it knows what its proposer knew, should it come to nothing. Tokens of its own second were granted to nobody. */
  onAccepted({ replaces: founding, tokenSecond, maxSessionTtlMs: longestTtlMs }: FoundingRecord): void {
    if (founding !== undefined) this.know({ founding, tokenSecond: tokenSecond - 1, longestTtlMs });
  }

  /** A record that begins too low was made before its proposer heard of all this. */
  isRespectedBy({ replaces, tokenSecond, maxSessionTtlMs, firstFounding }: FoundingRecord): boolean {
    const { present } = this;
    if (!present) return true;
    return replaces !== undefined && !firstFounding && tokenSecond > present.tokenSecond && maxSessionTtlMs >= present.longestTtlMs;
  }

  /** What has to be made durable now, if anything. */
  takeUnkept(): Inheritance | undefined {
    const { kept, present } = this;
    this.kept = present;
    return isSame(kept, present) ? undefined : present;
  }
}

function isSame(one: Inheritance | undefined, other: Inheritance | undefined): boolean {
  return one?.founding === other?.founding && one?.tokenSecond === other?.tokenSecond && one?.longestTtlMs === other?.longestTtlMs;
}
