/** Which configuration the group is in, as its log says: changed by stop-signs alone. The safety rules 1, 5, 14 and 16. */
import { isOfOutsiders, isVoter } from '../paxos/configuration.ts';
import type { MembershipSnapshot, Sealed, Seat } from '../paxos/configuration.ts';
import type { StopSignEntry } from '../session/command.ts';

/**
 * 1. Numbers rise by one; a stop-sign of any other number is void.
 * 2. An incarnation that lost its seat is never given one again.
 * 3. The voters are in order of their names, each name once.
 * 4. They are no majority of names that the group was not founded with; the first change says which those are, for ever.
 */
export class Membership {
  #last: Sealed = { id: 1, voters: [], sealedAt: 0 };
  readonly #replaced = new Set<string>();
  #named: readonly string[] = [];

  /** The last change of voters; number 1 stands for the founding, whose voters its record names. */
  get last(): Sealed {
    return this.#last;
  }

  /** What the group was founded with; empty before the first change, and where it was founded without names. */
  get named(): readonly string[] {
    return this.#named;
  }

  isReplaced(incarnation: string): boolean {
    return this.#replaced.has(incarnation);
  }

  /** The change that a stop-sign comes to in this slot, or null where it is void. */
  onStopSign(slot: number, [, , nextId, voterTuples, goneTuples, namedNow]: StopSignEntry): Sealed | null {
    const voters = voterTuples.map(seatOf);
    const gone = goneTuples.map(seatOf);
    if (nextId !== this.#last.id + 1 || voters.length === 0 || !isInOrder(voters)) return null;
    if (voters.some(({ incarnation }) => this.#replaced.has(incarnation))) return null;
    if (gone.some((seat) => isVoter({ voters }, seat))) return null;
    const named = this.#last.id === 1 ? namedNow : this.#named;
    if (isOfOutsiders({ voters }, named)) return null;
    for (const { incarnation } of gone) this.#replaced.add(incarnation);
    this.#named = named;
    this.#last = { id: nextId, voters, sealedAt: slot };
    return this.#last;
  }

  /** Every incarnation that lost its seat, in the order in which they did. */
  replaced(): Iterable<string> {
    return this.#replaced;
  }

  /** False for one that is known already. */
  restoreReplaced(incarnation: string): boolean {
    if (this.#replaced.has(incarnation)) return false;
    this.#replaced.add(incarnation);
    return true;
  }

  snapshot(): MembershipSnapshot {
    return this.#withReplaced([...this.#replaced]);
  }

  /** Without the replaced, of whom there are more and more: each has a row of its own. */
  get row(): MembershipSnapshot {
    return this.#withReplaced([]);
  }

  #withReplaced(replaced: readonly string[]): MembershipSnapshot {
    const { id, voters, sealedAt } = this.#last;
    return [id, voters.map(({ node, incarnation }) => [node, incarnation] as const), sealedAt, replaced, this.#named];
  }

  restore(snapshot: MembershipSnapshot): void {
    this.#replaced.clear();
    this.resume(snapshot);
  }

  /** Beside the replaced that came in rows of their own. */
  resume([id, voters, sealedAt, replaced, named]: MembershipSnapshot): void {
    this.#last = { id, voters: voters.map(seatOf), sealedAt };
    for (const incarnation of replaced) this.#replaced.add(incarnation);
    this.#named = named;
  }
}

function seatOf([node, incarnation]: readonly [string, string]): Seat {
  return { node, incarnation };
}

function isInOrder(voters: readonly Seat[]): boolean {
  return voters.every(({ node }, index) => index === 0 || (voters[index - 1]?.node ?? '') < node);
}
