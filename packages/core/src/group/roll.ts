/** Who votes and who stands by, as far as one process knows: by its configuration, its leader's word, and the state where it has one. */
import type { Seat } from '../paxos/configuration.ts';
import type { Roster, StandbySeat } from '../paxos/voter-order.ts';
import type { GroupState } from './group-state.ts';

export interface VoterView extends Seat {
  /** By the leader's word, or one's own ears without one. */
  readonly isHeard: boolean;
}

export interface MembersView {
  readonly configuration: number;
  readonly voters: readonly VoterView[];
  readonly standbys: readonly StandbySeat[];
  /** Nodes with a session that neither vote nor stand by; null where this process has no copy of the state to read them from. */
  readonly clients: readonly string[] | null;
}

interface Seen {
  readonly configuration: number;
  readonly voters: readonly Seat[];
  readonly connected: readonly string[];
  readonly state: GroupState | null;
  /** Of a leader, who knows best. */
  readonly standbys: readonly StandbySeat[] | null;
}

export class Roll {
  private told: { readonly standbys: readonly StandbySeat[]; readonly atMs: number } | null = null;

  /** What was told longer ago than `freshForMs` counts for nothing. */
  constructor(private readonly freshForMs: number) {}

  onRoster({ standbys }: Roster, nowMs: number): void {
    this.told = { standbys, atMs: nowMs };
  }

  view({ configuration, voters, connected, state, standbys }: Seen, nowMs: number): MembersView {
    const isVoting = (node: string, incarnation: string): boolean =>
      voters.some((seat) => seat.node === node && seat.incarnation === incarnation);
    const told = this.told && nowMs - this.told.atMs < this.freshForMs ? this.told.standbys : [];
    const waiting = (standbys ?? told).filter(({ node, incarnation }) => !isVoting(node, incarnation));
    const others = new Set([...voters, ...waiting].map(({ node }) => node));
    return {
      configuration,
      voters: voters.map(({ node, incarnation }) => ({ node, incarnation, isHeard: connected.includes(node) })),
      standbys: waiting,
      clients:
        state &&
        [...state.sessions()]
          .map(({ node }) => node)
          .filter((node) => !others.has(node))
          .sort(),
    };
  }
}
