/** A rollout run: the diskless members of a group replaced in turn while two clients and they themselves contend for locks, and a verdict over it. */
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
import { clientNames, voterNames } from '../troupe.ts';
import type { EpisodeSettings, Troupe } from '../troupe.ts';
import { Deployment, manifest } from './deployment.ts';
import { pausesOf } from './pauses.ts';
import type { Plot } from './plot.ts';
import { RollingRestart } from './rolling-restart.ts';
import type { Way } from './rolling-restart.ts';
import { Traffic } from './traffic.ts';

export interface RolloutOptions {
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly rounds: number;
  readonly way: Way;
  /** Pods of random names, each replaced by a new one, instead of three named voters that restart. */
  readonly deployment: boolean;
  /** One line for people. */
  readonly onProgress: (text: string) => void;
  /** Called with what must be done before this process may end early. */
  readonly onStarted: (stop: () => Promise<void>) => void;
}

export interface RolloutResult {
  readonly ok: boolean;
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly deployment: boolean;
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

const violationsShownMax = 50;

export async function runRollout(options: RolloutOptions): Promise<RolloutResult> {
  const stage = await openStage(options, options.deployment ? clientNames : undefined);
  const { checker, broker, troupe, storePort, folder } = stage;
  options.onStarted(() => stage.close());
  options.onProgress(broker.text);
  try {
    const group = `rollout-${randomBytes(4).toString('hex')}`;
    const voters = options.deployment ? { count: manifest.voters } : voterNames;
    const rollout = new Rollout(options, troupe, { group, voters, timing: timingOf(options.broker), storePort, folder });
    await rollout.play();
    const historyFile = join(folder, 'history.jsonl');
    writeFileSync(historyFile, linesOf(rollout.history()));
    return rollout.result(await checker.check(historyFile));
  } finally {
    await stage.close();
  }
}

class Rollout {
  private readonly traffic: Traffic;
  private readonly plot: Plot;
  private readonly failures: string[] = [];

  constructor(
    private readonly options: RolloutOptions,
    private readonly troupe: Troupe,
    private readonly settings: EpisodeSettings,
  ) {
    this.traffic = new Traffic(settings.timing);
    const parts = { troupe, settings, traffic: this.traffic, patienceMs: 2 * settings.timing.recoveryBoundMs };
    this.plot = options.deployment ? new Deployment(parts, options.broker) : new RollingRestart(parts, options.way);
  }

  async play(): Promise<void> {
    try {
      await this.plot.form();
      while (this.traffic.round < this.options.rounds) await this.playRound();
      this.failures.push(...(await this.traffic.leftovers(this.troupe.all, this.plot.everyone)));
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.failures.push([`round ${this.traffic.round}: ${what}`, ...(await this.troupe.statuses())].join('\n      '));
    }
    await this.troupe.killAll();
  }

  private async playRound(): Promise<void> {
    this.traffic.round += 1;
    await Promise.all(this.troupe.all.map((one) => this.traffic.begin(one)));
    await this.plot.playRound();
    await Promise.all(this.troupe.all.map((one) => this.traffic.rest(one)));
    const tookMs = this.plot.restarts.slice(-this.plot.perRound).map(({ readyMs }) => Math.round(readyMs));
    this.options.onProgress(`round ${this.traffic.round}: ready after ${tookMs.join(', ')} ms`);
  }

  history(): HistoryLine[] {
    return mergeHistory(this.plot.everyone.flatMap(({ files }) => files));
  }

  result(verdict: Verdict): RolloutResult {
    const { broker, cluster, rounds, way, deployment } = this.options;
    const { restarts, perRound } = this.plot;
    const { violations, illegal, unknown, operations } = verdict;
    const pauseMs = spreadOf(pausesOf(this.history(), restarts));
    const tokensIncreasing = !violations.some(({ rule }) => rule.startsWith('token'));
    const overlaps = violations.filter(({ rule }) => rule === 'overlap' || rule === 'two leaders').length;
    const isComplete = restarts.length === perRound * rounds && this.failures.length === 0;
    return {
      ok: verdict.ok && isComplete && operations > 0 && unknown === 0,
      broker,
      cluster,
      deployment,
      way,
      rounds,
      restarts: restarts.length,
      overlaps,
      tokensIncreasing,
      stuck: this.failures.length,
      longestPauseMs: pauseMs.max,
      pauseMs,
      readyMs: spreadOf(restarts.map(({ readyMs }) => readyMs)),
      electionTimeoutMs: this.settings.timing.electionTimeoutMs,
      porcupine: { illegal, unknown, operations },
      violations: violations.slice(0, violationsShownMax),
      failures: this.failures,
    };
  }
}
