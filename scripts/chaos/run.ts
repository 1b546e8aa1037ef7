/** A run: one broker, one troupe, one episode after another, one verdict over all of their history. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Verdict, Violation } from './checker.ts';
import { Episode } from './episode.ts';
import type { EpisodeResult } from './episode.ts';
import { progressOf, spreadOf } from './figures.ts';
import type { Progress, Spread } from './figures.ts';
import type { GuardedStore } from './guarded-store.ts';
import { planOf } from './plan.ts';
import type { NemesisType } from './plan.ts';
import { openStage } from './stage.ts';
import { timingOf } from './timing.ts';
import type { BrokerName, ChaosTiming } from './timing.ts';

export interface RunOptions {
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly episodes: number;
  readonly seconds: number;
  readonly seed: number;
  readonly historyFile: string;
  readonly onEpisode: (number: number, result: EpisodeResult, progress: Progress) => void;
  readonly onBroker: (text: string) => void;
  /** Called with what must be done before this process may end early. */
  readonly onStarted: (stop: () => Promise<void>) => void;
}

export interface RunResult {
  readonly ok: boolean;
  readonly broker: BrokerName;
  readonly cluster: 1 | 3;
  readonly episodes: number;
  readonly seed: number;
  readonly nemeses: Partial<Record<NemesisType, number>>;
  /** What must never happen: broken promises in the history, and places in queues that nobody waits in. */
  readonly safetyFailures: number;
  readonly unrecovered: number;
  readonly staleWritesRefused: number;
  readonly unguardedStaleWrites: number;
  /** False where holders were stopped before their writes and yet no stale write was seen: then the store's check has shown nothing. */
  readonly checkAlive: boolean;
  readonly porcupine: { readonly illegal: number; readonly unknown: number; readonly operations: number };
  readonly takeoverMs: Spread;
  readonly hamperedTakeoverMs: Spread;
  readonly withoutLeaderMs: Spread;
  readonly handOverMs: Spread;
  readonly recoveryMs: Spread & { readonly bound: number };
  readonly violations: readonly Violation[];
  readonly failures: readonly string[];
}

export async function runChaos(options: RunOptions): Promise<RunResult> {
  const { historyFile } = options;
  const timing = timingOf(options.broker);
  const plans = planOf({ ...options, timing });
  writeFileSync(historyFile, '');
  const stage = await openStage(options);
  const { checker, broker, troupe, store, storePort, folder } = stage;
  options.onStarted(() => stage.close());
  options.onBroker(broker.text);
  const account = new Account(timing);
  try {
    const run = `chaos-${randomBytes(4).toString('hex')}`;
    const parts = { troupe, broker, timing, store, storePort, folder, historyFile, run, seconds: options.seconds };
    for (const plan of plans) {
      const result = await new Episode(parts, plan).play();
      store.forget();
      options.onEpisode(plan.number, result, account.add(plan.number, result));
    }
    return account.close(options, store, await checker.check(historyFile));
  } finally {
    await stage.close();
  }
}

class Account {
  private episodes = 0;
  private readonly nemeses: Partial<Record<NemesisType, number>> = {};
  private readonly takeoverMs: number[] = [];
  private readonly hamperedTakeoverMs: number[] = [];
  private readonly withoutLeaderMs: number[] = [];
  private readonly handOverMs: number[] = [];
  private readonly recoveryMs: number[] = [];
  private readonly orphans: Violation[] = [];
  private readonly failures: string[] = [];
  private unrecovered = 0;

  constructor(private readonly timing: ChaosTiming) {}

  add(number: number, { strikes, history, recoveryMs, orphans, failures }: EpisodeResult): Progress {
    this.episodes += 1;
    for (const { type } of strikes) this.nemeses[type] = (this.nemeses[type] ?? 0) + 1;
    const progress = progressOf(history, strikes, this.timing);
    this.takeoverMs.push(...progress.takeoverMs);
    this.hamperedTakeoverMs.push(...progress.hamperedTakeoverMs);
    this.withoutLeaderMs.push(...progress.withoutLeaderMs);
    this.handOverMs.push(...progress.handOverMs);
    if (recoveryMs === undefined) this.unrecovered += 1;
    else this.recoveryMs.push(recoveryMs);
    this.orphans.push(...orphans.map((text) => ({ rule: 'orphan', key: text.split(':')[0] ?? '', text })));
    this.failures.push(...failures.map((failure) => `episode ${number}: ${failure}`));
    return progress;
  }

  close({ broker, cluster, seed }: RunOptions, store: GuardedStore, verdict: Verdict): RunResult {
    const { staleWritesRefused, unguardedStaleWrites } = store;
    const { illegal, unknown, operations } = verdict;
    const violations = [...verdict.violations, ...this.orphans];
    const checkAlive = staleWritesRefused > 0 && unguardedStaleWrites > 0;
    const safetyFailures = violations.length;
    const ok =
      safetyFailures === 0 && illegal === 0 && unknown === 0 && this.unrecovered === 0 && checkAlive && verdict.ok && operations > 0;
    return {
      ok,
      broker,
      cluster,
      episodes: this.episodes,
      seed,
      nemeses: this.nemeses,
      safetyFailures,
      unrecovered: this.unrecovered,
      staleWritesRefused,
      unguardedStaleWrites,
      checkAlive,
      porcupine: { illegal, unknown, operations },
      takeoverMs: spreadOf(this.takeoverMs),
      hamperedTakeoverMs: spreadOf(this.hamperedTakeoverMs),
      withoutLeaderMs: spreadOf(this.withoutLeaderMs),
      handOverMs: spreadOf(this.handOverMs),
      recoveryMs: { ...spreadOf(this.recoveryMs), bound: this.timing.recoveryBoundMs },
      violations: violations.slice(0, violationsShownMax),
      failures: this.failures,
    };
  }
}

const violationsShownMax = 50;
