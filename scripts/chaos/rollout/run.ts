/** A rollout run: three diskless voters restarted in turn while two clients and they themselves contend for locks, and a verdict over it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict, Violation } from '../checker.ts';
import { spreadOf } from '../figures.ts';
import type { Spread } from '../figures.ts';
import { linesOf, mergeHistory } from '../history.ts';
import type { HistoryLine } from '../history.ts';
import { openStage } from '../stage.ts';
import { timingOf } from '../timing.ts';
import type { BrokerName } from '../timing.ts';
import type { ChaosProcess, Troupe } from '../troupe.ts';
import { pausesOf } from './pauses.ts';
import { restart } from './restart.ts';
import type { Restart, Way } from './restart.ts';

export interface RolloutOptions {
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly rounds: number;
  readonly way: Way;
  /** One line for people. */
  readonly onProgress: (text: string) => void;
  /** Called with what must be done before this process may end early. */
  readonly onStarted: (stop: () => Promise<void>) => void;
}

export interface RolloutResult {
  readonly ok: boolean;
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly way: Way;
  readonly rounds: number;
  readonly restarts: number;
  /** Valid leases on one lock, or terms of one election, at the same time. */
  readonly overlaps: number;
  readonly tokensIncreasing: boolean;
  /** Places in queues that nobody waits in, processes that could not have every lock at the end, and voters that never got ready. */
  readonly stuck: number;
  readonly longestPauseMs: number | null;
  readonly pauseMs: Spread;
  readonly readyMs: Spread;
  readonly electionTimeoutMs: number;
  readonly porcupine: { readonly illegal: number; readonly unknown: number; readonly operations: number };
  readonly violations: readonly Violation[];
  readonly failures: readonly string[];
}

/** A round's locks are its own: the register of each is checked by itself, and the longer its history the longer that takes. */
const lockNames = ['x', 'y', 'z'] as const;
const election = 'e';
const violationsShownMax = 50;

export async function runRollout(options: RolloutOptions): Promise<RolloutResult> {
  const stage = await openStage(options);
  const { checker, broker, troupe, storePort, folder } = stage;
  options.onStarted(() => stage.close());
  options.onProgress(broker.text);
  try {
    const group = `rollout-${randomBytes(4).toString('hex')}`;
    const rollout = new Rollout(options, troupe, { group, timing: timingOf(options.broker), storePort, folder });
    await rollout.play();
    const historyFile = join(folder, 'history.jsonl');
    writeFileSync(historyFile, linesOf(rollout.history()));
    return rollout.result(await checker.check(historyFile));
  } finally {
    await stage.close();
  }
}

class Rollout {
  private readonly restarts: Restart[] = [];
  private readonly failures: string[] = [];
  private round = 0;

  constructor(
    private readonly options: RolloutOptions,
    private readonly troupe: Troupe,
    private readonly settings: Parameters<ChaosProcess['enter']>[0],
  ) {}

  async play(): Promise<void> {
    const { all } = this.troupe;
    try {
      await this.troupe.fill();
      await Promise.all(all.map((one) => one.enter(this.settings)));
      await Promise.all(all.map((one) => one.running.request('whenAllHeard', undefined)));
      while (this.round < this.options.rounds) await this.playRound();
      await this.beWhole();
    } catch (error) {
      this.failures.push(`round ${this.round}: ${error instanceof Error ? error.message : String(error)}`);
    }
    await this.troupe.killAll();
  }

  history(): HistoryLine[] {
    return mergeHistory(this.troupe.all.flatMap(({ files }) => files));
  }

  result(verdict: Verdict): RolloutResult {
    const { broker, cluster, rounds, way } = this.options;
    const { violations, illegal, unknown, operations } = verdict;
    const pauseMs = spreadOf(pausesOf(this.history(), this.restarts));
    const readyMs = spreadOf(this.restarts.map(({ beganNs, endedNs }) => (endedNs - beganNs) / 1e6));
    const tokensIncreasing = !violations.some(({ rule }) => rule.startsWith('token'));
    const overlaps = violations.filter(({ rule }) => rule === 'overlap' || rule === 'two leaders').length;
    const isComplete = this.restarts.length === 3 * rounds && this.failures.length === 0;
    return {
      ok: verdict.ok && isComplete && operations > 0 && unknown === 0,
      broker,
      cluster,
      way,
      rounds,
      restarts: this.restarts.length,
      overlaps,
      tokensIncreasing,
      stuck: this.failures.length,
      longestPauseMs: pauseMs.max,
      pauseMs,
      readyMs,
      electionTimeoutMs: this.settings.timing.electionTimeoutMs,
      porcupine: { illegal, unknown, operations },
      violations: violations.slice(0, violationsShownMax),
      failures: this.failures,
    };
  }

  private async playRound(): Promise<void> {
    const { all } = this.troupe;
    this.round += 1;
    await Promise.all(all.map((one) => this.work(one)));
    for (const one of all.filter(({ isVoter }) => isVoter)) {
      const order = { round: this.round, way: this.options.way, readyWithinMs: this.patienceMs, work: (it: ChaosProcess) => this.work(it) };
      this.restarts.push(await restart(one, order));
    }
    await Promise.all(all.map((one) => one.running.request('rest', undefined)));
    const tookMs = this.restarts.slice(-3).map(({ beganNs, endedNs }) => Math.round((endedNs - beganNs) / 1e6));
    this.options.onProgress(`round ${this.round}: ready again after ${tookMs.join(', ')} ms`);
  }

  private async work(one: ChaosProcess): Promise<void> {
    const { sessionTtlMs } = this.settings.timing;
    const work = { locks: this.locks, election: `${this.round}/${election}`, patienceMs: 3 * sessionTtlMs, longHoldMs: sessionTtlMs };
    await one.running.request('work', work);
  }

  /** Every process can have every lock, and nobody waits in a queue whom nobody knows of. */
  private async beWhole(): Promise<void> {
    const { all } = this.troupe;
    const withinMs = this.settings.timing.recoveryBoundMs;
    const { locks } = this;
    await Promise.all(all.map((one) => one.running.request('recover', { locks, election: `${this.round}/${election}`, withinMs })));
    const own = all.map(({ name }) => `own-${name}`);
    const found = await Promise.all(all.map((one) => one.running.request('orphans', { locks: [...locks, ...own], withinMs })));
    for (const info of found.flat()) this.failures.push(`${info.name} is held by ${info.holders[0]?.node ?? 'nobody'} and waited for`);
  }

  private get locks(): readonly string[] {
    return lockNames.map((lock) => `${this.round}/${lock}`);
  }

  /** For a restart, however it goes: the end of a dead namesake's session, elections, and what a loaded machine adds. */
  private get patienceMs(): number {
    return 2 * this.settings.timing.recoveryBoundMs;
  }
}
