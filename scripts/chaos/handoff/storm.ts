/** What is done to the workers, one thing every 200 to 500 ms: stopped, stopped before a publish, killed, told to leave, and joined again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../packages/core/src/time/random.ts';
import type { ChaosTiming } from '../timing.ts';
import type { Sink } from './sink.ts';
import { voterNames } from './workers.ts';
import type { Worker, Workers } from './workers.ts';

export interface StormParts {
  readonly workers: Workers;
  readonly sink: Sink;
  readonly timing: ChaosTiming;
  readonly random: Random;
}

export interface Strikes {
  stops: number;
  /** Of `stops`, those between the look at the lease and the publish that outlasted the lease. */
  stopsBeforePublish: number;
  /** Of `kills` and `leaves`, those of voters. */
  votersLost: number;
  kills: number;
  leaves: number;
  joins: number;
  /** Nobody was free who could be struck. */
  skipped: number;
}

/** As many as may be dead, stopped or on their way back at a time: the others have the partitions to look after. */
const struckMax = 7;
const awayMax = 2;
const leaveWithinMs = 15_000;
const voterPauseTtls = 2.5;
const awayMsMax = 1_500;
/** The parent does the stopping, once somebody stands there. */
const anyStanding = { how: 'wait', untilFile: '', longestMs: 0, withinMs: 500 } as const;
const lookMs = 50;

export class Storm {
  readonly strikes: Strikes = { stops: 0, stopsBeforePublish: 0, votersLost: 0, kills: 0, leaves: 0, joins: 0, skipped: 0 };
  readonly failures: string[] = [];
  private readonly under = new Set<Promise<void>>();
  private away = 0;
  private beforePublish = 0;
  private voterStruckMs = -Infinity;

  constructor(private readonly parts: StormParts) {}

  /** Resolves when the time is over and everything that was begun has ended. */
  async run(seconds: number): Promise<void> {
    const untilMs = performance.now() + seconds * 1_000;
    while (performance.now() < untilMs) {
      this.strike();
      await sleep(200 + this.parts.random.below(301));
    }
    await Promise.all(this.under);
  }

  /** For something that takes a while; undefined where nobody suits. No voter once one has lost its seat: the others are the majority. */
  take(suits: (worker: Worker) => boolean): Worker | undefined {
    const isMajorityLeft = this.parts.workers.all.filter(({ isVoter }) => isVoter).length < voterNames.length;
    return this.pick((worker) => !(worker.isVoter && isMajorityLeft) && suits(worker));
  }

  private pick(suits: (worker: Worker) => boolean): Worker | undefined {
    const { workers, random } = this.parts;
    const areVotersFree = this.areVotersFree();
    const free = workers.all.filter((one) => one.isRunning && !one.isBusy && (areVotersFree || !one.isVoter) && suits(one));
    const one = free[random.below(Math.max(1, free.length))];
    if (one) one.isBusy = true;
    if (one?.isVoter) this.voterStruckMs = performance.now();
    return one;
  }

  /**
   * One at a time, and with pauses: a new leader gives every session its full TTL again, so that the dead keep what they had for as
   * long as leaders change faster than that.
   */
  private areVotersFree(): boolean {
    const { workers, timing } = this.parts;
    if (workers.all.some(({ isVoter, isBusy }) => isVoter && isBusy)) return false;
    return performance.now() - this.voterStruckMs >= voterPauseTtls * timing.sessionTtlMs;
  }

  private strike(): void {
    const { workers, random } = this.parts;
    const isTooMany = workers.all.filter(({ isBusy }) => isBusy).length >= struckMax;
    if (isTooMany) return this.skip();
    const drawn = this.draw(random.below(10));
    const taken = drawn === this.stopBriefly ? undefined : this.take(() => true);
    const worker = taken ?? this.pick(() => true);
    const act = taken ? drawn : this.stopBriefly;
    if (!worker) return this.skip();
    const strike = act
      .call(this, worker)
      .catch((error: unknown) => void this.failures.push(`${worker.life}: ${String(error)}`))
      .finally(() => {
        worker.isBusy = false;
        this.under.delete(strike);
      });
    this.under.add(strike);
  }

  private skip(): void {
    this.strikes.skipped += 1;
  }

  private draw(drawn: number): (worker: Worker) => Promise<void> {
    if (this.beforePublish === 0) return this.stopBeforePublish;
    if (drawn >= 4 || this.away >= awayMax) return drawn === 9 ? this.stopLong : this.stopBriefly;
    return drawn < 2 ? this.killAndBringBack : this.letGoAndBringBack;
  }

  /** It is back before anybody has missed it, most of the time. */
  private stopBriefly(worker: Worker): Promise<void> {
    return this.stop(worker, 600);
  }

  private stopLong(worker: Worker): Promise<void> {
    return this.stop(worker, this.parts.timing.stallMs);
  }

  private async stop(worker: Worker, longestMs: number): Promise<void> {
    this.strikes.stops += 1;
    worker.running.pause();
    await sleep(100 + this.parts.random.below(Math.ceil(longestMs)));
    worker.running.resume();
  }

  /** It looked at its lease, is about to publish, and goes on when somebody else has published already. */
  private async stopBeforePublish(worker: Worker): Promise<void> {
    const { sink, timing } = this.parts;
    this.beforePublish += 1;
    try {
      const standing = await worker.running.request('stopAtPoint', anyStanding);
      if (!standing) return;
      this.strikes.stops += 1;
      worker.running.pause();
      const beganMs = performance.now();
      const stoppedMs = (): number => performance.now() - beganMs;
      while (!sink.hasNewer(standing.lock, standing.token) && stoppedMs() < 2 * timing.stallMs) await sleep(lookMs);
      if (stoppedMs() > timing.sessionTtlMs) this.strikes.stopsBeforePublish += 1;
      worker.running.resume();
    } finally {
      this.beforePublish -= 1;
    }
  }

  /** With a piece in hand, where it comes across one in time. */
  private async killAndBringBack(worker: Worker): Promise<void> {
    this.away += 1;
    try {
      await worker.running.request('stopAtPoint', anyStanding);
      this.strikes.kills += 1;
      this.strikes.votersLost += worker.isVoter ? 1 : 0;
      await worker.kill();
      await this.bringBack(worker);
    } finally {
      this.away -= 1;
    }
  }

  private async letGoAndBringBack(worker: Worker): Promise<void> {
    this.away += 1;
    try {
      this.strikes.leaves += 1;
      this.strikes.votersLost += worker.isVoter ? 1 : 0;
      const isInOrder = await worker.leave(leaveWithinMs);
      if (!isInOrder) this.failures.push(`${worker.life} did not leave within ${leaveWithinMs} ms`);
      await this.bringBack(worker);
    } finally {
      this.away -= 1;
    }
  }

  private async bringBack(worker: Worker): Promise<void> {
    await sleep(this.parts.random.below(awayMsMax));
    await worker.start();
    this.strikes.joins += 1;
  }
}
