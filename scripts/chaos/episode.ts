/** One episode: a fresh group is formed, hurt while it works, healed, and must be whole again within the bound. */
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosBroker } from './chaos-broker.ts';
import { within } from './deadline.ts';
import type { GuardedStore } from './guarded-store.ts';
import { linesOf, machineTimeNs, mergeHistory } from './history.ts';
import type { HistoryLine } from './history.ts';
import { Nemeses } from './nemesis.ts';
import type { Strike } from './nemesis.ts';
import type { EpisodePlan } from './plan.ts';
import { voterNames } from './troupe.ts';
import type { ChaosProcess, EpisodeSettings, Troupe } from './troupe.ts';
import type { ChaosTiming } from './timing.ts';

export interface EpisodeParts {
  readonly troupe: Troupe;
  readonly broker: ChaosBroker;
  readonly timing: ChaosTiming;
  readonly store: GuardedStore;
  readonly storePort: number;
  /** For the parts of histories, until they are joined. */
  readonly folder: string;
  readonly historyFile: string;
  readonly run: string;
  readonly seconds: number;
}

export interface EpisodeResult {
  readonly strikes: readonly Strike[];
  readonly history: readonly HistoryLine[];
  /** From the healing until every process had every lock; undefined where it did not within the bound. */
  readonly recoveryMs: number | undefined;
  /** What was left in a queue that nobody waited in. */
  readonly orphans: readonly string[];
  /** Why it did not recover. */
  readonly failures: readonly string[];
}

export const contendedLocks = ['x', 'y', 'z'];
const electionName = 'e';
const formTimeoutMs = 60_000;
/** For a release on its way and for the sessions of the dead. */
const restTimeoutMs = 15_000;

export class Episode {
  private readonly locks: readonly string[];
  private readonly election: string;
  private readonly settings: EpisodeSettings;

  constructor(
    private readonly parts: EpisodeParts,
    private readonly plan: EpisodePlan,
  ) {
    const { run, timing, storePort, folder } = parts;
    const group = `${run}-${plan.number}`;
    // Keys are told apart by their episode, so that the registers of a run can be checked one by one.
    this.locks = contendedLocks.map((lock) => `${plan.number}/${lock}`);
    this.election = `${plan.number}/${electionName}`;
    this.settings = { group, voters: voterNames, timing, storePort, folder: join(folder, group) };
  }

  async play(): Promise<EpisodeResult> {
    const { troupe, broker, store } = this.parts;
    const { group, folder } = this.settings;
    mkdirSync(folder, { recursive: true });
    const nemeses = new Nemeses({ troupe, broker, store, folder, revive: (one) => this.revive(one) });
    const failures: string[] = [];
    let recoveryMs: number | undefined;
    let orphans: string[] = [];
    try {
      await within(formTimeoutMs, 'the group did not form', this.form());
      await nemeses.run(this.plan, this.parts.seconds);
      await nemeses.heal();
      recoveryMs = await this.recover(nemeses.whenRevived());
      orphans = await this.findOrphans();
      if (nemeses.failures.length > 0) throw new Error('a nemesis failed');
    } catch (error) {
      failures.push(...nemeses.failures, error instanceof Error ? error.message : String(error), ...(await troupe.statuses()));
      await nemeses.heal().catch((failure: unknown) => failures.push(String(failure)));
      recoveryMs = undefined;
    }
    if (failures.length === 0) await this.disband();
    else await troupe.killAll();
    const history = mergeHistory(troupe.all.flatMap(({ files }) => files));
    appendFileSync(this.parts.historyFile, linesOf(history));
    rmSync(folder, { recursive: true, force: true });
    await broker.forget(group);
    return { strikes: nemeses.strikes, history, recoveryMs, orphans, failures };
  }

  private async form(): Promise<void> {
    const { troupe } = this.parts;
    await troupe.fill();
    await Promise.all(troupe.all.map((one) => one.enter(this.settings)));
    await Promise.all(troupe.all.map((one) => one.running.request('whenAllHeard', undefined)));
    await Promise.all(troupe.all.map((one) => this.work(one)));
  }

  private async revive(one: ChaosProcess): Promise<void> {
    await one.reenter();
    await this.work(one);
  }

  private async work(one: ChaosProcess): Promise<void> {
    const { sessionTtlMs } = this.settings.timing;
    const { locks, election } = this;
    await one.running.request('work', { locks, election, patienceMs: 3 * sessionTtlMs, longHoldMs: 1.5 * sessionTtlMs });
  }

  /** The clock starts when the world is whole; a process that was killed has to come back within the bound as well. */
  private async recover(revived: Promise<void>): Promise<number> {
    const { troupe, timing } = this.parts;
    const healedAtNs = machineTimeNs();
    const { locks, election } = this;
    const withinMs = timing.recoveryBoundMs;
    const all = async (): Promise<void> => {
      await revived;
      await Promise.all(troupe.all.map((one) => one.running.request('rest', undefined)));
      await Promise.all(troupe.all.map((one) => one.running.request('recover', { locks, election, withinMs })));
    };
    await within(withinMs, `no recovery within ${withinMs} ms`, all());
    return (machineTimeNs() - healedAtNs) / 1e6;
  }

  private async findOrphans(): Promise<string[]> {
    const own = this.parts.troupe.all.map(({ name }) => `own-${name}`);
    const order = { locks: [...this.locks, ...own], withinMs: this.settings.timing.sessionTtlMs + 3_000 };
    const found = await Promise.all(this.parts.troupe.all.map((one) => one.running.request('orphans', order)));
    return [
      ...new Set(
        found.flat().map((info) => `${info.name}: held by ${info.holders[0]?.node ?? 'nobody'}, waited for by ${info.queue.join(', ')}`),
      ),
    ];
  }

  private async disband(): Promise<void> {
    const { troupe } = this.parts;
    await within(restTimeoutMs, 'not all left', Promise.all(troupe.all.map((one) => one.running.request('leave', undefined)))).catch(() =>
      troupe.killAll(),
    );
  }
}
