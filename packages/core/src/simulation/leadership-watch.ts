/**
 * Promise 7, in peace: whenever one voter can exchange frames with a majority, a leader serves within four election timeouts. After the
 * heal everybody can exchange frames with everybody, so it is enough that a majority of voters is there.
 */
import { compareBallots } from '../paxos/ballot.ts';
import type { Ballot } from '../paxos/ballot.ts';
import { majorityOf } from '../paxos/configuration.ts';
import type { Configuration } from '../paxos/configuration.ts';
import { leaseMaxElections } from '../runtime/create-member.ts';
import { driftBound } from '../time/clock.ts';
import type { Circumstances } from './circumstances.ts';
import { BrokenPromise } from './observer.ts';
import type { SimulatedProcess, World } from './world.ts';

/**
 * Four election timeouts: the longest that can be drawn, which is twice the shortest, by the slowest clock within the bound on rates.
 */
export function leaderBoundMs({ electionTimeoutMs }: Circumstances): number {
  return (4 * 2 * electionTimeoutMs) / (1 - driftBound);
}

/**
 * It counts from the heal; where the storm left writes to slow disks under way, from their end; and from when a majority is connected,
 * for the broker may still be restarting. Two waits are excused, as the promise says: a voter is one from when it knows its founding to
 * be complete, and, where it was restarted with its memory, from when it has waited out the leases that it may have granted.
 */
export class LeadershipWatch {
  /** The longest stretch without a leader in which there should have been one. */
  longestMs = 0;
  /** Since when there should be a leader and is none, as of the last event; null where there is one or need not be. */
  #sinceMs: number | null = null;

  constructor(
    private readonly world: World,
    private readonly fromMs: number,
  ) {}

  /** Asked after every event, so that no stretch is overlooked. */
  look(): void {
    const { nowMs, circumstances } = this.world;
    if (this.#sinceMs !== null) this.longestMs = Math.max(this.longestMs, nowMs - this.#sinceMs);
    const boundMs = leaderBoundMs(circumstances);
    if (this.longestMs > boundMs) {
      throw new BrokenPromise('a leader in time', `none for ${boundMs.toFixed(0)} ms, four election timeouts (promise 7)`, nowMs);
    }
    this.#sinceMs = this.#lacksLeader() ? (this.#sinceMs ?? Math.max(nowMs, this.fromMs)) : null;
  }

  #lacksLeader(): boolean {
    const seats = this.world.living.flatMap((process) => seatOf(process) ?? []);
    const { leaving, network, circumstances } = this.world;
    const able = seats.filter(({ process }) => {
      return !leaving.has(process.node) && network.connects(process.number) && hasWaited(process, circumstances);
    });
    const one = able.find(({ configuration }) => countOf(able, configuration) >= majorityOf(configuration));
    return one !== undefined && !seats.some((seat) => isSame(seat, one) && leads(seat, seats));
  }
}

interface Seat {
  readonly process: SimulatedProcess;
  readonly configuration: Configuration;
  readonly promised: Ballot;
  readonly leading: Ballot | null;
}

function seatOf(process: SimulatedProcess): Seat | null {
  const { record, replica, seat } = process.member?.inspect ?? {};
  if (!record || !replica) return null;
  const leading = seat?.isServing ? (replica.leading?.ballot ?? null) : null;
  return { process, configuration: record.configuration, promised: replica.promised, leading };
}

/** True for a voter that grants leases again after its restart, by its own clock, as it does itself. */
export function hasWaited({ rememberedAtMs, now }: SimulatedProcess, { electionTimeoutMs }: Circumstances): boolean {
  return rememberedAtMs === null || now().monotonicMs - rememberedAtMs >= leaseMaxElections * electionTimeoutMs;
}

/** It serves, and no majority has promised more than it knows: one that was deposed and has not heard of it leads nobody. */
function leads({ leading, configuration }: Seat, seats: readonly Seat[]): boolean {
  if (leading === null) return false;
  const loyal = seats.filter(({ promised }) => compareBallots(promised, leading) <= 0);
  return countOf(loyal, configuration) >= majorityOf(configuration);
}

function countOf(seats: readonly Seat[], { founding, id }: Configuration): number {
  return seats.filter(({ configuration }) => configuration.founding === founding && configuration.id === id).length;
}

function isSame(one: Seat, other: Seat): boolean {
  return one.configuration.founding === other.configuration.founding && one.configuration.id === other.configuration.id;
}
