/** Whom this process hears, and which leader it would turn to: hearsay, good enough for addressing requests and for status. */
import { compareBallots } from '../paxos/ballot.ts';
import type { Ballot, Proposer } from '../paxos/ballot.ts';
import type { Heartbeat } from '../paxos/message.ts';

interface KnownLeader {
  readonly ballot: Ballot;
  readonly connected: readonly string[];
  readonly atMs: number;
}

export class LeaderDirectory {
  private known: KnownLeader | null = null;
  private readonly heardAtMs = new Map<string, number>();

  /** What was heard longer ago than `freshForMs` counts for nothing. */
  constructor(
    private voters: readonly string[],
    private readonly freshForMs: number,
  ) {}

  /** Others vote from now on, and whoever led the voters before leads nobody. */
  votersChanged(voters: readonly string[]): void {
    this.voters = voters;
    this.forget();
  }

  heard(node: string, nowMs: number): void {
    if (this.voters.includes(node)) this.heardAtMs.set(node, nowMs);
  }

  /** The caller has checked that `from` is a voter of the group. */
  onHeartbeat(from: Proposer, { ballot, connected }: Heartbeat, nowMs: number): void {
    if (from.node !== ballot.node || from.incarnation !== ballot.incarnation) return;
    if (this.known && this.isFresh(this.known.atMs, nowMs) && compareBallots(ballot, this.known.ballot) < 0) return;
    this.known = { ballot, connected, atMs: nowMs };
  }

  forget(): void {
    this.known = null;
  }

  leader(nowMs: number): Ballot | null {
    return this.known && this.isFresh(this.known.atMs, nowMs) ? this.known.ballot : null;
  }

  /** Voters in touch with the leader by its own word; without a leader, those heard lately. */
  connected(nowMs: number): readonly string[] {
    if (this.known && this.isFresh(this.known.atMs, nowMs)) return this.known.connected;
    return this.voters.filter((node) => this.isFresh(this.heardAtMs.get(node) ?? -Infinity, nowMs));
  }

  private isFresh(atMs: number, nowMs: number): boolean {
    return nowMs - atMs < this.freshForMs;
  }
}
