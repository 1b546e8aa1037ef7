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

interface Sent {
  readonly id: number;
  readonly atMs: number;
  /** How far the calendar clock was ahead of the monotonic one. */
  readonly aheadMs: number;
}

/**
 * What a leader holds: the time of the latest heartbeat that a majority answered, plus the usable part of the length.
 * It counts from the *sending* of the heartbeat, so it ends before any granter is free; and by the faster of the leader's two clocks,
 * for the monotonic one stops while its machine is suspended.
 */
export class HeldLease {
  private readonly sent = new Map<number, Sent>();
  private readonly answered = new Map<string, Sent>();
  private lastId = 0;
  private aheadMs = 0;

  constructor(
    private readonly lengthMs: number,
    private readonly majority: number,
  ) {}

  /** What the clocks show now: by how much the calendar clock is ahead of the monotonic one. Said before anything is asked. */
  clocksShow(aheadMs: number): void {
    this.aheadMs = aheadMs;
  }

  /** Notes a heartbeat that is about to leave and returns its id. */
  heartbeatSent(nowMs: number, self: string): number {
    const id = (this.lastId += 1);
    const sent = { id, atMs: nowMs, aheadMs: this.aheadMs };
    this.sent.set(id, sent);
    this.sent.delete(id - rememberedHeartbeats);
    this.answered.set(self, sent);
    return id;
  }

  /** Of the newest heartbeat, 0 before the first. */
  get newestId(): number {
    return this.lastId;
  }

  heartbeatSeen(id: number, voter: string): void {
    const sent = this.sent.get(id);
    if (sent === undefined) return;
    const before = this.answered.get(voter);
    if (before === undefined || before.atMs < sent.atMs) this.answered.set(voter, sent);
  }

  /** When the newest heartbeat that a majority answered was sent; −Infinity before the first. */
  majorityAnsweredMs(): number {
    return this.majorityAnswered()?.atMs ?? -Infinity;
  }

  /** On the monotonic clock, as far as can be said now: if the calendar clock runs ahead it will be sooner. */
  heldUntilMs(aheadMs = this.aheadMs): number {
    const sent = this.majorityAnswered();
    if (sent === undefined) return -Infinity;
    return sent.atMs + usableLengthMs(this.lengthMs) - Math.max(0, aheadMs - sent.aheadMs);
  }

  /** Of the newest heartbeat that the voter answered, 0 for none. */
  answeredId(voter: string): number {
    return this.answered.get(voter)?.id ?? 0;
  }

  /** Voters that answered a heartbeat sent within `windowMs`. */
  connected(nowMs: number, windowMs: number): string[] {
    return [...this.answered].filter(([, { atMs }]) => nowMs - atMs <= windowMs).map(([node]) => node);
  }

  private majorityAnswered(): Sent | undefined {
    const newestFirst = [...this.answered.values()].sort((a, b) => b.atMs - a.atMs);
    return newestFirst[this.majority - 1];
  }
}
