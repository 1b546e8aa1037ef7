/** The leader lease, as its granters and its holder see it. Gray & Cheriton, "Leases" (1989); the safety rules 7 and 8. */
import { usableLengthMs } from '../time/clock.ts';
import { sameBallot, sameProposer } from './ballot.ts';
import type { Ballot, Proposer } from './ballot.ts';

/**
 * What an acceptor granted: until it runs out on the acceptor's monotonic clock, it promises nobody else.
 * A voter that restarted with its memory forgot what it granted, and therefore waits out the longest lease first.
 */
export class GrantedLease {
  private owner: Ballot | null = null;
  private untilMs: number;

  /** `barrierUntilMs`: nobody is promised anything before it; −Infinity for none. */
  constructor(private readonly barrierUntilMs: number) {
    this.untilMs = barrierUntilMs;
  }

  grant(owner: Ballot, lengthMs: number, nowMs: number): void {
    this.owner = owner;
    this.untilMs = Math.max(this.untilMs, nowMs + lengthMs);
  }

  /** The owner stopped serving in this ballot for good: nobody has to wait for it. The wait after a restart stays. */
  release(owner: Ballot): void {
    // A delayed word of an earlier ballot says nothing of the one that the same leader serves in now.
    if (this.owner && sameBallot(this.owner, owner)) this.untilMs = this.barrierUntilMs;
  }

  /** How long the acceptor is still bound against `proposer`; 0 if free to promise it. */
  remainingAgainstMs(proposer: Proposer, nowMs: number): number {
    if (this.owner && sameProposer(this.owner, proposer)) return Math.max(0, this.barrierUntilMs - nowMs);
    return Math.max(0, this.untilMs - nowMs);
  }
}

/** How many heartbeats may be unanswered before their send times are forgotten. */
const rememberedHeartbeats = 64;

/**
 * What a leader holds: the time of the latest heartbeat that a majority answered, plus the usable part of the length.
 * It counts from the *sending* of the heartbeat, so it ends before any granter is free.
 */
export class HeldLease {
  private readonly sentAtMs = new Map<number, number>();
  private readonly answeredMs = new Map<string, number>();
  private lastId = 0;

  constructor(
    private readonly lengthMs: number,
    private readonly majority: number,
  ) {}

  /** Notes a heartbeat that is about to leave and returns its id. */
  heartbeatSent(nowMs: number, self: string): number {
    const id = (this.lastId += 1);
    this.sentAtMs.set(id, nowMs);
    this.sentAtMs.delete(id - rememberedHeartbeats);
    this.answeredMs.set(self, nowMs);
    return id;
  }

  heartbeatSeen(id: number, voter: string): void {
    const sentAtMs = this.sentAtMs.get(id);
    if (sentAtMs === undefined) return;
    this.answeredMs.set(voter, Math.max(sentAtMs, this.answeredMs.get(voter) ?? -Infinity));
  }

  /** When the newest heartbeat that a majority answered was sent; −Infinity before the first. */
  majorityAnsweredMs(): number {
    const times = [...this.answeredMs.values()].sort((a, b) => b - a);
    return times[this.majority - 1] ?? -Infinity;
  }

  heldUntilMs(): number {
    return this.majorityAnsweredMs() + usableLengthMs(this.lengthMs);
  }

  /** Voters that answered a heartbeat sent within `windowMs`. */
  connected(nowMs: number, windowMs: number): string[] {
    return [...this.answeredMs].filter(([, atMs]) => nowMs - atMs <= windowMs).map(([node]) => node);
  }
}
