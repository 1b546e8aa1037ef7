/** Who else would take a seat of a group that is founded by count: those that answered the present nonce. `docs/protocol.md`, "Founding by count". */
import type { Proposer } from './ballot.ts';
import { clocksApart, foundersClockSkewMaxMs, spreadMs } from './clocks-apart.ts';
import type { ClocksApart, SeenClock } from './clocks-apart.ts';
import type { Seat } from './configuration.ts';
import type { Greeting } from './founding-message.ts';

export interface Candidate extends SeenClock {
  readonly greeting: Greeting;
}

export class Candidates {
  private readonly present = new Map<string, Candidate>();
  private readonly seenAtMs = new Map<string, number>();

  constructor(private readonly self: Proposer) {}

  /** Answers to the nonce before are no evidence of who is there now. */
  forget(): void {
    this.present.clear();
  }

  /** Tells whether it cannot be of one group with us, or with another that could, for their clocks. */
  answered({ node, incarnation }: Proposer, greeting: Greeting, aheadMs: number, nowMs: number): ClocksApart | null {
    const candidate = { seat: { node, incarnation }, greeting, aheadMs };
    this.present.set(node, candidate);
    this.seenAtMs.set(node, nowMs);
    return clocksApart(this.self.node, candidate, this.present.values());
  }

  get heard(): readonly string[] {
    return [...this.present.keys()];
  }

  /** Its name answers under another incarnation: this one will not be heard of again. */
  hasReplaced({ node, incarnation }: Seat): boolean {
    const present = node === this.self.node ? this.self : this.present.get(node)?.seat;
    return present !== undefined && present.incarnation !== incarnation;
  }

  seenSince(sinceMs: number): number {
    return [...this.seenAtMs.values()].filter((atMs) => atMs >= sinceMs).length;
  }

  /** How many of them come before this process. */
  get rank(): number {
    return this.heard.filter((node) => node < this.self.node).length;
  }

  /** The first in order of names whose clocks agree with one another's and with ours; null where they are too few. */
  first(count: number): readonly Candidate[] | null {
    const chosen: Candidate[] = [];
    const inOrder = [...this.present.values()].sort((a, b) => (a.seat.node < b.seat.node ? -1 : 1));
    for (const candidate of inOrder) {
      if (chosen.length === count) break;
      if (spreadMs([...chosen, candidate]) <= foundersClockSkewMaxMs) chosen.push(candidate);
    }
    return chosen.length === count ? chosen : null;
  }
}
